"""The table: what is measured against the published package, and the goal of each row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from environments import CACHE, Side
from server import running, seen

LATENCY = 0.1
TIMES = 3
"""Rounds of work that takes seconds; short work gets more, because the machine is shared."""


@dataclass(frozen=True)
class Metric:
    """One number of a work, with the goal for ours / published."""

    label: str
    key: str
    goal: float


@dataclass
class Work:
    """Work that each side does in turn, round after round, and what is read off it."""

    name: str
    metrics: list[Metric]
    rounds: int = TIMES
    arguments: dict[str, Any] = field(default_factory=dict)
    quick: dict[str, Any] = field(default_factory=dict)
    floor: bool = True
    arrived: Callable[[], float] | None = None
    """Requests that the server has seen, for work that means nothing unless something is sent."""

    def done_by(self, side: Side) -> dict[str, float]:
        """Have one side do it.

        Raises:
            RuntimeError: It failed, or sent nothing where it should.
        """
        before = self.arrived() if self.arrived else 0
        measured = side.measure(self.name, **self.arguments)
        if self.arrived and side.name != "floor" and self.arrived() == before:
            raise RuntimeError("nothing was sent to the server")
        return measured


@dataclass
class Row:
    """A metric as measured: medians of each side, and the median of the rounds' ratios.

    `missing` says why a side has no number.
    """

    label: str
    goal: float
    medians: dict[str, float]
    ratio: float | None
    against_floor: float | None
    spread: tuple[float, float] | None
    missing: str = ""

    @property
    def met(self) -> bool:
        """Whether the goal is reached; a side that was not measured meets nothing."""
        return self.ratio is not None and self.ratio <= self.goal


def works() -> list[Work]:
    """The works of the table, in its order."""
    return [
        Work("cold_import", [Metric("from augur_sdk import DebugSession", "cpu", 0.8)], rounds=7),
        Work(
            "import_to_step",
            [
                Metric("import to the first recorded step, CPU", "cpu", 1.0),
                Metric("import to the first recorded step, wall", "wall", 1.0),
            ],
            rounds=7,
        ),
        Work(
            "burst",
            [
                Metric("record_step + record_event, p50", "p50", 0.5),
                Metric("record_step + record_event, p99", "p99", 0.6),
                Metric("2,000 steps to the end of close(), wall", "wall", 0.4),
                Metric("2,000 steps to the end of close(), CPU", "cpu", 0.25),
            ],
            arguments={"steps": 2000},
            quick={"steps": 500},
        ),
        Work(
            "paced_pictures",
            [Metric("150 steps, two 300 KB pictures, 20 ms: close()", "close", 0.05)],
            arguments={"steps": 150},
            quick={"steps": 40},
            floor=False,
        ),
        Work(
            "paced_pictures_unhashed",
            [Metric("  the same without perceptual hashes", "close", 0.05)],
            arguments={"steps": 150},
            quick={"steps": 40},
            floor=False,
        ),
        Work(
            "fast_pictures",
            [Metric("300 such steps at full speed, wall", "wall", 0.6)],
            arguments={"steps": 300},
            quick={"steps": 40},
        ),
        Work(
            "fast_pictures_unhashed",
            [Metric("  the same without perceptual hashes, wall", "wall", 0.6)],
            arguments={"steps": 300},
            quick={"steps": 40},
        ),
        Work(
            "picture_memory",
            [Metric("300 such steps at full speed, memory growth", "growth", 0.35)],
            arguments={"steps": 300},
            quick={"steps": 40},
            floor=False,
        ),
        Work(
            "slow_server",
            [
                Metric("300 steps, server with 100 ms: call p50", "p50", 0.1),
                Metric("300 steps, server with 100 ms: threads", "threads", 0.05),
            ],
            arguments={"steps": 300},
            quick={"steps": 60},
        ),
        Work("validate", [Metric("validate_bundle, 1,000 steps", "wall", 0.1)], rounds=5),
        Work(
            "redaction",
            [
                Metric("redaction of a step", "step", 0.2),
                Metric("redaction of 10 KB of prose", "prose", 0.1),
                Metric("redaction of 20 KB without spaces", "solid", 0.001),
            ],
        ),
    ]


def compare(sides: dict[str, Side], *, quick: bool, only: str = "") -> Iterator[Row]:
    """Measure work by work; within one, the sides take turns in each round."""
    with ExitStack() as stack:
        for work in works():
            if only and only not in work.name:
                continue
            _set_up(work, sides, stack, quick=quick)
            yield from _rows(work, *_rounds(work, sides))


def _set_up(work: Work, sides: dict[str, Side], stack: ExitStack, *, quick: bool) -> None:
    if quick:
        work.arguments |= work.quick
        work.rounds = 1
    if work.name == "slow_server":
        server = running(sides["ours"].python, LATENCY)
        work.arguments["dsn"], process = stack.enter_context(server)
        work.arrived = lambda: seen(process)["requests"]
    if work.name == "validate":
        work.arguments["path"] = _bundle(sides, 200 if quick else 1000)


def _bundle(sides: dict[str, Side], steps: int) -> str:
    """One bundle for all: written by the published package, so that nobody reads only its own."""
    where = CACHE / f"bundle-{steps}"
    if not (where / "manifest.json").exists():
        sides["published"].measure("bundle", steps=steps, out=str(where))
    return str(where)


Measurements = dict[str, list[dict[str, float]]]


def _rounds(work: Work, sides: dict[str, Side]) -> tuple[Measurements, dict[str, str]]:
    taking = [side for side in sides.values() if work.floor or side.name != "floor"]
    if "import" in work.name:
        for side in taking:
            side.measure(work.name)  # the first one reads the files from disk
    measured: Measurements = {side.name: [] for side in taking}
    missing: dict[str, str] = {}
    for number in range(work.rounds):
        for side in taking[:: -1 if number % 2 else 1]:
            if side.name in missing:
                continue
            try:
                measured[side.name].append(work.done_by(side))
            except RuntimeError as error:
                missing[side.name] = str(error)
    return measured, missing


def _rows(work: Work, measured: Measurements, missing: dict[str, str]) -> Iterator[Row]:
    for metric in work.metrics:
        values = {
            side: [each[metric.key] for each in results if metric.key in each]
            for side, results in measured.items()
            if side not in missing
        }
        ratios = _ratios(values.get("ours"), values.get("published"))
        floors = _ratios(values.get("ours"), values.get("floor"))
        yield Row(
            label=metric.label,
            goal=metric.goal,
            medians={side: median(each) for side, each in values.items() if each},
            ratio=median(ratios) if ratios else None,
            against_floor=median(floors) if floors else None,
            spread=(min(ratios), max(ratios)) if ratios else None,
            missing="; ".join(f"{side}: {why}" for side, why in missing.items()),
        )


def _ratios(ours: list[float] | None, other: list[float] | None) -> list[float]:
    return [a / b for a, b in zip(ours or [], other or [], strict=False) if b]
