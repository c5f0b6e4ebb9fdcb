"""Loops of any period, noticed step by step, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augur_sdk.images.loops import LoopDetector, action_signature, hash_distance

Fed = tuple[Any, str | None]


def click(x: float, y: float = 50) -> dict[str, Any]:
    return {"type": "click", "params": {"x": x, "y": y}}


def key(text: str) -> dict[str, Any]:
    return {"type": "key", "params": {"text": text}}


def fed(steps: Iterable[Fed], **options: int) -> list[bool]:
    detector = LoopDetector(**options)
    return [detector.feed(index, *step) for index, step in enumerate(steps)]


@pytest.mark.parametrize("period", [1, 2, 3, 7, 64])
def test_the_third_round_completes_a_loop_of_any_period(period: int) -> None:
    lap = [(key(str(n)), f"screen {n}") for n in range(period)]
    verdicts = fed(lap * 4)
    assert verdicts == [False] * (3 * period - 1) + [True] * (period + 1)


def test_the_shortest_period_is_named() -> None:
    detector = LoopDetector()
    for index in range(8):
        detector.feed(index, key("a"), "same")
    assert detector.period == 1


def test_a_loop_that_is_left_is_no_loop_any_more() -> None:
    steps = [(key("a"), "s")] * 4 + [(key("b"), "t")] + [(key("a"), "s")] * 2
    assert fed(steps) == [False, False, True, True, False, False, False]


@pytest.mark.parametrize(
    "steps",
    [
        [(key("a"), f"screen {n}") for n in range(9)],
        [(key(str(n)), "same screen") for n in range(9)],
        [(key("a"), None)] * 9,
        [(None, "same screen")] * 9,
    ],
    ids=["the screen moves on", "other actions", "no pictures", "no actions"],
)
def test_progress_is_no_loop(steps: list[Fed]) -> None:
    assert not any(fed(steps))


def test_screens_that_look_the_same_are_the_same() -> None:
    near = ["00000000000000ff", "00000000000000fe", "00000000000000fd"]
    far = ["00000000000000ff", "000000000000ff00", "0000000000ff0000"]
    assert fed([(key("a"), phash) for phash in near])[-1]
    assert not fed([(key("a"), phash) for phash in far])[-1]


def test_a_click_a_few_pixels_off_is_the_same_click() -> None:
    assert fed([(click(401), "s"), (click(403), "s"), (click(406), "s")])[-1]


def test_a_step_fed_again_is_not_counted_twice() -> None:
    detector = LoopDetector()
    assert not any(detector.feed(index // 3, key("a"), "s") for index in range(6))
    assert detector.feed(2, key("a"), "s")
    assert detector.feed(2, key("a"), "s")


def test_memory_is_bounded_by_the_longest_period() -> None:
    detector = LoopDetector(max_period=5)
    for index in range(500):
        detector.feed(index, key(str(index)), "s")
    assert len(detector._recent) == len(detector._matched) == 5


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy")), max_size=40))
def test_it_agrees_with_looking_at_the_whole_run(symbols: list[tuple[str, str]]) -> None:
    verdicts = fed([(key(action), screen) for action, screen in symbols], max_period=6)
    for at, verdict in enumerate(verdicts):
        seen = symbols[: at + 1]
        assert verdict == any(
            len(seen) >= 3 * p and seen[-p:] == seen[-2 * p : -p] == seen[-3 * p : -2 * p]
            for p in range(1, 7)
        )


@pytest.mark.parametrize("options", [{"max_period": 0}, {"repeats": 1}])
def test_impossible_bounds_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least"):
        LoopDetector(**options)


def test_signatures_take_any_parameters() -> None:
    odd = {"type": "x", "params": {1: object, "x": None, "path": [[1, 2], {"x": 3.5, "y": 9}]}}
    assert action_signature(odd) == action_signature(odd)
    assert action_signature(None) == ""
    assert action_signature(click(10)) != action_signature({"type": "move", "params": {"x": 10}})


def test_distance_between_hashes() -> None:
    assert hash_distance("00ff", "00f0") == 4
