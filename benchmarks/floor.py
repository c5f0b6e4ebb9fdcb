"""The floor of the machine: the same bytes through bare orjson, `write` and `rename`.

The works have the names and the measurements of `workloads.py`, as far as a floor makes sense.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import orjson
import samples
import workloads
from workloads import Measured, clock, folder, pair, spread

PRETTY = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
RUNTIME = ("pydantic", "anyio", "orjson")
"""What the package cannot do without: its import costs at least theirs."""


def stored(path: Path, data: bytes) -> None:
    """One file, complete or not there."""
    part = path.with_suffix(".part")
    part.write_bytes(data)
    part.rename(path)


def _runtime() -> object:
    return [__import__(name) for name in RUNTIME]


def cold_import() -> Measured:
    return workloads.cold_import(_runtime)


def import_to_step() -> Measured:
    """The same imports, and the step in a file."""
    with folder() as out:
        start = clock()
        _runtime()
        stored(out / "0000.json", orjson.dumps(samples.step(0), option=PRETTY))
        return workloads.since(start)


def burst(steps: int) -> Measured:
    """Each record encoded; a file a step, a file of events a step, and all steps in one file."""
    records = [(samples.step(n), samples.event(n)) for n in range(steps)]
    times = []
    with folder(many=True) as out:
        (out / "steps").mkdir()
        (out / "events").mkdir()
        before, start = workloads.written(), clock()
        for step, event in records:
            began = time.perf_counter()
            orjson.dumps(step)
            orjson.dumps(event)
            times.append(time.perf_counter() - began)
        for number, (step, event) in enumerate(records):
            stored(out / f"steps/{number:04d}.json", orjson.dumps(step, option=PRETTY))
            line = orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)
            stored(out / f"events/{number:04d}.jsonl", line)
        trace = {"session": {}, "steps": [step for step, _ in records]}
        stored(out / "trace.json", orjson.dumps(trace, option=PRETTY))
        ended = clock()
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return {
        **spread(times),
        "wall": ended[0] - start[0],
        "cpu": ended[1] - start[1],
        "written": workloads.written() - before,
        "size": size,
    }


def fast_pictures(steps: int) -> Measured:
    """Each screenshot and each step a file."""
    pictures = [pair(number) for number in range(steps)]
    with folder() as out:
        start = clock()
        for number, (pre, post) in enumerate(pictures):
            stored(out / f"{number:04d}_pre.png", pre)
            stored(out / f"{number:04d}_post.png", post)
            stored(out / f"{number:04d}.json", orjson.dumps(samples.step(number), option=PRETTY))
        ended = clock()
    return {"wall": ended[0] - start[0], "cpu": ended[1] - start[1]}


def fast_pictures_unhashed(steps: int) -> Measured:
    """The floor hashes nothing."""
    return fast_pictures(steps)


def slow_server(steps: int, dsn: str) -> Measured:
    """Encoding only: a call need not wait for a server."""
    del dsn
    return burst(steps)


def validate(path: str) -> Measured:
    """Read and parse every file of the bundle."""
    start = clock()
    for file in Path(path).rglob("*.json*"):
        _parsed(file)
    ended = clock()
    return {"wall": ended[0] - start[0], "cpu": ended[1] - start[1], "issues": 0.0}


def _parsed(file: Path) -> Any:
    data = file.read_bytes()
    lines = data.splitlines() if file.suffix == ".jsonl" else [data]
    return [orjson.loads(line) for line in lines]


def redaction() -> Measured:
    """The same values to JSON and back."""
    prose = samples.text(samples.PROSE, 10_240)
    solid = samples.text(samples.NO_SPACES, 20_480)
    return {
        name: workloads.each(lambda value=value: [_trip(value) for _ in range(100)]) / 100
        for name, value in (("step", samples.step(3)), ("prose", prose), ("solid", solid))
    }


def _trip(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value))


WORK = {
    function.__name__: function
    for function in (
        cold_import,
        import_to_step,
        burst,
        fast_pictures,
        fast_pictures_unhashed,
        slow_server,
        validate,
        redaction,
    )
}

if __name__ == "__main__":
    workloads.main(WORK)
