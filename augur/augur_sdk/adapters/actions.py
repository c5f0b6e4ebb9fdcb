"""Actions as the records hold them, from the flat and the nested forms that vendors use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from augur_sdk.replay.decision import point_of

__all__ = ["as_action", "grounding_of"]

_ACTION_FIELDS = frozenset({"type", "params", "coordinate_space", "dispatch_backend"})


def as_action(raw: Mapping[str, Any]) -> dict[str, Any] | None:
    """An action record: `type`, its parameters untouched under `params`, and where they count.

    Parameters that stand beside `type` move under `params`; those that are null say nothing and
    are left out. A coordinate is in `screenshot_px` unless the action says otherwise.

    Returns:
        None where there is no usable `type`.
    """
    kind = raw.get("type")
    if not isinstance(kind, str) or not kind:
        return None
    nested = raw.get("params")
    flat = {k: v for k, v in raw.items() if k not in _ACTION_FIELDS and v is not None}
    params = {**(nested if isinstance(nested, Mapping) else {}), **flat}
    action: dict[str, Any] = {"type": kind, "params": params}
    if point_of(params) is not None or "region" in params:
        action["coordinate_space"] = "screenshot_px"
    kept = {k: raw[k] for k in ("coordinate_space", "dispatch_backend") if raw.get(k)}
    return action | kept


def grounding_of(action: Mapping[str, Any], provider: str) -> dict[str, Any] | None:
    """The grounding of an action that a model aimed at a screenshot; None where it has no aim."""
    point = point_of(action.get("params") or {})
    if point is None:
        return None
    coordinates = {"x": point[0], "y": point[1]}
    return {"provider": provider, "coordinates": coordinates, "provenance": "screenshot"}
