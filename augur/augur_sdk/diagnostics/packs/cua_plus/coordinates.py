"""The coordinate doctor: one wrong scale or offset explains a whole run of misplaced clicks."""

from __future__ import annotations

from typing import Final

from augur_sdk.diagnostics.context import BundleContext
from augur_sdk.diagnostics.findings import RuleResult
from augur_sdk.diagnostics.packs.cua_plus.effects import StepEffect, effects
from augur_sdk.diagnostics.packs.cua_plus.transform_fit import Sample, Transform, fit_transform
from augur_sdk.diagnostics.rules import rule
from augur_sdk.models import DiagnosticEvidence

__all__ = ["coordinate_transform", "explained_places"]

_SMALL: Final = 0.05
"""A change of more than this share of the screen does not tell where the click was."""

_TELLING: Final = 4
"""A step that changed more parts than this does not either."""

_SAMPLES: Final = 48
"""Clicks taken into the fit, spread over the run."""

_CITED: Final = 3


@rule("cua_plus.coordinate_transform", severity="high")
def coordinate_transform(ctx: BundleContext, result: RuleResult) -> None:
    """All clicks land at one multiple of, or one distance from, where they were aimed."""
    found = _diagnosis(ctx)
    if found is None:
        return
    fit, samples = found
    result.emit(
        summary=f"{_described(fit)} ({len(fit.explained)} of {len(samples)} clicks with a local "
        "effect, measured in pixels of the screenshot)",
        recommendation=_advice(fit),
        evidence=_evidence(ctx, fit),
    )


def explained_places(ctx: BundleContext) -> frozenset[int]:
    """The places in the run of the clicks that one wrong transform explains."""
    found = _diagnosis(ctx)
    return frozenset(found[0].explained) if found else frozenset()


def _diagnosis(ctx: BundleContext) -> tuple[Transform, list[Sample]] | None:
    return ctx.memo(_diagnosis, lambda: _fitted(effects(ctx)))


def _fitted(found: list[StepEffect]) -> tuple[Transform, list[Sample]] | None:
    samples = [sample for effect in found if (sample := _sample(effect))]
    if not samples:
        return None
    chosen = samples[:: -(-len(samples) // _SAMPLES)]
    fit = fit_transform(chosen, max(effect.diagonal for effect in found))
    return (fit, chosen) if fit else None


def _sample(effect: StepEffect) -> Sample | None:
    if effect.click is None or not effect.regions or len(effect.regions) > _TELLING:
        return None
    small = _SMALL * effect.size[0] * effect.size[1]
    local = [region for region in effect.regions if region.area <= small]
    return Sample(effect.place, effect.click, local) if local else None


def _described(fit: Transform) -> str:
    if fit.scale != 1.0:
        return (
            f"all clicks land at {fit.scale:.2f}x of where they were aimed (the inverse is "
            f"{1 / fit.scale:.2f}), as with a device scale factor or a resized screenshot"
        )
    return (
        f"all clicks land {_pixels(fit.offset)} from where they were aimed, as with a window's "
        "title bar or a scroll offset left out"
    )


def _advice(fit: Transform) -> str:
    if fit.scale != 1.0:
        return (
            f"Multiply coordinates by {1 / fit.scale:.2f} before dispatch, or make screenshot, "
            "coordinate_space and device_scale_factor agree."
        )
    back = (-fit.offset[0], -fit.offset[1])
    return (
        f"Add {_pixels(back)} before dispatch, or take screenshot and coordinates from the same "
        "origin."
    )


def _pixels(move: tuple[float, float]) -> str:
    return f"({round(move[0]):+d}, {round(move[1]):+d}) px"


def _evidence(ctx: BundleContext, fit: Transform) -> list[DiagnosticEvidence]:
    cited = set(fit.explained[:_CITED])
    steps = [ctx.cite_step(ctx.steps[place]) for place in sorted(cited)]
    pictures: list[DiagnosticEvidence] = [
        {"type": "screenshot", "ref": effect.after}
        for effect in effects(ctx)
        if effect.place in cited
    ]
    return steps + pictures
