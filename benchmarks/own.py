"""The rows without a counterpart, each with its unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from statistics import median

from environments import Side

Measured = dict[str, float]
Lines = list[tuple[str, float, str]]


@dataclass
class Line:
    """One number with its unit, or why there is none."""

    label: str
    value: float | None
    unit: str
    missing: str = ""


def alone(sides: dict[str, Side], *, quick: bool, soak: float) -> Iterator[Line]:
    """Measure what only this library does; what does not run yet is said to be not measured."""
    side = replace(sides["ours"], script="own_workloads.py")
    yield from _line(side, "async_calls", _calls, 1 if quick else 3, steps=300 if quick else 2000)
    yield from _flatness(side, [100, 1000] if quick else [100, 1_000, 10_000, 100_000])
    yield from _against_floor(sides, 500 if quick else 2000)
    yield from _line(side, "streaming", _streamed, 1, steps=100 if quick else 1000)
    yield from _line(side, "recovery", _recovered, 1 if quick else 3, steps=200 if quick else 1000)
    yield from _line(side, "pause_to_effect", _paused, 1, times=3 if quick else 20)
    yield from _line(side, "soak", _soaked, 1, seconds=soak)


def _line(
    side: Side, work: str, read: Callable[[Measured], Lines], rounds: int, **arguments: float
) -> Iterator[Line]:
    try:
        results = [side.measure(work, **arguments) for _ in range(rounds)]
    except RuntimeError as error:
        yield Line(work.replace("_", " "), None, "", str(error))
        return
    middle = {key: median(each[key] for each in results) for key in results[0]}
    for label, value, unit in read(middle):
        yield Line(label, value, unit)


def _calls(seen: Measured) -> Lines:
    return [
        ("async record_step, p50", seen["p50"] * 1e6, "us"),
        ("async record_step, p99", seen["p99"] * 1e6, "us"),
        ("a 1 ms timer of the agent's loop is late in a burst, p99", seen["stall_p99"] * 1e3, "ms"),
        ("the same with nothing recorded", seen["idle_p99"] * 1e3, "ms"),
    ]


def _flatness(side: Side, sizes: list[int]) -> Iterator[Line]:
    """CPU and memory per step as a run gets longer, as multiples of the run of 1,000."""
    costs = {}
    for steps in sizes:
        try:
            runs = [side.measure("per_step", steps=steps) for _ in range(3 if steps < 5000 else 1)]
        except RuntimeError as error:
            yield Line(f"cost per step, {steps:,} steps", None, "", str(error))
            continue
        costs[steps] = {key: median(run[key] for run in runs) for key in runs[0]}
    unit = costs.get(1000)
    for steps, cost in costs.items():
        yield Line(f"CPU per step, {steps:,} steps", cost["cpu"] * 1e6, "us")
        if unit:
            yield Line("  of that at 1,000 steps", cost["cpu"] / unit["cpu"], "x")
        yield Line("  in close()", cost["close"] * 1e6, "us")
        yield Line("  memory per step when recorded", cost["memory"], "bytes")


def _against_floor(sides: dict[str, Side], steps: int) -> Iterator[Line]:
    pairs = [
        (sides["ours"].measure("burst", steps=steps), sides["floor"].measure("burst", steps=steps))
        for _ in range(3)
    ]
    for key, label in (("cpu", "CPU"), ("written", "bytes written"), ("size", "bytes kept")):
        ratios = [ours[key] / floor[key] for ours, floor in pairs if floor[key]]
        yield Line(f"{label} against the floor", median(ratios) if ratios else None, "x")


def _streamed(seen: Measured) -> Lines:
    return [
        ("streaming over loopback", seen["rate"], "requests/s"),
        ("CPU per request, recording included", seen["cpu_per_request"] * 1e6, "us"),
    ]


def _recovered(seen: Measured) -> Lines:
    return [
        ("recovery per 1,000 steps", seen["recover"] * 1e3, "ms"),
        ("  CPU", seen["recover_cpu"] * 1e3, "ms"),
        ("diagnose per 1,000 steps", seen["diagnose"] * 1e3, "ms"),
        ("  CPU", seen["diagnose_cpu"] * 1e3, "ms"),
    ]


def _paused(seen: Measured) -> Lines:
    return [
        ("pause on the server to on_pause, p50", seen["p50"] * 1e3, "ms"),
        ("the same, worst", seen["max"] * 1e3, "ms"),
    ]


def _soaked(seen: Measured) -> Lines:
    return [
        ("soak: steps", seen["steps"], ""),
        ("soak: memory growth per step, last third", seen["memory_per_step"], "bytes"),
        ("soak: threads, last third against the middle", seen["threads"], ""),
        ("soak: descriptors, last third against the middle", seen["descriptors"], ""),
        ("soak: peak memory", seen["peak"] / 2**20, "MiB"),
    ]
