"""One piece of work in a process of its own; prints its measurements as one line of JSON.

    python workloads.py NAME '{"steps": 2000}'

Only the documented API is used, so that the same file measures this library and the published one;
each runs it in its own virtual environment. Times are seconds, memory is bytes.
"""

from __future__ import annotations

import gc
import inspect
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

import samples

Measured = dict[str, float]

PACE = 0.02
"""Seconds from one step to the next of an agent that is quick."""


def spread(times: list[float]) -> Measured:
    """The median and the 99th percentile."""
    cuts = quantiles(times, n=100)
    return {"p50": cuts[49], "p99": cuts[98]}


@contextmanager
def folder(*, many: bool = False) -> Iterator[Path]:
    """A folder for one run's files, where `BENCH_TMP` says.

    One for `many` files is left to whoever set that variable: ext4 passes over every inode that was
    deleted within the last half minute, and the next round's files would cost ten times as much.
    """
    place = os.environ.get("BENCH_TMP")
    if many and place:
        yield Path(tempfile.mkdtemp(dir=place))
        return
    with tempfile.TemporaryDirectory(dir=place) as name:
        yield Path(name)


def opened(out: Path, **more: Any) -> Any:
    from augur_sdk import DebugSession

    return DebugSession(
        run_id=f"bench-{os.getpid()}",
        client_name="bench",
        out_dir=out,
        capture_mode="full",
        **more,
    )


def clock() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def since(start: tuple[float, float]) -> Measured:
    wall, cpu = clock()
    return {"wall": wall - start[0], "cpu": cpu - start[1]}


def written() -> float:
    """Bytes handed to `write` by this process so far; 0 where the system does not say."""
    try:
        fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    except OSError:
        return 0.0
    return float(fields["wchar"])


def _session_class() -> object:
    from augur_sdk import DebugSession

    return DebugSession


def cold_import(load: Callable[[], object] = _session_class) -> Measured:
    """What a user imports, in a fresh interpreter: nothing of the package's own is loaded yet."""
    start = clock()
    load()
    return since(start)


def import_to_step() -> Measured:
    """The same, to the end of the first recording call: what was put off until then shows here."""
    with folder() as out:
        start = clock()
        with opened(out) as session:
            session.record_step(samples.step(0))
            return since(start)


def burst(steps: int) -> Measured:
    """Steps and their events as fast as they go, then `close()`."""
    records = [(samples.step(n), samples.event(n)) for n in range(steps)]
    times = []
    with folder(many=True) as out:
        session = opened(out / "warm")
        with session:
            session.record_step(records[0][0])
        session = opened(out / "run")
        before, start = written(), clock()
        with session:
            for step, event in records:
                began = time.perf_counter()
                session.record_step(step)
                session.record_event(event)
                times.append(time.perf_counter() - began)
        ended = clock()
        size = sum(path.stat().st_size for path in (out / "run").rglob("*") if path.is_file())
        bytes_written = written() - before
    return {
        **spread(times),
        "wall": ended[0] - start[0],
        "cpu": ended[1] - start[1],
        "written": bytes_written,
        "size": size,
    }


def _observed_step(session: Any, number: int, pictures: tuple[bytes, bytes]) -> None:
    session.attach_observation(step_index=number, kind="pre", png_bytes=pictures[0])
    session.attach_observation(step_index=number, kind="post", png_bytes=pictures[1])
    session.record_step(samples.step(number))


def pair(number: int) -> tuple[bytes, bytes]:
    return samples.picture(2 * number), samples.picture(2 * number + 1)


def _unhashed() -> dict[str, bool]:
    """The option that leaves perceptual hashes out; nothing where none are made anyway."""
    from augur_sdk import DebugSession

    known = "perceptual_hashes" in inspect.signature(DebugSession).parameters
    return {"perceptual_hashes": False} if known else {}


def paced_pictures(steps: int, **more: Any) -> Measured:
    """Two screenshots a step, a step every 20 ms: what is left for `close()`."""
    pictures = [pair(number) for number in range(steps)]
    with folder() as out:
        with opened(out, **more) as session:
            began = time.perf_counter()
            for number, pictured in enumerate(pictures):
                time.sleep(max(0.0, began + number * PACE - time.perf_counter()))
                _observed_step(session, number, pictured)
            time.sleep(PACE)
            start = clock()
        ended = clock()
    return {"close": ended[0] - start[0], "close_cpu": ended[1] - start[1]}


def paced_pictures_unhashed(steps: int) -> Measured:
    """The same without perceptual hashes."""
    return paced_pictures(steps, **_unhashed())


def fast_pictures(steps: int, **more: Any) -> Measured:
    """Two screenshots a step, as fast as they go, to the end of `close()`."""
    pictures = [pair(number) for number in range(steps)]
    with folder() as out:
        session = opened(out, **more)
        start = clock()
        with session:
            for number, pictured in enumerate(pictures):
                _observed_step(session, number, pictured)
        ended = clock()
    return {"wall": ended[0] - start[0], "cpu": ended[1] - start[1]}


def fast_pictures_unhashed(steps: int) -> Measured:
    """The same without perceptual hashes."""
    return fast_pictures(steps, **_unhashed())


def picture_memory(steps: int) -> Measured:
    """The same, each screenshot dropped by its caller at once: what the session holds."""
    import psutil

    process = psutil.Process()
    with folder() as out:
        session = opened(out)
        pair(0)
        gc.collect()
        before = peak = process.memory_info().rss
        with session:
            for number in range(steps):
                _observed_step(session, number, pair(number))
                peak = max(peak, process.memory_info().rss)
        peak = max(peak, process.memory_info().rss)
    return {"growth": float(peak - before)}


def slow_server(steps: int, dsn: str) -> Measured:
    """Recording while a server takes 100 ms an answer."""
    import psutil

    process, times = psutil.Process(), []
    with folder(many=True) as out:
        before = threads = process.num_threads()
        session = opened(out, dsn=dsn)
        with session:
            for number in range(steps):
                began = time.perf_counter()
                session.record_step(samples.step(number))
                times.append(time.perf_counter() - began)
                threads = max(threads, process.num_threads())
            start = clock()
        ended = clock()
    return {**spread(times), "threads": float(threads - before), "close": ended[0] - start[0]}


def bundle(steps: int, out: str) -> Measured:
    """Write the bundle that the readers read."""
    with opened(Path(out)) as session:
        for number in range(steps):
            session.record_step(samples.step(number))
            session.record_event(samples.event(number))
    return {}


def validate(path: str) -> Measured:
    """`validate_bundle`, the import not counted."""
    from augur_sdk.validation import validate_bundle

    start = clock()
    issues = validate_bundle(path)
    ended = clock()
    return {"wall": ended[0] - start[0], "cpu": ended[1] - start[1], "issues": float(len(issues))}


def each(call: Callable[[], object], budget: float = 0.4) -> float:
    """CPU seconds a call: the best of what fits the budget, after one call to warm up."""
    call()
    best, spent = float("inf"), 0.0
    while spent < budget:
        start = time.process_time()
        call()
        taken = max(time.process_time() - start, 1e-7)
        best, spent = min(best, taken), spent + taken
    return best


def redaction() -> Measured:
    """`DefaultRedactionPolicy.apply` on a step, on prose, and on text without spaces."""
    from augur_sdk import DefaultRedactionPolicy

    policy, step = DefaultRedactionPolicy(), samples.step(3)
    prose = samples.text(samples.PROSE, 10_240)
    solid = samples.text(samples.NO_SPACES, 20_480)
    return {
        "step": each(lambda: [policy.apply(step) for _ in range(100)]) / 100,
        "prose": each(lambda: [policy.apply(prose) for _ in range(10)]) / 10,
        "solid": each(lambda: policy.apply(solid)),
    }


WORK: dict[str, Callable[..., Measured]] = {
    function.__name__: function
    for function in (
        cold_import,
        import_to_step,
        burst,
        paced_pictures,
        paced_pictures_unhashed,
        fast_pictures,
        fast_pictures_unhashed,
        picture_memory,
        slow_server,
        bundle,
        validate,
        redaction,
    )
}


def main(work: dict[str, Callable[..., Measured]]) -> None:
    """Run the named work with its arguments and print what it measured."""
    name, arguments = sys.argv[1], json.loads(sys.argv[2] if sys.argv[2:] else "{}")
    print(json.dumps(work[name](**arguments)))


if __name__ == "__main__":
    main(WORK)
