"""Fitting one scale or one offset to where clicks were aimed and where the screen changed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from augur_sdk.images.difference import Region

__all__ = ["Sample", "Transform", "fit_transform"]

Point = tuple[float, float]

_MINIMUM: Final = 4
"""Fewer clicks fit something by chance."""

_EXPLAINED: Final = 0.7
"""A transform has to explain this share of the clicks."""

_AS_AIMED: Final = 0.35
"""Where more than this share of the clicks changed what they were aimed at, the run is healthy."""

_SCALES: Final = (0.2, 5.0)
_SCALE_STEP: Final = 0.04
"""A scale nearer to 1 than this moves a click less than targets are wide."""

_TOLERANCE: Final = 0.01
_SPREAD: Final = 0.1
"""Clicks closer together than this share of the diagonal cannot tell a scale from an offset."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A click and what changed after it, in pixels of the screenshot."""

    place: int
    point: Point
    regions: Sequence[Region]


@dataclass(frozen=True, slots=True)
class Transform:
    """Clicks land at `scale * point + offset`; one of the two is the identity."""

    scale: float = 1.0
    offset: Point = (0.0, 0.0)
    explained: tuple[int, ...] = ()
    """The places of the samples that it explains."""

    def apply(self, point: Point) -> Point:
        """Where a click lands that was aimed at `point`."""
        return self.scale * point[0] + self.offset[0], self.scale * point[1] + self.offset[1]


def fit_transform(samples: Sequence[Sample], diagonal: float) -> Transform | None:
    """Find the one scale or offset that explains where the clicks of a run took effect.

    Args:
        samples: The clicks, at most a few dozen: the cost grows with the square.
        diagonal: Of the screenshots, in pixels.

    Returns:
        The transform that explains most, or None: too few clicks, a healthy run, or none that
        explains enough of them.
    """
    reach = max(4.0, _TOLERANCE * diagonal)
    if len(samples) < _MINIMUM:
        return None
    if len(_explained(Transform(), samples, reach)) > _AS_AIMED * len(samples):
        return None
    candidates = [*_best(_scales(samples), samples, reach, _refined_scale)]
    candidates += _best(_offsets(samples), samples, reach, _refined_offset)
    fits = [fit for fit in candidates if _convincing(fit, samples, diagonal)]
    return max(fits, key=lambda fit: (len(fit.explained), -_residual(fit, samples)), default=None)


def _scales(samples: Sequence[Sample]) -> Iterator[Transform]:
    for sample in samples:
        for region in sample.regions:
            scale = _ratio([(sample.point, region.center)])
            if _SCALES[0] <= scale <= _SCALES[1]:
                yield Transform(scale=scale)


def _offsets(samples: Sequence[Sample]) -> Iterator[Transform]:
    for sample in samples:
        for region in sample.regions:
            yield Transform(offset=_minus(region.center, sample.point))


def _best(
    candidates: Iterator[Transform],
    samples: Sequence[Sample],
    reach: float,
    refine: Callable[[list[tuple[Point, Point]]], Transform],
) -> Iterator[Transform]:
    """The candidate that explains most samples, before and after fitting it to all of those."""
    rated = [(len(_explained(fit, samples, reach)), at, fit) for at, fit in enumerate(candidates)]
    if not rated:
        return
    rough = max(rated, key=lambda item: (item[0], -item[1]))[2]
    pairs = _pairs(rough, samples, reach)
    for fit in (refine(pairs), rough):
        yield Transform(fit.scale, fit.offset, _explained(fit, samples, reach))


def _refined_scale(pairs: list[tuple[Point, Point]]) -> Transform:
    return Transform(scale=_ratio(pairs))


def _refined_offset(pairs: list[tuple[Point, Point]]) -> Transform:
    moves = [_minus(center, point) for point, center in pairs]
    return Transform(offset=(_median([m[0] for m in moves]), _median([m[1] for m in moves])))


def _convincing(fit: Transform, samples: Sequence[Sample], diagonal: float) -> bool:
    aimed = [sample.point for sample in samples if sample.place in fit.explained]
    if len(aimed) < max(_MINIMUM, _EXPLAINED * len(samples)):
        return False
    spread = max(max(axis) - min(axis) for axis in zip(*aimed, strict=True))
    if fit.scale == 1.0:
        return abs(complex(*fit.offset)) > 2 * _TOLERANCE * diagonal
    return abs(fit.scale - 1) >= _SCALE_STEP and spread >= _SPREAD * diagonal


def _explained(fit: Transform, samples: Sequence[Sample], reach: float) -> tuple[int, ...]:
    return tuple(
        s.place for s in samples if _nearest(fit, s).distance(*fit.apply(s.point)) <= reach
    )


def _pairs(fit: Transform, samples: Sequence[Sample], reach: float) -> list[tuple[Point, Point]]:
    explained = set(_explained(fit, samples, reach))
    return [(s.point, _nearest(fit, s).center) for s in samples if s.place in explained]


def _residual(fit: Transform, samples: Sequence[Sample]) -> float:
    """How far explained clicks land from the middle of what changed, on the whole."""
    return sum(
        abs(complex(*_minus(_nearest(fit, sample).center, fit.apply(sample.point))))
        for sample in samples
        if sample.place in fit.explained
    )


def _nearest(fit: Transform, sample: Sample) -> Region:
    x, y = fit.apply(sample.point)
    return min(sample.regions, key=lambda region: region.distance(x, y))


def _ratio(pairs: list[tuple[Point, Point]]) -> float:
    """The scale that takes the first points of the pairs to the second ones, by least squares."""
    own = sum(p[0] ** 2 + p[1] ** 2 for p, _ in pairs)
    return sum(p[0] * c[0] + p[1] * c[1] for p, c in pairs) / own if own else 1.0


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _minus(a: Point, b: Point) -> Point:
    return a[0] - b[0], a[1] - b[1]
