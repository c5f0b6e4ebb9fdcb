"""An agent's decision on a captured moment, held against what is expected of it.

Standard library only: an exported test carries this module's source, so that it runs where the
SDK is not installed.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from augur_sdk.replay.landing import point_of

__all__ = [
    "decide",
    "find_function",
    "is_inside",
    "named",
    "point_of",
    "problems",
    "result_of",
]


def find_function(spec: str) -> Callable[[dict[str, Any]], Any]:
    """The function that `module:function` names.

    Raises:
        ValueError: The text is not of that form.
        TypeError: The module has no such function.
        ImportError: There is no such module.
    """
    module, _, name = spec.partition(":")
    if not module or not name:
        raise ValueError(f"{spec!r} does not name a function; expected module:function")
    found: object = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise TypeError(f"{module} has no function {name}")
    return found


def decide(function: Callable[[dict[str, Any]], Any], moment: dict[str, Any]) -> dict[str, Any]:
    """What the function decides: an action with `type`, parameters under `params` or beside it.

    Raises:
        TypeError: It returned no such dict.
    """
    decided = function(moment)
    if inspect.isawaitable(decided):
        decided = asyncio.run(result_of(decided))
    if isinstance(decided, Mapping) and isinstance(decided.get("type"), str):
        return dict(decided)
    raise TypeError(f"the decide function returned a {type(decided).__name__} without a type")


async def result_of(pending: Any) -> Any:
    """What an awaitable gives: `asyncio.run` takes coroutines only."""
    return await pending


def problems(expected: Mapping[str, Any], action: Mapping[str, Any]) -> list[str]:
    """Where an action departs from the `expected` of a replay fixture; empty when it does not."""
    found = []
    wanted = expected.get("action_type")
    if wanted is not None and action.get("type") != wanted:
        found.append(f"the action is {action.get('type')}, expected {wanted}")
    regions = expected.get("acceptable_regions") or []
    nested = action.get("params")
    point = point_of(nested if isinstance(nested, Mapping) else action)
    if regions and point is None:
        found.append("the action has no coordinates, expected some in an acceptable region")
    elif point is not None and regions and not any(is_inside(region, point) for region in regions):
        found.append(f"({point[0]}, {point[1]}) is outside {named(regions)}")
    return found


def is_inside(region: Mapping[str, Any], point: tuple[float, float]) -> bool:
    """Whether a point is in a rectangle, its edges included."""
    x, y = point
    return bool(region["x1"] <= x <= region["x2"] and region["y1"] <= y <= region["y2"])


def named(regions: list[Mapping[str, Any]]) -> str:
    """The regions for a message, with their labels."""
    texts = []
    for region in regions:
        corners = f"({region['x1']}, {region['y1']})-({region['x2']}, {region['y2']})"
        texts.append(f"{region['label']} {corners}" if region.get("label") else corners)
    return "the acceptable region " + " or ".join(texts)
