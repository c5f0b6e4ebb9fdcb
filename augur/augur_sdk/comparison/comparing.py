"""Aligning two bundles and finding where they part."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from augur_sdk.comparison.alignment import Pair, align
from augur_sdk.comparison.finding_changes import finding_changes
from augur_sdk.comparison.result import (
    AlignedStep,
    BundleComparison,
    Difference,
    Divergence,
    RunSide,
)
from augur_sdk.comparison.step_profile import (
    SAME_SCREEN,
    StepProfile,
    alike,
    profiles,
    same_action,
    same_outcome,
    screen_distance,
)
from augur_sdk.diagnostics.context import BundleContext
from augur_sdk.diagnostics.engine import diagnose
from augur_sdk.diagnostics.pointing import target
from augur_sdk.diagnostics.step_facts import action_type, object_of, text_of
from augur_sdk.fingerprint import cua_v1, cua_v2, similarity

__all__ = ["compare_bundles"]

Step = dict[str, Any]

_SHOWN: Final = 60


def compare_bundles(
    a: Path | str, b: Path | str, *, packs: Sequence[str] = ("cua",)
) -> BundleComparison:
    """Compare two runs: align their steps by action, target and picture, and find where they part.

    Args:
        a: The bundle to compare with, such as the run before a change: a folder or a URI.
        b: The bundle to judge, likewise.
        packs: The rule packs whose findings are compared; both bundles are diagnosed anew, so that
            findings of different versions of a rule are never compared.

    Raises:
        BundleReadError: One of them is no folder, or holds records that are not JSON.
        ValueError: A pack is not installed.
    """
    left, right = BundleContext(a), BundleContext(b)
    before, after = list(profiles(left)), list(profiles(right))
    pairs = align(before, after, alike)
    sides = _Sides(left, right, before, after)
    rows = [sides.row(pair) for pair in pairs]
    return BundleComparison(
        a=_side(left),
        b=_side(right),
        rows=rows,
        divergence=sides.divergence(pairs, rows),
        similarity=similarity(cua_v2(left.steps), cua_v2(right.steps)),
        findings=finding_changes(diagnose(a, packs), diagnose(b, packs), rows),
    )


class _Sides:
    """Both runs, by their places in the alignment."""

    def __init__(
        self,
        left: BundleContext,
        right: BundleContext,
        before: Sequence[StepProfile],
        after: Sequence[StepProfile],
    ) -> None:
        self._contexts = (left, right)
        self._profiles = (before, after)

    def row(self, pair: Pair) -> AlignedStep:
        steps = (self._step(0, pair[0]), self._step(1, pair[1]))
        outcomes = [
            profiles[place].outcome if place is not None else ""
            for profiles, place in zip(self._profiles, pair, strict=True)
        ]
        return AlignedStep(
            a=_index(steps[0], pair[0]),
            b=_index(steps[1], pair[1]),
            difference=self._difference(pair),
            action_a=_described(steps[0]),
            action_b=_described(steps[1]),
            outcome_a=outcomes[0],
            outcome_b=outcomes[1],
            screen_distance=self._distance(pair),
        )

    def divergence(self, pairs: Sequence[Pair], rows: Sequence[AlignedStep]) -> Divergence | None:
        for number, (pair, row) in enumerate(zip(pairs, rows, strict=True)):
            if row.difference != "same":
                return Divergence(
                    row=number,
                    step=row,
                    summary=_summary(row),
                    screenshots_a=self._screenshots(0, pair[0]),
                    screenshots_b=self._screenshots(1, pair[1]),
                    point_a=self._point(0, pair[0]),
                    point_b=self._point(1, pair[1]),
                )
        return None

    def _difference(self, pair: Pair) -> Difference:
        if pair[0] is None:
            return "only_b"
        if pair[1] is None:
            return "only_a"
        a, b = self._profiles[0][pair[0]], self._profiles[1][pair[1]]
        if not same_action(a, b):
            return "action"
        return "same" if same_outcome(a, b) else "outcome"

    def _distance(self, pair: Pair) -> int | None:
        if pair[0] is None or pair[1] is None:
            return None
        return screen_distance(self._profiles[0][pair[0]], self._profiles[1][pair[1]])

    def _step(self, side: int, place: int | None) -> Step:
        return {} if place is None else self._contexts[side].steps[place]

    def _point(self, side: int, place: int | None) -> tuple[float, float] | None:
        return None if place is None else self._profiles[side][place].point

    def _screenshots(self, side: int, place: int | None) -> dict[str, str]:
        step = self._step(side, place)
        refs = {kind: text_of(step, f"observation_{kind}") for kind in ("pre", "post")}
        pictures = self._contexts[side].pictures
        return {kind: ref for kind, ref in refs.items() if pictures.exists(ref)}


def _index(step: Step, place: int | None) -> int | None:
    index = step.get("step_index")
    return index if isinstance(index, int) else place


def _side(ctx: BundleContext) -> RunSide:
    client = object_of(ctx.session, "client") or object_of(ctx.manifest, "client")
    version = text_of(client, "version")
    return RunSide(
        bundle_dir=ctx.bundle_dir,
        run_id=text_of(ctx.session, "run_id") or text_of(ctx.manifest, "run_id"),
        client=f"{text_of(client, 'name')} {version}".strip(),
        status=text_of(ctx.session, "status"),
        steps=len(ctx.steps),
        fingerprint=cua_v1(ctx.steps),
        name=ctx.name,
        keeps=ctx,
    )


def _described(step: Step) -> str:
    """The action in a few words: its type, its target, and where it went."""
    if not step:
        return ""
    params = object_of(object_of(step, "action"), "params")
    label = text_of(object_of(step, "grounding"), "target_label")
    typed = next((text_of(params, key) for key in ("text", "key", "url") if params.get(key)), "")
    point = target(step)
    parts = [action_type(step) or "no action"]
    parts += [f'"{_short(text)}"' for text in (label, typed) if text]
    parts += [f"({point[0]:g}, {point[1]:g})"] if point else []
    return " ".join(parts)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _summary(row: AlignedStep) -> str:
    if row.difference == "only_a":
        return f"step {row.a} of A has no counterpart in B: {row.action_a}"
    if row.difference == "only_b":
        return f"step {row.b} of B has no counterpart in A: {row.action_b}"
    if row.difference == "outcome":
        return (
            f"{row.action_a} ended otherwise: {row.outcome_a or 'nothing said'} in A, "
            f"{row.outcome_b or 'nothing said'} in B"
        )
    return f"{_screen(row)}A did {row.action_a}, B did {row.action_b}"


def _screen(row: AlignedStep) -> str:
    if row.screen_distance is None:
        return ""
    return "on the same screen " if row.screen_distance <= SAME_SCREEN else "on different screens "
