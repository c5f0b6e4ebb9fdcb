"""Runs that go round in circles, and failures that come back unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from augur_sdk.diagnostics.context import BundleContext
from augur_sdk.diagnostics.findings import RuleResult
from augur_sdk.diagnostics.rules import rule
from augur_sdk.diagnostics.step_facts import failed, failure_class, object_of, text_of
from augur_sdk.images.loops import LoopDetector, action_signature

__all__ = ["loop", "repeated_failure"]

Step = dict[str, Any]

_LONGEST: Final = 256
_SAME_FAILURES: Final = 3
_CITED: Final = 6


@rule("cua_plus.loop", severity="high")
def loop(ctx: BundleContext, result: RuleResult) -> None:
    """The same actions on the same screens came at least three times in a row."""
    for period, last, flagged in _loops(ctx):
        steps = [ctx.steps[place] for place in range(last - period + 1, last + 1)][:_CITED]
        first = last - flagged + 2 - 3 * period  # the third round's last step is flagged first
        result.emit(
            step_index=ctx.steps[last].get("step_index"),
            summary=f"the run goes round in circles: {_steps(period)} repeated "
            f"{(last - first + 1) // period} times from step "
            f"{ctx.steps[first].get('step_index')} on, on unchanged screens",
            recommendation="Stop or replan when a loop is detected (auto_detect_loops=True "
            "notices it while the run goes on).",
            evidence=[ctx.cite_step(step) for step in steps],
        )


@rule("cua_plus.repeated_failure", severity="medium")
def repeated_failure(ctx: BundleContext, result: RuleResult) -> None:
    """The same action failed in the same way at least three steps in a row."""
    for (kind, _), group in groupby(ctx.steps, key=_failure):
        steps = [(step.get("step_index"), ctx.cite_step(step)) for step in group if kind]
        if len(steps) >= _SAME_FAILURES:
            result.emit(
                step_index=steps[-1][0],
                summary=f"the same action failed in the same way {len(steps)} times in a row: "
                f"{kind}",
                recommendation="Change something between attempts: another grounding, another "
                "action, or hand over.",
                evidence=[cited for _, cited in steps[:_CITED]],
            )


def _loops(ctx: BundleContext) -> Iterator[tuple[int, int, int]]:
    """Each loop as (period, place of its last step, number of steps flagged)."""
    detector = LoopDetector(max_period=_LONGEST)
    period, flagged, place = 0, 0, -1
    for place, step in enumerate(ctx.steps):
        looping = detector.feed(place, step.get("action"), _screen(ctx, step))
        if not looping and flagged:
            yield period, place - 1, flagged
        flagged = flagged + 1 if looping else 0
        period = min(period or _LONGEST, detector.period or _LONGEST) if looping else 0
    if flagged:
        yield period, place, flagged


def _screen(ctx: BundleContext, step: Step) -> str | None:
    ref = text_of(step, "observation_pre")
    return (ctx.pictures.phash_64(ref) or ctx.pictures.sha256(ref)) if ref else None


def _failure(step: Step) -> tuple[str, str]:
    """What failed and how; ("", "") for a step that did not fail."""
    if not failed(step):
        return "", ""
    kind = failure_class(step) or text_of(object_of(step, "verdict"), "reason") or "no reason given"
    return kind[:200], action_signature(object_of(step, "action"))


def _steps(period: int) -> str:
    return "one step" if period == 1 else f"a sequence of {period} steps"
