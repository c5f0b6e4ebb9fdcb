"""Alignment of sequences: optimal where it is small, complete and ordered always."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augur_sdk.comparison import alignment
from augur_sdk.comparison.alignment import Pair, align

words = st.text(alphabet="abc", max_size=7)


def score(a: str, b: str) -> float:
    return 2.0 if a == b else -1.5


def total(pairs: list[Pair], a: str, b: str) -> float:
    return sum(-1.0 if i is None or j is None else score(a[i], b[j]) for i, j in pairs)


def best(a: str, b: str) -> float:
    @cache
    def value(i: int, j: int) -> float:
        if not i or not j:
            return -1.0 * (i + j)
        return max(
            value(i - 1, j - 1) + score(a[i - 1], b[j - 1]),
            value(i - 1, j) - 1,
            value(i, j - 1) - 1,
        )

    return value(len(a), len(b))


def assert_complete(pairs: list[Pair], a: str, b: str) -> None:
    assert [i for i, _ in pairs if i is not None] == list(range(len(a)))
    assert [j for _, j in pairs if j is not None] == list(range(len(b)))
    assert (None, None) not in pairs


@given(words, words)
def test_the_alignment_is_complete_ordered_and_the_best_there_is(a: str, b: str) -> None:
    pairs = align(a, b, score)
    assert_complete(pairs, a, b)
    assert total(pairs, a, b) == pytest.approx(best(a, b))


@given(
    st.text(alphabet="abcdef", min_size=1, max_size=60),
    st.text(alphabet="abcdef", min_size=1, max_size=60),
)
def test_a_narrow_band_still_reaches_both_ends(a: str, b: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alignment, "_BUDGET", 1)
        patch.setattr(alignment, "_NARROWEST", 1)
        assert_complete(align(a, b, score), a, b)


def test_a_step_more_shifts_the_rest_and_breaks_nothing() -> None:
    assert align("abcdef", "abXcdef", score) == [
        (0, 0),
        (1, 1),
        (None, 2),
        (2, 3),
        (3, 4),
        (4, 5),
        (5, 6),
    ]


def test_long_sequences_with_few_differences_are_aligned_in_bounded_work() -> None:
    a = [str(number) for number in range(6000)]
    b = [*a[:1000], "new", *a[1000:4000], *a[4010:]]
    calls = 0

    def counting(x: str, y: str) -> float:
        nonlocal calls
        calls += 1
        return score(x, y)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alignment, "_BUDGET", 300_000)
        pairs = align(a, b, counting)
    assert calls < 1_000_000
    assert sum(1 for i, j in pairs if i is not None and j is not None and a[i] == b[j]) == 5990
