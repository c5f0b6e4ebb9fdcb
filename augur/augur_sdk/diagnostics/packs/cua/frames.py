"""Rules about what the screen did: pictures where they are there, records where they are not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

from augur_sdk.diagnostics.context import BundleContext
from augur_sdk.diagnostics.findings import RuleResult
from augur_sdk.diagnostics.pointing import target
from augur_sdk.diagnostics.rules import rule
from augur_sdk.diagnostics.step_facts import (
    has_failure_class,
    is_click,
    meant_to_change,
    object_of,
    text_of,
    verdict_blames_no_change,
)
from augur_sdk.models import DiagnosticEvidence

__all__ = ["missing_observation", "no_state_change", "repeated_action_stable_frame"]

Step = dict[str, Any]

_SAME_PLACE: Final = 1.0
"""Two clicks are at the same coordinates within this many units: models round differently."""


@rule("cua.repeated_action_stable_frame", severity="medium")
def repeated_action_stable_frame(ctx: BundleContext, result: RuleResult) -> None:
    """Two clicks in a row at the same coordinates and nothing changed between them."""
    for first, second in pairwise(ctx.steps):
        if _same_click(first, second) and _nothing_changed(ctx, first, second):
            x, y = target(second) or (0.0, 0.0)
            result.emit(
                step_index=second.get("step_index"),
                summary=f"the click at ({x:g}, {y:g}) was repeated on a screen that had not "
                "changed since the one before",
                recommendation="Re-ground the target, or wait for the screen to settle, before "
                "clicking the same place again.",
                evidence=[
                    ctx.cite_step(first),
                    ctx.cite_step(second),
                    *_screenshots(ctx, first.get("observation_pre"), second.get("observation_pre")),
                ],
            )


@rule("cua.no_state_change", severity="medium")
def no_state_change(ctx: BundleContext, result: RuleResult) -> None:
    """The records say that nothing changed, or the pictures before and after show it."""
    for step in ctx.steps:
        why = _unchanged(ctx, step)
        if why:
            result.emit(
                step_index=step.get("step_index"),
                summary=f"the action changed nothing: {why}",
                recommendation="Check that the click reached its target; try an alternate "
                "grounding instead of the same action again.",
                evidence=[
                    ctx.cite_step(step),
                    *_screenshots(ctx, step.get("observation_pre"), step.get("observation_post")),
                ],
            )


@rule("cua.missing_observation", severity="low")
def missing_observation(ctx: BundleContext, result: RuleResult) -> None:
    """A referenced screenshot is neither there nor listed as missing on purpose."""
    expected = set(ctx.manifest.get("missing") or ())
    for step in ctx.steps:
        for ref in _references(step):
            if ref not in expected and not ctx.exists(ref):
                result.emit(
                    step_index=step.get("step_index"),
                    summary="a screenshot that the step refers to is not in the bundle: "
                    f"{ref[:200]}",
                    recommendation="Attach the screenshot with attach_observation and use the "
                    "path that it returns.",
                    evidence=[ctx.cite_step(step)],
                )


def _same_click(first: Step, second: Step) -> bool:
    a, b = target(first), target(second)
    return (
        is_click(first)
        and is_click(second)
        and a is not None
        and b is not None
        and max(abs(a[0] - b[0]), abs(a[1] - b[1])) <= _SAME_PLACE
    )


def _nothing_changed(ctx: BundleContext, first: Step, second: Step) -> bool:
    """Pictures decide; without any, what the first click's own records say of its effect."""
    before = first.get("observation_pre") or first.get("observation_post")
    same = ctx.pictures.same(before, second.get("observation_pre"))
    if same is None:
        same = ctx.pictures.same(first.get("observation_pre"), first.get("observation_post"))
    return _recorded_as_unchanged(first, second) if same is None else same


def _recorded_as_unchanged(first: Step, second: Step) -> bool:
    dom = [object_of(step, "env_fingerprint").get("dom_hash") for step in (first, second)]
    return (
        has_failure_class(first, "no_state_change")
        or verdict_blames_no_change(first)
        or (dom[0] is not None and dom[0] == dom[1])
    )


def _unchanged(ctx: BundleContext, step: Step) -> str:
    """Everything that shows it; empty when nothing does."""
    reasons = []
    if has_failure_class(step, "no_state_change"):
        reasons.append("its failure class says so")
    if verdict_blames_no_change(step):
        reasons.append("the verdict calls it recoverable for that reason")
    pictures = (step.get("observation_pre"), step.get("observation_post"))
    if meant_to_change(step) and ctx.pictures.same(*pictures):
        reasons.append("the screenshots before and after it are the same")
    return ", and ".join(reasons)


def _references(step: Step) -> Iterator[str]:
    for name in ("observation_pre", "observation_post"):
        if ref := text_of(step, name):
            yield ref


def _screenshots(ctx: BundleContext, *refs: Any) -> list[DiagnosticEvidence]:
    there = dict.fromkeys(ref for ref in refs if isinstance(ref, str) and ctx.exists(ref))
    return [{"type": "screenshot", "ref": ref} for ref in there]
