from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from scenarios import png, read_json, step

STEPS = 10_000
FLAT = 64 * 1024 * 1024
"""What the index of a run of this length may cost: some kilobytes a step, of the hundreds of
kilobytes that each step of the parent weighs with its pictures."""

CHILD = """
import resource, sys
from augur_sdk import DebugSession
with DebugSession.branch_from(
    parent_run_id="run_a", branch_point_step_index=int(sys.argv[3]), mutated_axis="model",
    mutation={}, client_name="c", out_dir=sys.argv[2], parent_bundle=sys.argv[1],
) as session:
    session.set_score(0, 0.5)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def big_parent(folder: Path) -> Path:
    """A bundle of 10,000 steps with a picture each, 1.5 gigabytes long as a reader sees it."""
    shots = folder / "screenshots"
    shots.mkdir(parents=True)
    picture = png(1, padding=150_000)
    (shots / "0000_pre.png").write_bytes(picture)
    facts = {
        "coordinate_space": "screenshot_px",
        "media_type": "image/png",
        "width": 64,
        "height": 48,
        "hashes": {"phash_64": "0" * 16, "sha256": ""},
    }
    (shots / "0000_pre.png").chmod(0o600)
    with (folder / "trace.json").open("wb") as trace:
        trace.write(b'{"session": {"run_id": "run_a"}, "steps": [')
        for index in range(STEPS):
            record: Any = step(index, intent="x" * 2000)
            name = f"{index:04d}_pre.png"
            record["observation_pre"] = f"screenshots/{name}"
            if index:
                (shots / name).hardlink_to(shots / "0000_pre.png")
            (shots / f"{index:04d}_pre.json").write_bytes(orjson.dumps(facts))
            trace.write((b"," if index else b"") + orjson.dumps(record))
        trace.write(b"]}")
    return folder


def peak_of_a_branch(parent: Path, folder: Path, branch_point: int) -> int:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(parent), str(folder), str(branch_point)],
        check=True,
        capture_output=True,
    )
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_branch_off_a_run_of_ten_thousand_steps_does_not_load_it(tmp_path: Path) -> None:
    parent = big_parent(tmp_path / "parent")
    little = peak_of_a_branch(parent, tmp_path / "short", 100)
    much = peak_of_a_branch(parent, tmp_path / "long", STEPS)
    print(f"peak {little >> 20} MiB for 100 steps, {much >> 20} MiB for {STEPS}")
    assert much - little < FLAT
    manifest = read_json(tmp_path / "long/manifest.json")
    assert manifest["step_count"] == STEPS
    ours = tmp_path / "long/screenshots/9999_pre.png"
    assert ours.samefile(parent / "screenshots/9999_pre.png")
    last = read_json(tmp_path / "long/steps/9999.json")
    assert (last["step_id"], len(last["intent"])) == ("s9999", 2000)
