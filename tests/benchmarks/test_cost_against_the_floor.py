"""What recording costs, as a multiple of the same bytes through bare orjson, write and rename.

The bounds are several times what is measured (docs/performance.md): the machine of a CI run is
busy and small, and what has to show is a regression by a factor, not by a percentage. Each side
runs in a process of its own, in turn, and the median of the rounds' ratios counts.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
ROUNDS = 3

pytestmark = pytest.mark.slow


def measured(script: str, work: str, **arguments: Any) -> dict[str, float]:
    command = [sys.executable, str(BENCHMARKS / script), work, json.dumps(arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def ratios(work: str, **arguments: Any) -> dict[str, float]:
    """The median over rounds of ours / floor, for each measurement that both make."""
    pairs = [
        (measured("workloads.py", work, **arguments), measured("floor.py", work, **arguments))
        for _ in range(ROUNDS)
    ]
    return {
        key: median(ours[key] / floor[key] for ours, floor in pairs)
        for key in pairs[0][1]
        if all(floor[key] for _, floor in pairs)
    }


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """Have the modules compiled once: no measurement should pay for that."""
    measured("workloads.py", "cold_import")


@pytest.fixture(scope="module")
def burst() -> dict[str, float]:
    return ratios("burst", steps=300)


def test_a_call_costs_a_bounded_multiple_of_encoding_its_records(burst: dict[str, float]) -> None:
    assert burst["p50"] < 120


def test_a_run_costs_a_bounded_multiple_of_the_cpu_for_writing_its_files(
    burst: dict[str, float],
) -> None:
    assert burst["cpu"] < 8


def test_a_run_writes_at_most_a_few_times_the_bytes_that_it_keeps(burst: dict[str, float]) -> None:
    assert burst["size"] < 2
    assert burst.get("written", 0) < 4


def test_importing_the_package_costs_a_bounded_multiple_of_importing_what_it_needs() -> None:
    assert ratios("cold_import")["cpu"] < 25


def test_redaction_costs_a_bounded_multiple_of_a_round_trip_through_json() -> None:
    found = ratios("redaction")
    assert found["step"] < 20
    assert found["prose"] < 20
    assert found["solid"] < 60


def test_a_long_run_costs_no_more_a_step_than_a_short_one() -> None:
    found = {
        steps: median(
            measured("own_workloads.py", "per_step", steps=steps)["cpu"] for _ in range(ROUNDS)
        )
        for steps in (300, 1200)
    }
    assert found[1200] < 3 * found[300]
