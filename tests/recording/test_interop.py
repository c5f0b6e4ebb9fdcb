"""What is written validates under our own models and under the published schemas."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import augur_schema
import orjson
import pytest
from anyio.from_thread import BlockingPortal
from both_classes import Open, faced
from scenarios import STARTED, event, files_of, png, read_json, step

from augur_sdk import AsyncDebugSession, DebugSession, recover_bundle
from augur_sdk.models.validators import problems
from augur_sdk.validation import validate_bundle

TASK: dict[str, Any] = {
    "task_spec_id": "t",
    "instruction": "book a table",
    "max_steps": 9,
    "prohibited_actions": ["pay"],
    "success_conditions": [{"kind": "url", "params": {"is": "/done"}, "description": "d"}],
    "subgoals": [{"subgoal_id": "g", "description": "d", "weight": 2}],
}
BRANCH: dict[str, Any] = {
    "parent_run_id": "run_a",
    "branch_point_step_index": 0,
    "mutated_axis": "prompt",
    "mutation": {"prompt": "p2"},
    "branch_id": "b",
}


def record_everything(session: Any) -> None:
    """Every recording method once at least, with every argument."""
    session.add_tag("k", "v")
    session.set_live_endpoints(status_url="https://example.com/live")
    session.set_group_id("g1")
    session.set_costs(
        total_usd=1.5,
        model_usd=1.0,
        gpu_usd=0.25,
        proxy_usd=0.25,
        tokens_in=10,
        tokens_out=5,
        cache_hit_tokens=2,
    )
    made = session.declare_side_effect(
        0,
        "orders/42",
        "submit",
        idempotency_key="k",
        reversibility="compensated",
        compensation_handle="c",
        side_effect_id="se_one",
        declared_at=STARTED,
    )
    other = session.declare_side_effect(1, "mail", "send", declared_at=STARTED)
    session.declare_side_effect(1, "mail", "send", declared_at=STARTED)
    pre = session.attach_observation(
        step_index=0,
        kind="pre",
        png_bytes=png(0),
        viewport=(64, 48),
        device_scale_factor=1.0,
        url="https://example.com/",
        title="t",
        scroll=(0, 10),
    )
    session.record_modelio(
        {
            "layer": "planner",
            "ts": STARTED,
            "request": {"model": "m", "messages": [{"role": "user", "content": "hi"}]},
            "response": {
                "text": "ho",
                "usage": {"prompt_tokens": 3},
                "logprobs": [{"token": "ho", "logprob": -0.25}],
            },
            "prompt_hash": "h",
        },
        step_index=0,
    )
    session.record_step(step(0, observation_pre=pre, status="running"))
    session.record_step(step(0, observation_pre=pre, costs={"total_usd": 0.5}))
    session.record_step(step(1))
    session.record_step_iteration(1, step(1, step_id="s1-again"))
    session.record_event(event(0, detail={"a": 1}))
    session.record_event(event(None))
    session.record_reasoning(0, "think", tokens=3, format="claude_extended_thinking", ts=STARTED)
    session.record_reasoning(None, "of the run", model="m", ts=STARTED)
    session.commit_side_effect(made, {"order": 42}, committed_at=STARTED)
    session.mark_side_effect_aborted(other, "no", aborted_at=STARTED)
    session.set_step_costs(
        0, total_usd=0.5, model_usd=0.5, tokens_in=1, tokens_out=1, cache_hit_tokens=0
    )
    session.set_step_versions(0, prompt="p", code_git_sha="c", grounder="g")
    session.attach_env_fingerprint(
        0, url_host="example.com", viewport_hash="v", api_shapes={"a": "s"}, extensions=["e"]
    )
    session.record_judge_decision(
        0,
        judge_id="j",
        judge_type="model",
        verdict={"status": "passed", "score": 0.9, "reason": "r", "evidence_refs": ["e"]},
        confidence=0.5,
        evidence_refs=["e"],
        judged_at=STARTED,
    )
    session.set_score(
        0, 0.5, comparator="human", components={"progress": 1}, should_stop=False, uncertainty=0.1
    )
    session.record_subgoal_completion(0, "g", 1.0)
    session.set_loop_detected(1)
    session.set_capture_mode("full")
    session.set_task_spec_id("t")


def record_what_takes_the_time_of_the_call(session: Any) -> None:
    """The methods that stamp now, without an argument for it."""
    session.attach_verifier(1, status="failed", check="url", expected=1, actual=2)
    session.mark_for_eval(1, "odd", candidate_cluster_id="c")
    session.finalize_outcome(scope="step", step_index=0, task_class="web")
    session.finalize_outcome(verdict={"status": "passed"})


def records_of(root: Path) -> Iterator[tuple[str, str, Any]]:
    """Every record of a bundle: where it is, what it is called, what it holds."""
    names = {
        "manifest.json": "manifest",
        "trace.json": "trace",
        "steps": "step_trace",
        "modelio": "modelio",
        "side_effects": "side_effect",
        "screenshots": "observation",
    }
    for path, data in files_of(root).items():
        if path.startswith("schema/") or not path.endswith((".json", ".jsonl")):
            continue
        if path.endswith(".jsonl"):
            name = "reasoning_trace" if "reasoning" in path else "decision_event"
            for line in data.splitlines():
                yield path, name, orjson.loads(line)
        elif path in {"outcomes.json", "eval_candidates.json"}:
            name = path.removesuffix("s.json").replace("outcome", "outcome_record")
            for record in next(iter(orjson.loads(data).values())):
                yield path, name, record
        else:
            yield path, names[path.split("/")[0]], orjson.loads(data)


@pytest.fixture
def everything(open_session: Open, bundle: Path) -> Path:
    with open_session(
        task_spec=TASK, branch_context=BRANCH, tags={"t": "u"}, client_version="1"
    ) as session:
        record_everything(session)
        record_what_takes_the_time_of_the_call(session)
    assert session.stats.schema_problems == 0
    assert session.stats.repaired == 0
    return bundle


def test_every_record_validates_under_our_models(everything: Path) -> None:
    found = list(records_of(everything))
    assert {name for _, name, _ in found} == {
        "manifest",
        "trace",
        "step_trace",
        "modelio",
        "side_effect",
        "observation",
        "decision_event",
        "reasoning_trace",
        "outcome_record",
        "eval_candidate",
    }
    for path, name, record in found:
        of_the_run = name == "reasoning_trace" and "step_index" not in record
        assert problems("run_reasoning" if of_the_run else name, record) == [], path
    assert validate_bundle(everything) == []


def test_every_record_validates_under_the_published_schemas(everything: Path) -> None:
    for path, name, record in records_of(everything):
        if name == "reasoning_trace" and "step_index" not in record:
            continue  # a run-level trace is legal here, and only here (contract/records.md)
        errors = [error.message for error in augur_schema.validator_for(name).iter_errors(record)]
        assert errors == [], path


def test_each_record_stands_where_the_contract_says(everything: Path) -> None:
    found = {name for name in files_of(everything) if not name.startswith("schema/")}
    iterations = {name for name in found if name.startswith("steps/0001/")}
    effects = {name for name in found if name.startswith("side_effects/0001-se_")}
    assert found - iterations - effects == {
        "AGENT.md",
        "eval_candidates.json",
        "events/0000.jsonl",
        "events/reasoning.jsonl",
        "events/run.jsonl",
        "manifest.json",
        "modelio/0000-planner-0.json",
        "outcomes.json",
        "screenshots/0000_pre.json",
        "screenshots/0000_pre.png",
        "side_effects/0000-se_one.json",
        "steps/0000.json",
        "trace.json",
    }
    assert (len(iterations), len(effects)) == (2, 2)


def test_the_same_calls_give_the_same_bytes_from_both_classes(
    portal: BlockingPortal, tmp_path: Path
) -> None:
    bundles = []
    for kind in (DebugSession, AsyncDebugSession):
        session = kind(
            run_id="run_1",
            client_name="agent",
            out_dir=tmp_path / kind.__name__,
            capture_mode="full",
            debug_session_id="dbg_same",
            started_at=STARTED,
            task_spec=TASK,
            branch_context=BRANCH,
        )
        with faced(portal, session) as run:
            record_everything(run)
        bundles.append(without_end(files_of(tmp_path / kind.__name__)))
    one, other = bundles
    assert one.keys() == other.keys()
    assert {name for name in one if one[name] != other[name]} == set()


def without_end(files: dict[str, bytes]) -> dict[str, bytes]:
    """A bundle's files without the time at which the run ended, and the digests it changes."""
    trace, page, manifest = (files[name] for name in ("trace.json", "AGENT.md", "manifest.json"))
    return {
        **files,
        "trace.json": re.sub(rb'"ended_at": "[^"]+"', b"", trace, count=1),
        "AGENT.md": re.sub(rb"ended: \S+", b"", page, count=1),
        "manifest.json": re.sub(rb'"(trace.json|AGENT.md)": "[0-9a-f]{64}"', b"", manifest),
    }


CHILD = f"""
import os, sys
sys.path[:0] = [{str(Path(__file__).parent)!r}, {str(Path(__file__).parents[1] / "kit")!r}]
from test_interop import record_everything, record_what_takes_the_time_of_the_call
from augur_sdk import DebugSession
session = DebugSession(run_id="r", client_name="c", out_dir=sys.argv[1], capture_mode="full")
session.__enter__()
record_everything(session)
record_what_takes_the_time_of_the_call(session)
session.flush()
os.write(1, b"flushed")
sys.stdin.read()
"""


def test_everything_that_was_flushed_survives_kill_9(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", CHILD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert os.read(child.stdout.fileno(), 100) == b"flushed"
        child.send_signal(signal.SIGKILL)
        child.wait()
    recover_bundle(folder)
    with DebugSession(
        run_id="r", client_name="c", out_dir=tmp_path / "whole", capture_mode="full"
    ) as session:
        record_everything(session)
        record_what_takes_the_time_of_the_call(session)
    found, whole = (
        {name for name in files_of(root) if "/0001-se_" not in name}
        for root in (folder, tmp_path / "whole")
    )
    assert found == whole
    assert validate_bundle(folder) == []
    step_record = read_json(folder / "steps/0000.json")
    assert step_record["verdict"]["score"] == 0.5
    assert step_record["env_fingerprint"]["url_host"] == "example.com"
