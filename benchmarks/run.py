"""Measure this library against the published one and against the floor of the machine.

    python benchmarks/run.py             all of it, in under ten minutes
    python benchmarks/run.py --quick     in under a minute, for a look
    python benchmarks/run.py --soak 3600 with an hour of soak

The sides take turns in each round, each in a process of its own, because the machine may be busy
with other things: ratios are medians over rounds and count; bare times are for orientation.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent))

from environments import CACHE, ROOT, Side, prepare
from own import alone
from report import HEAD, as_json, chart, line_text, row_text, save
from rows import compare

SOAK = 20.0
QUICK_SOAK = 2.0
REST = 45.0
"""Seconds between two runs: ext4 passes over inodes that were deleted within 35."""


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer steps, one round")
    parser.add_argument("--soak", type=float, metavar="SECONDS", help="length of the soak")
    parser.add_argument("--only", default="", metavar="WORK", help="only this row of the table")
    parser.add_argument("--table", action="store_true", help="only what has a counterpart")
    parser.add_argument(
        "--docs", action="store_true", help="write docs/performance.json and its chart"
    )
    return parser.parse_args()


def main() -> None:
    asked = parsed()
    sides = prepare()
    rest()
    with TemporaryDirectory(prefix="runs-", dir=CACHE) as runs:
        os.environ.setdefault("BENCH_TMP", runs)
        measure(asked, sides)


def rest() -> None:
    """Wait until the file system has forgotten what an earlier run deleted at its end."""
    latest = CACHE / "latest.json"
    ended = latest.stat().st_mtime if latest.exists() else 0.0
    time.sleep(max(0.0, ended + REST - time.time()))


def measure(asked: argparse.Namespace, sides: dict[str, Side]) -> None:
    rows, lines = [], []
    print(HEAD)
    for row in compare(sides, quick=asked.quick, only=asked.only):
        rows.append(row)
        print(row_text(row), flush=True)
    if not (asked.only or asked.table):
        print()
        soak = asked.soak or (QUICK_SOAK if asked.quick else SOAK)
        for line in alone(sides, quick=asked.quick, soak=soak):
            lines.append(line)
            print(line_text(line), flush=True)
    save(CACHE / "latest.json", as_json(rows, lines))
    chart(CACHE / "latest.svg", rows)
    if asked.docs:
        save(ROOT / "docs" / "performance.json", as_json(rows, lines))
        chart(ROOT / "docs" / "performance.svg", rows)
    print(f"\n{sum(row.met for row in rows)} of {len(rows)} goals met; saved in {CACHE}")


if __name__ == "__main__":
    main()
