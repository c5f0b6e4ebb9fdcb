"""Row 3: torn, flipped, truncated and missing journal bytes."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scenarios import read_json

from augur_sdk import recover_bundle
from augur_sdk.bundle.journal import JournalFile, Scan
from augur_sdk.validation import validate_bundle

KIT = Path(__file__).parents[1] / "kit"
STEPS = 12

CODE = f"""
import os, sys
from scenarios import event, png, step
from augur_sdk import DebugSession
s = DebugSession(run_id="run", client_name="c", out_dir=sys.argv[1], capture_mode="full",
                 debug_session_id="dbg_damage").__enter__()
for index in range({STEPS}):
    s.record_step(step(index))
    s.record_event(event(index))
s.flush()
os._exit(0)
"""


@functools.cache
def journal_of_a_dead_process() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(KIT), *sys.path])}
        subprocess.run([sys.executable, "-c", CODE, folder], check=True, env=environment)
        return (Path(folder) / "journal.jsonl").read_bytes()


def recover(journal: bytes) -> tuple[int, int, set[int]]:
    """Recover from these bytes alone; returns intact lines, damage and the steps."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "journal.jsonl").write_bytes(journal)
        report = recover_bundle(folder)
        problems = [
            issue.render()
            for issue in validate_bundle(folder)
            if "side effect" not in issue.message
        ]
        assert problems == []
        steps = read_json(folder / "trace.json")["steps"]
        return report.records, report.damaged, {record["step_index"] for record in steps}


def steps_in(lines: list[bytes]) -> set[int]:
    return {
        int(line.split(b'"step":')[1].split(b",")[0]) for line in lines if b'"kind":"step"' in line
    }


def test_an_intact_journal_has_no_damage() -> None:
    records, damaged, steps = recover(journal_of_a_dead_process())
    assert (damaged, steps) == (0, set(range(STEPS)))
    assert records == 2 + 2 * STEPS


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_cut_anywhere_keeps_every_whole_line_before_it(data: st.DataObject) -> None:
    journal = journal_of_a_dead_process()
    cut = data.draw(st.integers(0, len(journal) - 1))
    whole = journal[:cut].split(b"\n")[:-1]
    records, damaged, steps = recover(journal[:cut])
    assert (records, steps) == (len(whole), steps_in(whole))
    assert damaged == (0 if journal[:cut].endswith(b"\n") or cut == 0 else 1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_flipped_bytes_cost_their_own_lines_only(data: st.DataObject) -> None:
    journal = bytearray(journal_of_a_dead_process())
    flips = data.draw(
        st.dictionaries(st.integers(0, len(journal) - 1), st.integers(1, 255), max_size=5)
    )
    for position, mask in flips.items():
        journal[position] ^= mask
    original = journal_of_a_dead_process().split(b"\n")[:-1]
    intact = [line for line in bytes(journal).split(b"\n") if line in original]
    records, damaged, steps = recover(bytes(journal))
    assert (records, steps) == (len(intact), steps_in(intact))
    assert bool(damaged) == (len(intact) < len(original))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_missing_lines_are_counted(data: st.DataObject) -> None:
    lines = journal_of_a_dead_process().split(b"\n")[:-1]
    gone = data.draw(st.sets(st.integers(0, len(lines) - 1), max_size=6))
    left = [line for number, line in enumerate(lines) if number not in gone]
    records, damaged, steps = recover(b"".join(line + b"\n" for line in left))
    assert (records, steps) == (len(left), steps_in(left))
    trailing = len(lines) - 1 - max((n for n in range(len(lines)) if n not in gone), default=-1)
    assert damaged == len(gone) - trailing  # what is missing at the end leaves no trace


@given(st.binary(max_size=400))
@settings(max_examples=60, deadline=None)
def test_junk_is_no_exception(junk: bytes) -> None:
    records, _, steps = recover(junk)
    assert (records, steps) == (0, set())


def test_appending_after_a_torn_line_keeps_both_sides_readable(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    whole = journal_of_a_dead_process()
    path.write_bytes(whole[:-20])
    journal = JournalFile(path)
    journal.open()
    found = Scan()
    before = list(journal.scan(found))
    assert found.damaged == 1
    from augur_sdk.bundle.journal import encode_line

    line, _ = encode_line(10_000, "event", b"{}", path="events/run.jsonl")
    journal.append(line)
    after = Scan()
    assert len(list(journal.scan(after))) == len(before) + 1
    assert after.damaged == 1
    journal.close()
    shutil.rmtree(tmp_path)
