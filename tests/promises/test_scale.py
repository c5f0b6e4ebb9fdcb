"""Long runs: memory stays bounded, a record costs the same at the end as at the beginning."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from scenarios import read_json

KIT = Path(__file__).parents[1] / "kit"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(sys.platform != "linux", reason="reads peak memory from /proc"),
]

MEASURE = """
import sys, time, orjson
from scenarios import event, png, step
from augur_sdk import DebugSession
def peak():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
"""

STEPS = """
count = int(sys.argv[2])
base, marks = peak(), []
with DebugSession(run_id="r", client_name="c", out_dir=sys.argv[1], capture_mode="metadata") as s:
    for index in range(count):
        if index % (count // 10) == 0:
            marks.append(time.process_time())
        s.record_step(step(index))
    marks.append(time.process_time())
costs = [after - before for before, after in zip(marks, marks[1:])]
print(orjson.dumps({"peak": peak(), "costs": costs, "dropped": s.stats.dropped}).decode())
"""

PICTURES = """
count = int(sys.argv[2])
pictures = [png(seed, 320, 200, padding=230_000) for seed in range(4)]
base = peak()
with DebugSession(run_id="r", client_name="c", out_dir=sys.argv[1], capture_mode="full") as s:
    for index in range(count):
        for kind in ("pre", "post"):
            stamp = f"{index}{kind}".encode()
            s.attach_observation(
                step_index=index, kind=kind, png_bytes=pictures[index % 4] + stamp
            )
        s.record_step(step(index))
print(orjson.dumps({"above": peak() - base, "dropped": s.stats.dropped}).decode())
"""


def measure(code: str, folder: Path, count: int) -> dict[str, object]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(KIT), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-c", MEASURE + code, str(folder), str(count)],
        capture_output=True,
        text=True,
        check=True,
        timeout=390,
        env=environment,
    )
    result: dict[str, object] = orjson.loads(done.stdout.splitlines()[-1])
    print(result)
    return result


def test_100_000_steps_fit_in_250_mib_at_a_flat_cost(tmp_path: Path) -> None:
    found = measure(STEPS, tmp_path / "b", 100_000)
    assert found["dropped"] == {}
    peak, costs = found["peak"], found["costs"]
    assert isinstance(peak, float)
    assert isinstance(costs, list)
    assert peak < 250
    # Processor time of the whole process: the last fifth against the second one, which has no
    # start-up in it; twice leaves room for a noisy machine, growth with the run would not fit.
    assert sum(costs[8:]) < 2 * sum(costs[2:4])
    assert read_json(tmp_path / "b/manifest.json")["step_count"] == 100_000


def test_1_000_steps_with_two_300_kb_screenshots_stay_within_80_mib(tmp_path: Path) -> None:
    found = measure(PICTURES, tmp_path / "b", 1000)
    assert found["dropped"] == {}
    above = found["above"]
    assert isinstance(above, float)
    assert above < 80
    assert len(list((tmp_path / "b/screenshots").glob("*.png"))) == 2000
