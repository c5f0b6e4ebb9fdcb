"""Rules about where an action points, and what its coordinates were derived from."""

from __future__ import annotations

from typing import Any, Final

from augur_sdk.diagnostics.context import BundleContext
from augur_sdk.diagnostics.findings import RuleResult
from augur_sdk.diagnostics.pointing import Point, frame_of, points, target
from augur_sdk.diagnostics.rules import rule
from augur_sdk.diagnostics.step_facts import (
    action_type,
    has_failure_class,
    is_click,
    object_of,
    text_of,
)
from augur_sdk.models import DiagnosticEvidence

__all__ = [
    "click_outside_viewport",
    "coordinate_space_mismatch",
    "dom_used_as_runtime_target",
    "invalid_action_schema",
]

Step = dict[str, Any]

_DISTANCES: Final = ("scroll", "wheel", "resize")
"""Actions whose x and y may be distances, not places."""


@rule("cua.click_outside_viewport", severity="high")
def click_outside_viewport(ctx: BundleContext, result: RuleResult) -> None:
    """Coordinates outside the observation's viewport, in the action's space."""
    for step in ctx.steps:
        found = _outside(ctx, step)
        if found:
            result.emit(
                step_index=step.get("step_index"),
                summary=found,
                recommendation="Check coordinate_space and device_scale_factor: the model may see "
                "a screenshot of another size than the screen it acts on.",
                evidence=[ctx.cite_step(step), *_seen(ctx, step)],
            )


@rule("cua.coordinate_space_mismatch", severity="high")
def coordinate_space_mismatch(ctx: BundleContext, result: RuleResult) -> None:
    """Grounding provenance `dom` with an action in `viewport_css_px`, or the class says so."""
    for step in ctx.steps:
        space = text_of(object_of(step, "action"), "coordinate_space")
        if (_from_dom(step) and space == "viewport_css_px") or has_failure_class(
            step, "coordinate_space_mismatch"
        ):
            result.emit(
                step_index=step.get("step_index"),
                summary="coordinates and the space they are used in do not belong together: the "
                f"grounding comes from {_provenance(step)}, the action is in {space or 'no'} space",
                recommendation="Ground on the screenshot, or convert client rectangles to the "
                "action's space (scroll offset, device scale factor) before dispatch.",
                evidence=[ctx.cite_step(step), *_seen(ctx, step)],
            )


@rule("cua.dom_used_as_runtime_target", severity="high")
def dom_used_as_runtime_target(ctx: BundleContext, result: RuleResult) -> None:
    """Grounding provenance `dom` and numeric x, y in the action."""
    for step in ctx.steps:
        found = points(step)
        if _from_dom(step) and found:
            result.emit(
                step_index=step.get("step_index"),
                summary=f"the action went to ({found[0][0]:g}, {found[0][1]:g}), coordinates that "
                "were taken from the DOM instead of the screenshot",
                recommendation="Let the DOM explain a failure, not choose the target: ground on "
                "the screenshot at run time.",
                evidence=[ctx.cite_step(step)],
            )


@rule("cua.invalid_action_schema", severity="critical")
def invalid_action_schema(ctx: BundleContext, result: RuleResult) -> None:
    """An action without a type, or the class says so."""
    for step in ctx.steps:
        untyped = step.get("action") is not None and not action_type(step)
        if untyped or has_failure_class(step, "invalid_action_schema"):
            result.emit(
                step_index=step.get("step_index"),
                summary="the action has no type, so nothing could carry it out"
                if untyped
                else "the action was refused as malformed",
                recommendation="Set action.type in the adapter; refuse a model output that names "
                "no action instead of recording it as one.",
                evidence=[ctx.cite_step(step)],
            )


def _outside(ctx: BundleContext, step: Step) -> str:
    found = _aimed_at(step)
    frame = frame_of(ctx, step) if found else None
    for x, y in found:
        if frame and frame.extent and not frame.holds((x, y)):
            width, height = frame.extent
            return (
                f"({x:g}, {y:g}) lies outside the viewport, which is {width:g} x {height:g} "
                f"in {frame.space}"
            )
    if has_failure_class(step, "click_outside_viewport"):
        return "the step's failure class says that the click fell outside the viewport"
    return ""


def _aimed_at(step: Step) -> list[Point]:
    if any(word in action_type(step) for word in _DISTANCES):
        return []
    grounded = target(step) if is_click(step) else None
    return points(step) or ([grounded] if grounded else [])


def _from_dom(step: Step) -> bool:
    return _provenance(step) == "dom"


def _provenance(step: Step) -> str:
    return text_of(object_of(step, "grounding"), "provenance") or "an unnamed source"


def _seen(ctx: BundleContext, step: Step) -> list[DiagnosticEvidence]:
    ref = text_of(step, "observation_pre") or text_of(step, "observation_post")
    return [{"type": "screenshot", "ref": ref}] if ref and ctx.exists(ref) else []
