"""Packed columns behave as the dicts do that they stand for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augur_sdk.bundle import layout
from augur_sdk.bundle.journal import Ref
from augur_sdk.bundle.packed import _SPARE, Column, Digests, RefsByPath, RefsByStep, numbers, texts

indexes = st.one_of(st.integers(0, 40), st.integers(-3, 5000), st.integers(-(2**70), 2**70))
values = st.one_of(st.integers(1, 9), st.integers(1, 2**80))
edits = st.lists(st.tuples(indexes, st.one_of(st.none(), values)), max_size=60)


@given(edits)
def test_a_column_holds_what_a_dict_would(edits: list[tuple[int, int | None]]) -> None:
    """An edit of None takes the value away."""
    column, model = numbers(), dict[int, int]()
    for index, value in edits:
        if value is None:
            column.discard(index)
            model.pop(index, None)
        else:
            column[index] = value
            model[index] = value
    assert list(column.items()) == sorted(model.items())
    assert list(column.values()) == [value for _, value in sorted(model.items())]
    assert len(column) == len(model)
    for index, _ in edits:
        assert (index in column) == (index in model)
        assert column.get(index, 0) == model.get(index, 0)


@pytest.mark.parametrize("stride", [2, 3, 1000, 10**6])
def test_numbering_steps_with_gaps_leaves_few_rows_empty(stride: int) -> None:
    column = numbers()
    for number in range(3000):
        column[number * stride] = 1
    assert len(column) == 3000
    assert len(column._rows) <= 2 * (3000 + _SPARE)


def test_a_missing_value_is_a_key_error() -> None:
    column: Column[str] = texts()
    column[3] = "here"
    for index in (0, 4, -1):
        with pytest.raises(KeyError):
            column[index]


@given(st.integers(0, 2**50), st.integers(1, 2**32 - 1), st.integers(0, 2**40))
def test_a_reference_comes_back_as_it_was(offset: int, length: int, index: int) -> None:
    by_step, by_path = RefsByStep(), RefsByPath()
    by_step[index] = by_path["a.json"] = ref = Ref(offset, length)
    assert by_step[index] == by_path["a.json"] == ref
    assert list(by_step.values()) == list(by_path.values()) == [ref]
    assert dict(by_path) == {"a.json": ref}
    assert by_path.pop("a.json") == ref
    assert "a.json" not in by_path


paths = st.one_of(
    st.integers(0, 30).map(layout.step_path),
    st.integers(10_000, 10**12).map(layout.step_path),
    st.sampled_from(
        [
            "trace.json",
            "steps/7.json",
            "steps/00012.json",
            "steps/0003/a.json",
            "steps/",
            "steps/٣٣٣٣.json",
        ]
    ),
)


@given(
    st.lists(
        st.tuples(paths, st.one_of(st.none(), st.binary(min_size=32, max_size=32))), max_size=40
    )
)
def test_digests_are_those_of_a_dict(edits: list[tuple[str, bytes | None]]) -> None:
    digests, model = Digests(), dict[str, bytes]()
    for path, digest in edits:
        if digest is None:
            digests.discard(path)
            model.pop(path, None)
        elif any(digest):  # no file has a digest of nothing but zeros
            digests[path] = model[path] = digest
    assert digests.in_hex() == {path: digest.hex() for path, digest in model.items()}
    assert all((path in digests) == (path in model) for path, _ in edits)
