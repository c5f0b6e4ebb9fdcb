"""Rules about how a step ended, and who says so."""

from __future__ import annotations

from typing import Any, Final

from augur_sdk.bundle import layout
from augur_sdk.diagnostics.context import BundleContext
from augur_sdk.diagnostics.findings import RuleResult
from augur_sdk.diagnostics.rules import rule
from augur_sdk.diagnostics.step_facts import (
    any_failure_class,
    failed,
    failure_class,
    has_failure_class,
    object_of,
    text_of,
    troubled,
    verdict_status,
)

__all__ = [
    "dispatch_ok_state_fail",
    "high_cost_infra_failure",
    "replay_diff",
    "uncategorized_failure",
    "verifier_disagrees",
]

Step = dict[str, Any]

_INFRA: Final = frozenset({"infra_failure", "model_timeout"})
_EARLY: Final = 3
"""An infra failure within this many first steps costs a whole run's set-up for nothing."""


@rule("cua.verifier_disagrees", severity="high")
def verifier_disagrees(ctx: BundleContext, result: RuleResult) -> None:
    """The verdict failed, or the class says so, and a verifier event exists for the step."""
    for step in ctx.steps:
        if verdict_status(step) == "failed" or has_failure_class(step, "verifier_disagrees"):
            event = _verifier_event(ctx, step)
            if event is not None:
                result.emit(
                    step_index=step.get("step_index"),
                    summary=f"the verifier did not accept the step: {_said(step, event)}",
                    recommendation="Compare what the verifier saw with what the agent expected "
                    "before trusting either.",
                    evidence=[
                        {"type": "event", "ref": layout.events_path(step.get("step_index"))},
                        ctx.cite_step(step),
                    ],
                )


@rule("cua.dispatch_ok_state_fail", severity="high")
def dispatch_ok_state_fail(ctx: BundleContext, result: RuleResult) -> None:
    """The failure class says that the dispatch went well and the state did not follow."""
    for step in ctx.steps:
        if has_failure_class(step, "dispatch_ok_state_fail"):
            result.emit(
                step_index=step.get("step_index"),
                summary="the action was dispatched, and the state that it should have led to did "
                "not come about",
                recommendation="Look at the screenshot after the step: the action may have hit "
                "another element, or the application may have refused it.",
                evidence=[ctx.cite_step(step), *_after(ctx, step)],
            )


@rule("cua.replay_diff", severity="medium")
def replay_diff(ctx: BundleContext, result: RuleResult) -> None:
    """A replay fixture exists for a step that failed or was recoverable."""
    for step in ctx.steps:
        index = step.get("step_index")
        if troubled(step) and isinstance(index, int):
            fixture = layout.fixture_path(index)
            if ctx.exists(fixture):
                result.emit(
                    step_index=index,
                    summary="a replay fixture exists for this step: the decision can be repeated "
                    "and compared without the environment",
                    recommendation="Replay the fixture against the changed agent to see whether "
                    "it decides otherwise.",
                    evidence=[{"type": "trace", "ref": fixture}, ctx.cite_step(step)],
                )


@rule("cua.high_cost_infra_failure", severity="high")
def high_cost_infra_failure(ctx: BundleContext, result: RuleResult) -> None:
    """An infra failure class within the first three steps."""
    for step in ctx.steps[:_EARLY]:
        if _is_infra(step):
            result.emit(
                step_index=step.get("step_index"),
                summary=f"the run met an infra failure at its start: {failure_class(step)}",
                recommendation="Probe the environment and the model endpoint before the run; "
                "retry the run instead of counting it against the agent.",
                evidence=[ctx.cite_step(step)],
            )


@rule("cua.uncategorized_failure", severity="low")
def uncategorized_failure(ctx: BundleContext, result: RuleResult) -> None:
    """A failed step with no failure class, or `unknown`."""
    for step in ctx.steps:
        if failed(step) and failure_class(step) in {"", "unknown"}:
            result.emit(
                step_index=step.get("step_index"),
                summary="the step failed and nothing says in which way",
                recommendation="Set failure_class where the failure is noticed, so that like "
                "failures can be counted together.",
                evidence=[ctx.cite_step(step)],
            )


def _verifier_event(ctx: BundleContext, step: Step) -> dict[str, Any] | None:
    index = step.get("step_index")
    events = ctx.events_for_step(index) if isinstance(index, int) else []
    return next((event for event in events if event.get("layer") == "verifier"), None)


def _said(step: Step, event: dict[str, Any]) -> str:
    reason = text_of(object_of(step, "verdict"), "reason") or text_of(event, "summary")
    return reason[:200] or "no reason given"


def _is_infra(step: Step) -> bool:
    last = failure_class(step).rpartition(".")[2]
    return any_failure_class(step, _INFRA) or last.startswith("infra")


def _after(ctx: BundleContext, step: Step) -> list[Any]:
    ref = text_of(step, "observation_post")
    return [{"type": "screenshot", "ref": ref}] if ref and ctx.exists(ref) else []
