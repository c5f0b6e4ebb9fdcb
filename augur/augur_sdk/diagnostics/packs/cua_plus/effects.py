"""What each step did to the screen: where it clicked, and where the pixels changed.

Computed once an evaluation and shared by the rules of the pack; a step keeps a few rectangles,
never a picture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any, Final

from augur_sdk.diagnostics.context import BundleContext
from augur_sdk.diagnostics.pointing import Point, frame_of, target
from augur_sdk.diagnostics.step_facts import is_click, meant_to_change, text_of, verdict_status
from augur_sdk.images.difference import Region

__all__ = ["StepEffect", "effects", "is_restless", "restless_cells"]

Step = dict[str, Any]

_KEPT: Final = 8
"""Changed parts kept a step, the largest first: more of them are a change of the whole page."""

_CELLS: Final = 16
"""The screen is looked at in this many cells a side when asking what changes all the time."""

_RESTLESS_SHARE: Final = 0.6
_RESTLESS_MINIMUM: Final = 6


@dataclass(frozen=True, slots=True)
class StepEffect:
    """One step, and what the screenshots around it show.

    `regions` and `later` are None where there are no pictures to tell; `later` is what changed
    between the picture after this step and the one before the next.
    """

    place: int
    step_index: int | None
    verdict: str
    click: Point | None
    acting: bool
    before: str
    after: str
    size: tuple[int, int]
    regions: tuple[Region, ...] | None
    later: tuple[Region, ...] | None

    @property
    def diagonal(self) -> float:
        """Of the picture, in pixels."""
        return float((self.size[0] ** 2 + self.size[1] ** 2) ** 0.5)

    @property
    def changed_share(self) -> float:
        """How much of the picture the changed parts cover, at most 1."""
        area = sum(region.area for region in self.regions or ())
        return min(1.0, area / max(1, self.size[0] * self.size[1]))


def effects(ctx: BundleContext) -> list[StepEffect]:
    """The effect of each step that has pictures around it, in order."""
    return ctx.memo(effects, lambda: list(_effects(ctx)))


def restless_cells(found: list[StepEffect]) -> set[tuple[int, int]]:
    """Cells of the screen that change at most steps, whatever is done: a clock, a video.

    Empty for a run too short to tell.
    """
    changed = [effect for effect in found if effect.regions]
    if len(changed) < _RESTLESS_MINIMUM:
        return set()
    counts = Counter(chain.from_iterable(_cells_of(effect) for effect in changed))
    return {cell for cell, count in counts.items() if count > _RESTLESS_SHARE * len(changed)}


def is_restless(region: Region, effect: StepEffect, restless: set[tuple[int, int]]) -> bool:
    """Whether a changed part lies wholly where the screen changes all the time."""
    return bool(restless) and all(cell in restless for cell in _cells(region, effect.size))


def _effects(ctx: BundleContext) -> Iterator[StepEffect]:
    nothing: Step = {}
    for place, (step, following) in enumerate(pairwise(chain(ctx.steps, [nothing]))):
        before = text_of(step, "observation_pre")
        own = text_of(step, "observation_post")
        next_before = text_of(following, "observation_pre")
        after = own if ctx.pictures.exists(own) else next_before
        size = ctx.pictures.size(before) if before else None
        if size is None or not after:
            continue
        regions = _kept(ctx.pictures.changes(before, after))
        waits_for_more = regions == () and after == own
        later = _kept(ctx.pictures.changes(own, next_before)) if waits_for_more else None
        yield StepEffect(
            place=place,
            step_index=step.get("step_index"),
            verdict=verdict_status(step),
            click=_click(ctx, step),
            acting=meant_to_change(step),
            before=before,
            after=after,
            size=size,
            regions=regions,
            later=later,
        )


def _click(ctx: BundleContext, step: Step) -> Point | None:
    point = target(step) if is_click(step) else None
    return frame_of(ctx, step).on_picture(point) if point else None


def _kept(regions: list[Region] | None) -> tuple[Region, ...] | None:
    return None if regions is None else tuple(regions[:_KEPT])


def _cells_of(effect: StepEffect) -> set[tuple[int, int]]:
    """The cells that changed and those around them: a text field that fills up wanders."""
    changed = {cell for region in effect.regions or () for cell in _cells(region, effect.size)}
    return {(x + dx, y + dy) for x, y in changed for dx in (-1, 0, 1) for dy in (-1, 0, 1)}


def _cells(region: Region, size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    for row in _span(region.top, region.bottom, size[1]):
        for column in _span(region.left, region.right, size[0]):
            yield column, row


def _span(start: int, end: int, extent: int) -> range:
    return range(start * _CELLS // extent, (max(start, end - 1)) * _CELLS // extent + 1)
