from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from both_classes import Open
from canaries import (
    after_the_step,
    before_the_step,
    canary,
    found_in,
    picture,
    whole_step,
)
from scenarios import files_of, png, read_json, step

from augur_sdk import DebugSession
from augur_sdk.validation import validate_bundle


def bytes_of(folder: Path) -> bytes:
    return b"\n".join(name.encode() + b"\n" + data for name, data in files_of(folder).items())


@pytest.mark.parametrize("when", ["at once", "in the end"])
def test_nothing_but_structure_of_a_sensitive_step_is_in_the_bundle(
    open_session: Open, bundle: Path, when: str
) -> None:
    with open_session() as session:
        made = before_the_step(session, 0)
        session.flush()
        if when == "in the end":
            session.record_step(whole_step(0, status="running"))
            session.flush()
        session.record_step(whole_step(0, sensitive=True))
        after_the_step(session, 0, made)
        session.record_step(whole_step(0))
        session.record_step_iteration(0, whole_step(0, step_id="again"))
        session.record_step(step(1))
    assert found_in(bytes_of(bundle)) == set()
    assert validate_bundle(bundle) == []
    manifest = read_json(bundle / "manifest.json")
    assert manifest["missing"] == ["screenshots/0000_post.png", "screenshots/0000_pre.png"]
    record = read_json(bundle / "trace.json")["steps"][0]
    assert record["status"] == "failed"
    assert record["action"] == {"type": "click"}
    assert record["observation_pre"] == "screenshots/0000_pre.png"
    assert "sensitive" not in record


def test_a_step_that_is_marked_first_never_reaches_the_journal(
    open_session: Open, bundle: Path
) -> None:
    with open_session() as session:
        session.record_step(whole_step(0, status="running", sensitive=True))
        made = before_the_step(session, 0)
        session.record_step(whole_step(0))
        after_the_step(session, 0, made)
        session.flush()
        assert found_in((bundle / "journal.jsonl").read_bytes()) == set()
    assert found_in(bytes_of(bundle)) == set()


def test_what_an_event_of_a_sensitive_step_keeps(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        session.record_step(step(0, sensitive=True))
        session.record_event(
            {
                "ts": "2026-01-01T00:00:00Z",
                "step_index": 0,
                "layer": "grounding",
                "kind": "metric",
                "summary": canary("event"),
                "detail": {"typed": canary("event_detail")},
            }
        )
    (line,) = (bundle / "events/0000.jsonl").read_text(encoding="utf-8").splitlines()
    assert line == (
        '{"kind":"metric","layer":"grounding","step_index":0,"summary":"[withheld]",'
        '"ts":"2026-01-01T00:00:00Z"}'
    )


def test_numbers_and_flags_of_a_sensitive_step_stay(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        session.record_step(step(0, sensitive=True, required=True, costs={"total_usd": 1}))
        session.set_score(0, 0.5, components={"progress": 0.5})
        session.set_loop_detected(0)
        session.set_step_costs(0, tokens_in=3)
    record = read_json(bundle / "steps/0000.json")
    assert record["verdict"] == {"status": "passed", "score": 0.5}
    assert record["costs"] == {"total_usd": 1, "tokens_in": 3}
    assert (record["loop_detected"], record["required"]) == (True, True)


def test_the_neighbours_of_a_sensitive_step_keep_everything(
    open_session: Open, bundle: Path
) -> None:
    with open_session() as session:
        for index in range(3):
            session.attach_observation(step_index=index, kind="pre", png_bytes=picture(index))
            session.record_reasoning(index, f"thought {index}")
        session.record_reasoning(None, "thought of the run")
        session.flush()
        for index in range(3):
            session.record_step(step(index, sensitive=index == 1))
        session.record_reasoning(2, "thought 2 again")
    thoughts = (bundle / "events/reasoning.jsonl").read_text(encoding="utf-8")
    assert thoughts.count("thought") == 4
    assert "thought 1" not in thoughts
    pictures = [name for name in files_of(bundle) if name.endswith(".png")]
    assert pictures == ["screenshots/0000_pre.png", "screenshots/0002_pre.png"]
    assert validate_bundle(bundle) == []


def test_a_prompt_of_a_sensitive_step_is_recorded_when_another_step_repeats_it(
    open_session: Open, bundle: Path
) -> None:
    call = {"layer": "planner", "request": {"model": "m"}, "response": {}, "prompt_hash": "h"}
    with open_session() as session:
        withdrawn = session.record_modelio(call, step_index=0)
        session.record_step(step(0, sensitive=True))
        session.record_modelio({**call, "prompt_hash": "h2"}, step_index=0)
        again = session.record_modelio(call, step_index=1)
        other = session.record_modelio({**call, "prompt_hash": "h2"}, step_index=1)
    assert withdrawn == "modelio/0000-planner-0.json"
    assert (again, other) == ("modelio/0001-planner-0.json", "modelio/0001-planner-1.json")
    assert {path.name for path in (bundle / "modelio").iterdir()} == {
        "0001-planner-0.json",
        "0001-planner-1.json",
    }


CHILD = """
import os, sys
sys.path.insert(0, sys.argv[2])
from canaries import whole_step
from augur_sdk import DebugSession
session = DebugSession(run_id="r", client_name="c", out_dir=sys.argv[1], capture_mode="full",
                       debug_session_id="dbg_one")
session.__enter__()
session.record_step(whole_step(0, sensitive=True))
session.flush()
os.write(1, b"flushed")
sys.stdin.read()
"""


def test_a_sensitive_step_stays_so_in_a_resumed_session(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    kit = Path(__file__).parents[1] / "kit"
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), str(kit)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert os.read(child.stdout.fileno(), 100) == b"flushed"
        child.send_signal(signal.SIGKILL)
        child.wait()
    with DebugSession(
        run_id="r",
        client_name="c",
        out_dir=folder,
        capture_mode="full",
        debug_session_id="dbg_one",
    ) as session:
        after: Any = session.attach_observation(step_index=0, kind="post", png_bytes=png())
        session.attach_verifier(0, status="failed", reason=canary("reason"))
        session.record_step(whole_step(0))
    assert found_in(bytes_of(folder)) == set()
    assert read_json(folder / "manifest.json")["missing"] == [after]
