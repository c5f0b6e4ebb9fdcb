"""Where an action points, and in which space (contract/records.md, coordinate_space)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from augur_sdk.diagnostics.context import BundleContext
from augur_sdk.diagnostics.step_facts import object_of, text_of

__all__ = ["Frame", "Point", "frame_of", "points", "target"]

Point = tuple[float, float]

_POINT_KEYS: Final = (
    "coordinate", "coordinates", "position", "point", "start_coordinate", "start", "from",
    "end_coordinate", "end", "to",
)  # fmt: skip
_BY_CSS: Final = frozenset({"viewport_css_px", "dom_client_rect"})


@dataclass(frozen=True, slots=True)
class Frame:
    """The coordinate space of one step's action: its extent, and the picture behind it.

    Sizes are in units of the space and in pixels of the picture; None where they are not known.
    """

    space: str
    extent: tuple[float, float] | None
    picture: tuple[int, int] | None

    def holds(self, point: Point) -> bool:
        """Whether a point lies inside; true when the extent is not known."""
        if self.extent is None:
            return True
        width, height = self.extent
        return 0 <= point[0] < width and 0 <= point[1] < height

    def on_picture(self, point: Point) -> Point | None:
        """The point in pixels of the picture; None when that cannot be known."""
        if self.extent is None or self.picture is None or not all(self.extent):
            return None
        return (
            point[0] * self.picture[0] / self.extent[0],
            point[1] * self.picture[1] / self.extent[1],
        )


def points(step: Mapping[str, Any]) -> list[Point]:
    """Every point in the action's parameters, in the action's space, the first one first."""
    params = object_of(object_of(step, "action"), "params")
    return list(_points_in(params))


def target(step: Mapping[str, Any]) -> Point | None:
    """Where the action went: its first point, or else where its grounding put it."""
    found = points(step)
    if found:
        return found[0]
    return _as_point(object_of(object_of(step, "grounding"), "coordinates"))


def frame_of(ctx: BundleContext, step: Mapping[str, Any]) -> Frame:
    """The space in which the step's coordinates are meant, as its observation describes it.

    An action that names no space means that of the observation, or pixels of the screenshot.
    """
    ref = text_of(step, "observation_pre") or text_of(step, "observation_post")
    record = ctx.pictures.record(ref) if ref else {}
    picture = ctx.pictures.size(ref) if ref else None
    space = (
        text_of(object_of(step, "action"), "coordinate_space")
        or text_of(record, "coordinate_space")
        or "screenshot_px"
    )
    return Frame(space, _extent(space, object_of(record, "viewport"), picture), picture)


def _extent(
    space: str, viewport: dict[str, Any], picture: tuple[int, int] | None
) -> tuple[float, float] | None:
    """A space's size. Without a viewport the picture bounds every space: no pixel is finer."""
    if space == "screenshot_px" and picture:
        return picture
    width, height = _number(viewport.get("width")), _number(viewport.get("height"))
    if width is None or height is None:
        return picture
    scale = 1.0 if space in _BY_CSS else _number(viewport.get("device_scale_factor")) or 1.0
    return width * scale, height * scale


def _points_in(params: dict[str, Any]) -> Iterator[Point]:
    whole = _as_point(params)
    if whole:
        yield whole
    for key in _POINT_KEYS:
        point = _as_point(params.get(key))
        if point:
            yield point
    path = params.get("path")
    for item in path if isinstance(path, list) else ():
        point = _as_point(item)
        if point:
            yield point


def _as_point(value: object) -> Point | None:
    pair: tuple[Any, Any]
    if isinstance(value, dict):
        pair = (value.get("x"), value.get("y"))
    elif isinstance(value, list) and len(value) == 2:
        pair = (value[0], value[1])
    else:
        return None
    x, y = _number(pair[0]), _number(pair[1])
    return None if x is None or y is None else (x, y)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
