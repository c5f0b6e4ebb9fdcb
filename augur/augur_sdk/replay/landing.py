"""Where an action lands; an exported test carries this module's source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["point_of"]


def point_of(params: Mapping[str, Any]) -> tuple[float, float] | None:
    """Where an action lands: `x` and `y`, `coordinate: [x, y]`, or the end of a drag's `path`."""
    path = params.get("path")
    if isinstance(path, list) and path:
        last = path[-1]
        return point_of(last if isinstance(last, Mapping) else {"coordinate": last})
    pair = params.get("coordinate", [params.get("x"), params.get("y")])
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        return None
    x, y = pair
    plain = all(isinstance(n, int | float) and not isinstance(n, bool) for n in (x, y))
    return (x, y) if plain else None
