"""What of a step counts when two runs are compared, and how alike two steps are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from augur_sdk.diagnostics.context import BundleContext
from augur_sdk.diagnostics.pointing import Point, frame_of, target
from augur_sdk.diagnostics.step_facts import (
    action_type,
    failure_class,
    object_of,
    text_of,
    verdict_status,
)
from augur_sdk.images.loops import action_signature, hash_distance

__all__ = [
    "SAME_SCREEN",
    "StepProfile",
    "alike",
    "profiles",
    "same_action",
    "same_outcome",
    "screen_distance",
]

Step = dict[str, Any]

_NEAR_POINT: Final = 0.02
"""Two clicks are at the same place within this share of the screen."""

SAME_SCREEN: Final = 6
"""Perceptual hashes that differ in at most this many of 64 bits show the same screen."""

_OTHER_SCREEN: Final = 16
_NOT_A_WORD: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class StepProfile:
    """One step, reduced to what can be compared; `point` is a share of the screen, 0..1."""

    kind: str
    label: str
    signature: str
    point: Point | None
    picture: str
    outcome: str


def profiles(ctx: BundleContext) -> Iterator[StepProfile]:
    """The profile of each canonical step, in order."""
    for step in ctx.steps:
        ref = text_of(step, "observation_pre")
        yield StepProfile(
            kind=action_type(step),
            label=_NOT_A_WORD.sub(
                "", text_of(object_of(step, "grounding"), "target_label").lower()
            ),
            signature=action_signature(object_of(step, "action")),
            point=_share(ctx, step),
            picture=(ctx.pictures.phash_64(ref) or "") if ref else "",
            outcome=failure_class(step) or verdict_status(step) or text_of(step, "status"),
        )


def alike(a: StepProfile, b: StepProfile) -> float:
    """Score how well two steps fit: action first, then target, then what was on the screen."""
    score = 3.0 if a.kind == b.kind else -2.0
    if a.label and b.label:
        score += 2.0 if a.label == b.label else -1.0
    score += 1.0 if a.signature == b.signature or _near(a.point, b.point) else -0.5
    distance = screen_distance(a, b)
    if distance is not None:
        score += 2.0 if distance <= SAME_SCREEN else -1.0 if distance > _OTHER_SCREEN else 0.0
    return score


def same_action(a: StepProfile, b: StepProfile) -> bool:
    """Whether the two steps did the same: the kind of action and its target.

    A common label decides where both name one; otherwise the place does, or the parameters.
    """
    if a.kind != b.kind:
        return False
    if a.label and b.label:
        return a.label == b.label
    if a.point and b.point:
        return _near(a.point, b.point)
    return a.signature == b.signature


def same_outcome(a: StepProfile, b: StepProfile) -> bool:
    """Whether the two steps ended the same way."""
    return a.outcome == b.outcome


def screen_distance(a: StepProfile, b: StepProfile) -> int | None:
    """Bits in which the two screens' perceptual hashes differ; None without both pictures."""
    if not (a.picture and b.picture):
        return None
    try:
        return hash_distance(a.picture, b.picture)
    except ValueError:
        return None


def _near(a: Point | None, b: Point | None) -> bool:
    return (
        a is not None and b is not None and max(abs(a[0] - b[0]), abs(a[1] - b[1])) <= _NEAR_POINT
    )


def _share(ctx: BundleContext, step: Step) -> Point | None:
    point = target(step)
    if point is None:
        return None
    frame = frame_of(ctx, step)
    if frame.extent is None or not all(frame.extent):
        return None
    return point[0] / frame.extent[0], point[1] / frame.extent[1]
