"""Holding a decided action against what is expected."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path, PurePath
from typing import Any

import pytest

from augur_sdk.replay.decision import decide, find_function, problems

EXPECTED = {
    "action_type": "click",
    "acceptable_regions": [{"x1": 10, "y1": 10, "x2": 20, "y2": 20, "label": "Save"}],
}


@pytest.mark.parametrize(
    "action",
    [
        {"type": "click", "params": {"x": 15, "y": 15}},
        {"type": "click", "x": 10, "y": 20},
        {"type": "click", "params": {"coordinate": [20, 10]}},
    ],
)
def test_a_hit_in_the_region_is_fine(action: dict[str, Any]) -> None:
    assert problems(EXPECTED, action) == []


def test_a_miss_names_point_and_region() -> None:
    assert problems(EXPECTED, {"type": "click", "x": 99, "y": 15}) == [
        "(99, 15) is outside the acceptable region Save (10, 10)-(20, 20)"
    ]


def test_another_type_and_no_coordinates_are_two_problems() -> None:
    assert problems(EXPECTED, {"type": "wait"}) == [
        "the action is wait, expected click",
        "the action has no coordinates, expected some in an acceptable region",
    ]


def test_nothing_expected_accepts_anything() -> None:
    assert problems({}, {"type": "wait"}) == []


def test_any_of_several_regions_will_do() -> None:
    two = [*EXPECTED["acceptable_regions"], {"x1": 50, "y1": 50, "x2": 60, "y2": 60}]
    assert problems({"acceptable_regions": two}, {"type": "click", "x": 55, "y": 55}) == []


def test_an_async_function_is_awaited() -> None:
    async def later(moment: dict[str, Any]) -> dict[str, Any]:
        return {"type": moment["task"]}

    assert decide(later, {"task": "wait"}) == {"type": "wait"}


def test_an_awaitable_that_is_no_coroutine_is_awaited() -> None:
    class Later:
        def __await__(self) -> Generator[None, None, dict[str, Any]]:
            yield from ()
            return {"type": "wait"}

    assert decide(lambda _: Later(), {}) == {"type": "wait"}


@pytest.mark.parametrize("decided", [None, "click", {}, {"type": 3}])
def test_what_is_no_action_is_refused(decided: Any) -> None:
    with pytest.raises(TypeError, match="without a type"):
        decide(lambda _: decided, {})


def test_functions_are_found_by_name_also_inside_a_class() -> None:
    found: list[object] = [
        find_function("pathlib:PurePath"),
        find_function("pathlib:Path.joinpath"),
    ]
    assert found == [PurePath, Path.joinpath]


@pytest.mark.parametrize("spec", ["", "module", ":function", "module:"])
def test_what_names_no_function_is_refused(spec: str) -> None:
    with pytest.raises(ValueError, match="module:function"):
        find_function(spec)


def test_a_module_without_the_function_is_refused() -> None:
    with pytest.raises(TypeError, match="no function nothing"):
        find_function("pathlib:nothing")
