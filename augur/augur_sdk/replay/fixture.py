"""Replay fixtures from steps: pure, no bundle and no session needed (contract/records.md)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast, get_args

from augur_sdk.bundle import layout
from augur_sdk.errors import RecordError
from augur_sdk.models.vocabulary import ReplayMode
from augur_sdk.replay.landing import point_of

if TYPE_CHECKING:
    from augur_sdk.models import PriorStep, ReplayExpectation, ReplayFixture

__all__ = ["REGION_RADIUS", "make_fixture"]

REGION_RADIUS: Final = 24
"""Half the side of the default region, in the action's units: a target that a finger can hit."""

_ACTION_FIELDS: Final = ("type", "params", "coordinate_space", "dispatch_backend")
_VERDICT_FIELDS: Final = ("status", "reason", "score", "comparator", "evidence_refs")


def make_fixture(
    step: Mapping[str, Any],
    prior_steps: Iterable[Mapping[str, Any]] = (),
    *,
    mode: ReplayMode = "observation_replay",
    task: str | None = None,
    expected: Mapping[str, Any] | None = None,
    acceptable_regions: Iterable[Mapping[str, Any]] | None = None,
    region_radius: float = REGION_RADIUS,
    fixture_id: str | None = None,
) -> tuple[ReplayFixture, list[PriorStep]]:
    """A fixture from which a step can be replayed, and the record of the steps before it.

    The same step gives the same fixture. Arguments are neither kept nor changed.

    Args:
        step: The step_trace to replay. It must refer to the picture taken before it.
        prior_steps: The steps of the run; those before `step` are taken, in their order.
        mode: What replays it.
        task: What the agent was asked to do.
        expected: What the replay is held against, field by field over the default: type, verdict
            status and whole action as captured, and the regions below.
        acceptable_regions: Rectangles (`x1`, `y1`, `x2`, `y2`, perhaps `label`) in the space of
            the action's coordinates. Default: a square around the grounded point, else around
            the action's own; none where there is no point. For a step that went wrong, give
            those that would have been right.
        region_radius: Half the side of the default square.
        fixture_id: Default: derived from the step's id and the mode.

    Returns:
        The fixture, for `replay/<step>_fixture.json`, and the prior steps, for the path that
        the fixture names (None there, and an empty list, for the first step).

    Raises:
        ValueError: The step lacks an id, an index or a picture; or `mode` or a region is none.
    """
    index, step_id = _identity(step)
    if mode not in get_args(ReplayMode):
        raise RecordError("mode is not one of the known values", expected=" or ".join(_modes()))
    observation = step.get("observation_pre")
    if not isinstance(observation, str) or not observation:
        raise RecordError(
            f"step {index} refers to no picture taken before it",
            expected="observation_pre",
            fix="Attach the screenshot taken before the action, and name its path in the step.",
        )
    before = [s for s in prior_steps if _is_before(s, index)]
    prior = [_prior(s) for s in sorted(before, key=lambda s: int(s["step_index"]))]
    fixture: dict[str, Any] = {
        "fixture_id": fixture_id or _fixture_id(step_id, mode),
        "step_id": step_id,
        "mode": mode,
        "observation": observation,
        "prior_steps": layout.prior_steps_path(index) if prior else None,
        "expected": {**_captured(step), **_regions(step, acceptable_regions, region_radius)},
    }
    fixture["expected"] |= dict(expected or {})
    optional = {"task": task, "captured_versions": step.get("captured_versions")}
    fixture |= {name: value for name, value in optional.items() if value}
    return cast("ReplayFixture", fixture), prior


def _modes() -> tuple[str, ...]:
    return get_args(ReplayMode)


def _identity(step: Mapping[str, Any]) -> tuple[int, str]:
    index, step_id = step.get("step_index"), step.get("step_id")
    if isinstance(index, int) and isinstance(step_id, str) and step_id:
        return index, step_id
    raise RecordError("the step has no id or no index", expected="step_id and step_index")


def _fixture_id(step_id: str, mode: str) -> str:
    digest = hashlib.sha256(f"{mode}\n{step_id}".encode("utf-8", "surrogatepass"))
    return f"fix_{digest.hexdigest()[:12]}"


def _is_before(step: Mapping[str, Any], index: int) -> bool:
    own = step.get("step_index")
    return isinstance(own, int) and own < index


def _prior(step: Mapping[str, Any]) -> PriorStep:
    """What a decision function is shown of an earlier step; the format wants both parts."""
    prior = {
        "step_index": step["step_index"],
        "intent": step.get("intent"),
        "action": _picked(step.get("action"), _ACTION_FIELDS) or {"type": "unknown"},
        "verdict": _picked(step.get("verdict"), _VERDICT_FIELDS) or {"status": "unknown"},
    }
    return cast("PriorStep", prior)


def _picked(record: Any, names: Iterable[str]) -> dict[str, Any]:
    if not isinstance(record, Mapping):
        return {}
    return {name: record[name] for name in names if record.get(name) is not None}


def _captured(step: Mapping[str, Any]) -> ReplayExpectation:
    action = _picked(step.get("action"), _ACTION_FIELDS)
    verdict = _picked(step.get("verdict"), ("status",))
    expected: dict[str, Any] = {}
    if action.get("type"):
        expected |= {"action_type": action["type"], "captured_action": action}
    if verdict:
        expected["verdict_status"] = verdict["status"]
    return cast("ReplayExpectation", expected)


def _regions(
    step: Mapping[str, Any], given: Iterable[Mapping[str, Any]] | None, radius: float
) -> dict[str, Any]:
    if given is not None:
        return {"acceptable_regions": [_region(region) for region in given]}
    grounding = step.get("grounding") or {}
    action = step.get("action") or {}
    point = point_of(grounding.get("coordinates") or {}) or point_of(action.get("params") or {})
    if point is None:
        return {}
    x, y = point
    region: dict[str, Any] = {
        "x1": x - radius,
        "y1": y - radius,
        "x2": x + radius,
        "y2": y + radius,
    }
    label = grounding.get("target_label")
    return {"acceptable_regions": [region | ({"label": label} if label else {})]}


def _region(given: Mapping[str, Any]) -> dict[str, Any]:
    region = _picked(given, ("x1", "y1", "x2", "y2", "label"))
    corners = [region.get(name) for name in ("x1", "y1", "x2", "y2")]
    numbers = [c for c in corners if isinstance(c, int | float)]
    if len(numbers) == 4 and numbers[0] <= numbers[2] and numbers[1] <= numbers[3]:
        return region
    raise RecordError("a region is not a rectangle", expected="x1 <= x2 and y1 <= y2, as numbers")
