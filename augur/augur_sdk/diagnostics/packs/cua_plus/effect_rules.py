"""Where did the click land, compared with where the pixels changed."""

from __future__ import annotations

from typing import Any, Final

from augur_sdk.diagnostics.context import BundleContext
from augur_sdk.diagnostics.findings import RuleResult
from augur_sdk.diagnostics.packs.cua_plus.coordinates import explained_places
from augur_sdk.diagnostics.packs.cua_plus.effects import (
    StepEffect,
    effects,
    is_restless,
    restless_cells,
)
from augur_sdk.diagnostics.rules import rule
from augur_sdk.images.difference import Region
from augur_sdk.models import DiagnosticEvidence

__all__ = ["effect_elsewhere", "late_effect", "no_effect"]

_FAR_SHARE: Final = 0.08
"""A change is elsewhere when it is farther from the click than this share of the diagonal."""

_FAR_MINIMUM: Final = 24.0
_WHOLE_PAGE: Final = 0.4
"""A change of more than this share of the screen is a new page, wherever the click was."""


@rule("cua_plus.no_effect", severity="medium")
def no_effect(ctx: BundleContext, result: RuleResult) -> None:
    """An action meant to change the screen, and not a pixel changed, not even by the next step."""
    for effect in effects(ctx):
        if effect.acting and effect.regions == () and not effect.later:
            result.emit(
                step_index=effect.step_index,
                summary="not a pixel changed after the action",
                recommendation="Check that the action reached the application: focus, disabled "
                "element, wrong window.",
                evidence=_seen(ctx, effect),
            )


@rule("cua_plus.late_effect", severity="low")
def late_effect(ctx: BundleContext, result: RuleResult) -> None:
    """Nothing had changed in the picture after the action; before the next step it had."""
    for effect in effects(ctx):
        if effect.acting and effect.later:
            result.emit(
                step_index=effect.step_index,
                summary="the effect came after the screenshot that should show it: the screen "
                "changed between this step and the next",
                recommendation="Wait for the screen to settle before taking the screenshot that "
                "the verdict is based on.",
                evidence=_seen(ctx, effect),
            )


@rule("cua_plus.effect_elsewhere", severity="low")
def effect_elsewhere(ctx: BundleContext, result: RuleResult) -> None:
    """A click that was not found good changed the screen, but nowhere near where it landed."""
    found = effects(ctx)
    restless = restless_cells(found)
    explained = explained_places(ctx)
    for effect in found:
        if effect.verdict == "passed" or effect.place in explained:
            continue
        nearest = _nearest_far_change(effect, restless)
        if nearest is not None and effect.click is not None:
            x, y = effect.click
            result.emit(
                step_index=effect.step_index,
                summary=f"the click landed at ({x:.0f}, {y:.0f}) of the screenshot, and the "
                f"nearest change is {nearest.distance(x, y):.0f} px away, around "
                f"({nearest.center[0]:.0f}, {nearest.center[1]:.0f})",
                recommendation="Check whether the click hit what it was meant to hit.",
                evidence=_seen(ctx, effect),
            )


def _nearest_far_change(effect: StepEffect, restless: set[tuple[int, int]]) -> Region | None:
    if effect.click is None or not effect.regions or effect.changed_share > _WHOLE_PAGE:
        return None
    x, y = effect.click
    nearest = min(effect.regions, key=lambda region: region.distance(x, y))
    if nearest.distance(x, y) <= max(_FAR_MINIMUM, _FAR_SHARE * effect.diagonal):
        return None
    telling = [region for region in effect.regions if not is_restless(region, effect, restless)]
    return min(telling, key=lambda region: region.distance(x, y), default=None)


def _seen(ctx: BundleContext, effect: StepEffect) -> list[DiagnosticEvidence]:
    step: dict[str, Any] = ctx.steps[effect.place]
    return [
        ctx.cite_step(step),
        {"type": "screenshot", "ref": effect.before},
        {"type": "screenshot", "ref": effect.after},
    ]
