"""Memory and time of diagnosing a run of 10,000 steps with screenshots.

    python benchmarks/diagnose_long_run.py [STEPS] [PACK ...]

Prints the peak of resident memory in MiB, and times as multiples of decoding one screenshot, for
each pack in a process of its own.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "kit"))

LIMIT_MIB = 300
PICTURES = 60


def build(root: Path, steps: int) -> None:
    from handmade import BundleBuilder, around, screen

    from augur_sdk.bundle import layout

    bundle = BundleBuilder(root)
    size = (1280, 800)
    boxes = [
        (17 * n % 1200, 31 * n % 760, 17 * n % 1200 + 50, 31 * n % 760 + 9) for n in range(700)
    ]
    spots = [(60 + 19 * n, 40 + 12 * n) for n in range(PICTURES)]
    pool = [screen(*boxes, around(*spot, 20), size=size) for spot in spots]
    kinds = ("pre", "post")
    records: dict[tuple[int, str], bytes] = {}
    for number in range(steps):
        bundle.click(*spots[(number + 1) % PICTURES], intent="press the button that the task names")
        for shift, kind in enumerate(kinds):
            which = (number + shift) % PICTURES
            path = layout.screenshot_path(number, kind)
            bundle.steps[-1][f"observation_{kind}"] = path
            if number < PICTURES:
                getattr(bundle, kind)(pool[which])
                records[which, kind] = bundle.written[layout.observation_path(number, kind)]
                continue
            source = root / layout.screenshot_path(number % PICTURES, kind)
            (root / path).hardlink_to(source)
            (root / layout.observation_path(number, kind)).write_bytes(records[which, kind])
            bundle.written[path] = pool[which]
    bundle.close()


def measure(root: str, pack: str) -> None:
    from augur_sdk.diagnostics import diagnose
    from augur_sdk.images.hashing import decoded

    picture = next(Path(root, "screenshots").glob("*.png")).read_bytes()
    started = time.perf_counter()
    for _ in range(10):
        decoded(picture)
    unit = (time.perf_counter() - started) / 10
    started = time.perf_counter()
    found = diagnose(root, [pack])
    taken = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{pack:10} {peak:8.0f} MiB {taken / unit:12.0f} decodings {len(found):8} findings")
    sys.exit(peak > LIMIT_MIB)


def main(steps: int, packs: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder), steps)
        command = [sys.executable, __file__, "--measure", folder]
        runs = [subprocess.run([*command, pack], check=False) for pack in packs]
    return max(run.returncode for run in runs)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(*sys.argv[2:])
    count = int(sys.argv[1]) if sys.argv[1:] else 10_000
    sys.exit(main(count, sys.argv[2:] or ["cua", "cua_plus"]))
