"""The algorithms and their registry; values of cua_v1 are worked out by hand from the contract."""

from __future__ import annotations

import hashlib
import importlib.metadata
import subprocess
import sys
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augur_sdk.fingerprint import (
    available,
    compute,
    cua_v1,
    cua_v1_of_tokens,
    cua_v2,
    fingerprint,
    hamming,
    registry,
    similarity,
    step_token,
)

Step = dict[str, Any]


def step(kind: str, status: str = "passed", label: str | None = None, **more: Any) -> Step:
    grounding = {"grounding": {"target_label": label}} if label is not None else {}
    return {"action": {"type": kind}, "verdict": {"status": status}, **grounding, **more}


def run(length: int) -> list[Step]:
    return [step("click", label=f"button {i}") for i in range(length)]


@pytest.mark.parametrize(
    ("given_step", "token"),
    [
        (step("click", label="Sign in"), "click:passed:signin"),
        (
            step("click", "failed", "OK", failure_class="no_state_change"),
            "click:no_state_change:ok",
        ),
        (step("type", "failed"), "type:failed:"),
        (step("click", label="Größe_№1 / ok"), "click:passed:gre1ok"),
        (step("click", label="\u212a"), "click:passed:k"),  # the Kelvin sign lower-cases to k
        ({"verdict": {}, "grounding": None}, "::"),
        ({"action": {"type": 3}, "failure_class": None}, "::"),
        ({}, "::"),
    ],
)
def test_a_token_names_action_outcome_and_label(given_step: Step, token: str) -> None:
    assert step_token(given_step) == token


def test_cua_v1_is_the_digest_that_the_contract_spells_out() -> None:
    steps = [step("click", label="A"), step("type", "failed"), step("click", label="A")]
    linear = hashlib.sha256(b"click:passed:a\ntype:failed:\nclick:passed:a").hexdigest()
    pairs = hashlib.sha256(b"click:passed:a|type:failed:\ntype:failed:|click:passed:a").hexdigest()
    assert cua_v1(steps) == f"cua_v1:{linear[:32]}{pairs[:32]}"


def test_stored_cua_v1_values_never_change() -> None:
    """Literal values: whoever changes the algorithm has to change this line."""
    assert cua_v1([step("click", label="Sign in")]) == (
        "cua_v1:ee9461eda8dc1ef16c28b5dbd2b5a26cee9461eda8dc1ef16c28b5dbd2b5a26c"
    )


def test_a_run_of_one_step_has_its_token_as_the_single_gram() -> None:
    digest = hashlib.sha256(b"click:passed:").hexdigest()[:32]
    assert cua_v1([step("click")]) == f"cua_v1:{digest}{digest}"


def test_a_repeated_pair_counts_once_in_the_second_half() -> None:
    twice, thrice = (cua_v1([step("click")] * n) for n in (2, 3))
    assert twice[-32:] == thrice[-32:]
    assert twice != thrice


@given(st.lists(st.text(max_size=12), min_size=1, max_size=20))
def test_tokens_fed_one_by_one_give_the_value_of_the_whole(labels: list[str]) -> None:
    steps = [step("click", label=label) for label in labels]
    assert cua_v1_of_tokens(step_token(s) for s in steps) == cua_v1(steps)


def test_cua_v2_has_a_fixed_size_and_no_randomness_between_processes() -> None:
    program = (
        "from augur_sdk.fingerprint import cua_v2;"
        "print(cua_v2([{'action': {'type': 'click'}}, {'action': {'type': 'type'}}]))"
    )
    other = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.strip()
    here = cua_v2([{"action": {"type": "click"}}, {"action": {"type": "type"}}])
    assert here == other
    assert len(here) == len(cua_v2(run(300))) == len("cua_v2:") + 256


def test_runs_that_differ_in_one_step_are_near_and_others_are_far() -> None:
    base = run(30)
    near = [*base[:12], step("scroll"), *base[13:]]
    far = [step("type", label=f"field {i}") for i in range(30)]
    assert 0.75 < similarity(cua_v2(base), cua_v2(near)) < 1.0
    assert similarity(cua_v2(base), cua_v2(far)) < 0.1
    assert hamming(cua_v2(base), cua_v2(near)) < hamming(cua_v2(base), cua_v2(far))


@given(st.integers(0, 40))
def test_similarity_follows_the_share_of_steps_that_differ(changed: int) -> None:
    """The estimate stays within four standard errors of the overlap it estimates."""
    base = run(40)
    other = [*base[: 40 - changed], *(step("scroll", label=f"x{i}") for i in range(changed))]
    grams = [_grams(base), _grams(other)]
    truth = len(grams[0] & grams[1]) / len(grams[0] | grams[1])
    assert abs(similarity(cua_v2(base), cua_v2(other)) - truth) < 0.18


def _grams(steps: list[Step]) -> set[str]:
    tokens = [step_token(s) for s in steps]
    return {*tokens, *(f"{a}|{b}" for a, b in pairwise(tokens))}


def test_repeats_count_in_cua_v2() -> None:
    assert similarity(cua_v2([step("click")] * 2), cua_v2([step("click")] * 40)) < 0.3


def test_similarity_of_cua_v1_is_equality() -> None:
    a, b = cua_v1(run(3)), cua_v1(run(4))
    assert (similarity(a, a), similarity(a, b)) == (1.0, 0.0)
    assert hamming(a, a) == 0 < hamming(a, b)


@pytest.mark.parametrize("compare", [similarity, hamming])
def test_values_of_different_algorithms_are_refused(compare: Any) -> None:
    with pytest.raises(ValueError, match="different algorithms"):
        compare(cua_v1(run(2)), cua_v2(run(2)))


def test_a_value_cut_short_is_refused() -> None:
    whole = cua_v2(run(2))
    with pytest.raises(ValueError, match="cut short"):
        similarity(whole, whole[:-2])


def test_the_default_algorithm_is_cua_v1() -> None:
    assert fingerprint() is cua_v1
    assert fingerprint("cua_v2") is cua_v2


def test_an_unknown_algorithm_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match="cua_v1, cua_v2"):
        fingerprint("nope")


def broken(steps: Iterable[Step]) -> str:
    next(iter(steps))
    raise RuntimeError("half-way")


def wordy(_steps: Iterable[Step]) -> str:
    return "two\nlines"


def plain(steps: Iterable[Step]) -> str:
    return f"plain:{sum(1 for _ in steps)}"


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [
        importlib.metadata.EntryPoint(name, value, "augur_sdk.fingerprints")
        for name, value in {
            "broken": f"{__name__}:broken",
            "wordy": f"{__name__}:wordy",
            "plain": f"{__name__}:plain",
            "gone": "no_such_module:thing",
            "cua_v1": f"{__name__}:plain",
        }.items()
    ]
    monkeypatch.setattr(registry, "_installed", lambda: entries)


@pytest.mark.usefixtures("plugins")
def test_an_installed_algorithm_is_found_by_name_and_cannot_replace_a_built_in_one() -> None:
    assert compute(iter(run(3)), "plain").value == "plain:3"
    assert fingerprint("cua_v1") is cua_v1
    assert available() == ["broken", "cua_v1", "cua_v2", "gone", "plain", "wordy"]


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize("name", ["broken", "wordy", "gone", "unheard_of"])
def test_a_broken_plug_in_falls_back_to_cua_v1_and_is_reported(name: str) -> None:
    result = compute(iter(run(5)), name)
    assert result.value == cua_v1(run(5))
    assert result.problem is not None
    assert name in result.problem


def test_computing_the_default_reports_nothing() -> None:
    assert compute(run(2)).problem is None
