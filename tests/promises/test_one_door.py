"""Row 19: a secret in any string of any public method reaches no file, no request and no log.

Every string argument and field of every public method is replaced, one at a time, by a canary;
then every byte of the bundle, names included, of the requests, the log and the exceptions is
searched for it.
"""

from __future__ import annotations

import copy
import inspect
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import anyio
import pytest
from scenarios import STARTED, event, files_of, png, step

from augur_sdk import AsyncDebugSession, DebugSession
from augur_sdk.intervention import GatePolicy
from augur_sdk.testing import CaptureServer

REGISTERED = "Corr3ct-Horse_Battery"
BEARER = "q8ZtYw3nRk5vBxEo7Lp2Hs9Df"
PASSWORD = "tr0ub4dor-and-3"
CLOUD_KEY = "AKIAQ3EGRJ7LD2XWPTYV"

SHAPES = {
    "registered": (REGISTERED, REGISTERED),
    "cloud key": (CLOUD_KEY, CLOUD_KEY),
    "json in a string": (f'{{"user": "bob", "password": "{PASSWORD}"}}', PASSWORD),
    "bearer": (f"Authorization: Bearer {BEARER}", BEARER),
}
"""What is handed over, and what must be found nowhere."""

TASK = {
    "task_spec_id": "t",
    "instruction": "buy a mug",
    "subgoals": [{"subgoal_id": "g1", "description": "find it"}],
    "start_url": "https://shop.example",
}
VERDICT = {"status": "passed", "reason": "it is there", "comparator": "human"}
STEP = step(
    0,
    url="https://shop.example/a?b=c",
    observation_pre="screenshots/0000_pre.png",
    failure_class="no_change",
    action={"type": "type", "params": {"text": "mug", "nested": {"list": ["a", {"k": "v"}]}}},
    grounding={"provider": "eye", "provenance": "screenshot", "target_label": "Search"},
    recovery_decision={"type": "retry", "reason": "again"},
    tags={"t": "u"},
    verdict=VERDICT,
)
MODEL_CALL = {
    "schema_version": "0.1",
    "model": "m-1",
    "layer": "planner",
    "prompt_hash": "0" * 64,
    "messages": [{"role": "user", "content": "buy it"}],
    "response": {"content": "ok", "tool_calls": [{"name": "click", "arguments": "{}"}]},
    "usage": {"tokens_in": 1},
}

CALLS: dict[str, dict[str, Any]] = {
    "record_step": {"step": STEP},
    "record_step_iteration": {"step_id_or_index": "s0", "iteration": {**STEP, "step_id": "s0-b"}},
    "record_event": {"event": event(0, detail={"k": ["v", {"a": "b"}]})},
    "attach_observation": {
        "step_index": 0,
        "kind": "pre",
        "png_bytes": png(1),
        "coordinate_space": "screenshot_px",
        "url": "https://shop.example",
        "title": "Shop",
    },
    "set_status": {"status": "running"},
    "add_tag": {"key": "team", "value": "growth"},
    "set_live_endpoints": {
        "status_url": "https://a.example",
        "video_url": "https://b.example",
        "reasoning_url": "https://c.example",
    },
    "set_capture_mode": {"mode": "full"},
    "append_log": {"text": "hello\n", "name": "run"},
    "attach_verifier": {
        "step_index": 0,
        "status": "passed",
        "reason": "r",
        "check": "c",
        "expected": {"a": "b"},
        "actual": ["x"],
        "evidence_refs": ["screenshots/0000_pre.png"],
    },
    "set_costs": {"total_usd": 1.0},
    "set_step_costs": {"step_index": 0, "total_usd": 1.0},
    "set_score": {"step_index": 0, "score": 0.5, "comparator": "human", "components": {"a": 0.5}},
    "record_modelio": {
        "record": MODEL_CALL,
        "step_index": 0,
        "layer": "planner",
        "validate": False,
    },
    "set_step_versions": {
        "step_index": 0,
        "model": "m",
        "prompt": "p",
        "prompt_hash": "0" * 64,
        "tool_descriptions_hash": "1" * 64,
        "code_git_sha": "2" * 40,
        "grounder": "g",
        "env_fingerprint_ref": "e",
    },
    "attach_env_fingerprint": {
        "step_index": 0,
        "url_host": "shop.example",
        "url_path_template": "/cart/{id}",
        "viewport_hash": "v",
        "dom_hash": "d",
        "api_shapes": {"GET /a": "v"},
        "extensions": {"k": "v"},
    },
    "record_judge_decision": {
        "step_index": 0,
        "judge_id": "j",
        "judge_type": "model",
        "verdict": VERDICT,
        "evidence_refs": ["trace.json"],
        "judged_at": STARTED,
    },
    "mark_for_eval": {"step_index": 0, "reason": "odd", "candidate_cluster_id": "c"},
    "finalize_outcome": {"scope": "session", "verdict": VERDICT, "task_class": "shopping"},
    "successful_task_cost_summary": {},
    "record_reasoning": {
        "step_index": 0,
        "text": "I think",
        "format": "adapter_inferred",
        "model": "m",
        "ts": STARTED,
    },
    "declare_side_effect": {
        "step_index": 0,
        "resource": "order",
        "action": "create",
        "idempotency_key": "k",
        "reversibility": "irreversible",
        "compensation_handle": "h",
        "provenance": "sdk_declared",
        "side_effect_id": "e1",
        "declared_at": STARTED,
    },
    "commit_side_effect": {
        "side_effect_id": "e1",
        "observed_result": {"a": ["b"]},
        "committed_at": STARTED,
    },
    "mark_side_effect_aborted": {"side_effect_id": "e2", "reason": "no", "aborted_at": STARTED},
    "abort_pending_side_effects": {"reason": "over"},
    "record_subgoal_completion": {
        "step_index": 0,
        "subgoal_id": "g1",
        "completion": 1.0,
    },
    "set_loop_detected": {"step_index": 0},
    "save_replay_fixture": {
        "step_index": 0,
        "task": "buy a mug",
        "expected": {"note": "n"},
        "acceptable_regions": [{"x1": 1, "y1": 1, "x2": 9, "y2": 9, "label": "Buy"}],
        "fixture_id": "f",
    },
    "set_task_spec": {"spec": TASK},
    "set_task_spec_id": {"task_spec_id": "t"},
    "set_group_id": {"group_id": "g"},
}
OTHERWISE = {
    "branch_from",  # the constructor's arguments; the context is among CONSTRUCTED
    "open_orchestrator",  # the constructor's arguments, as tags
    "step",  # record_step behind a block
    "register_secret",
    "flush",
    "announce_step",  # takes an index and a flag
    "close",
    "checkpoint",
    "killable",
    "gate",  # a test of its own below
    "bind_intervention",  # takes an object
}
CONSTRUCTED: dict[str, Any] = {
    "run_id": "run-1",
    "client_name": "shopper",
    "client_version": "1.0",
    "client_git_sha": "0" * 40,
    "tags": {"team": "growth"},
    "started_at": STARTED,
    "branch_context": {
        "parent_run_id": "p",
        "branch_point_step_index": 0,
        "mutated_axis": "model",
        "mutation": {"model": "m", "nested": ["a"]},
        "branch_id": "p:branch:1",
    },
    "task_spec": TASK,
    "task_spec_id": "t",
    "group_id": "g",
}


def test_no_public_method_is_left_out() -> None:
    for owner in (DebugSession, AsyncDebugSession):
        methods = {
            name for name, _ in inspect.getmembers(owner, callable) if not name.startswith("_")
        }
        assert methods <= CALLS.keys() | OTHERWISE
    for name, arguments in CALLS.items():
        given = {p.name for p in inspect.signature(getattr(DebugSession, name)).parameters.values()}
        assert arguments.keys() <= given


def variants(value: Any, canary: str) -> Iterator[Any]:
    """The value with each of its strings replaced by the canary in turn, and each open key."""
    if isinstance(value, str):
        yield canary
    elif isinstance(value, dict):
        for key, item in value.items():
            for changed in variants(item, canary):
                yield {**value, key: changed}
        yield {**value, canary: "a key of the caller's"}
    elif isinstance(value, list):
        for index, item in enumerate(value):
            for changed in variants(item, canary):
                yield [*value[:index], changed, *value[index + 1 :]]


def valid_calls() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every method as it is meant to be called; none of these may be refused."""
    for name, arguments in CALLS.items():
        yield name, copy.deepcopy(arguments)
        if name == "declare_side_effect":
            yield name, {**arguments, "side_effect_id": "e2"}


def calls(canary: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every method, with each of its strings replaced in turn."""
    for name, arguments in CALLS.items():
        for changed in variants(arguments, canary):
            changed.pop(canary, None)
            yield name, copy.deepcopy(changed)


def constructions(canary: str) -> Iterator[dict[str, Any]]:
    for changed in variants(CONSTRUCTED, canary):
        if canary not in changed:
            yield changed


class Ears:
    """Everything that was logged, with tracebacks, and every exception's text."""

    def __init__(self) -> None:
        self.log = io.StringIO()
        self.said: list[str] = []
        self._handler = logging.StreamHandler(self.log)

    def __enter__(self) -> Self:
        root = logging.getLogger()
        self._level = root.level
        root.setLevel(logging.DEBUG)
        root.addHandler(self._handler)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self._handler)
        logging.getLogger().setLevel(self._level)

    @property
    def text(self) -> str:
        return self.log.getvalue() + "\n".join(self.said)


def leaks(needle: str, root: Path, server: CaptureServer, ears: Ears) -> list[str]:
    """Where the needle is, plain or in the encodings that it may have taken on its way."""
    forms = {needle.encode(), quote(needle, safe="").encode()}
    found = []
    for name, content in files_of(root).items():
        if any(form in name.encode() or form in content for form in forms):
            found.append(name)
    for request in server.requests:
        whole = f"{request.raw_path} {request.headers}".encode() + request.body
        if any(form in whole for form in forms):
            found.append(f"{request.method} {request.raw_path}")
    if any(form.decode() in ears.text for form in forms):
        found.append("the log or an exception")
    return found


def blocking_run(session: DebugSession, canary: str, ears: Ears) -> None:
    with session:
        for name, arguments in valid_calls():
            getattr(session, name)(**arguments)
        for name, arguments in calls(canary):
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                try:
                    getattr(session, name)(**arguments)
                except (ValueError, RuntimeError) as error:
                    ears.said += [str(error), repr(error), str(error.__cause__)]
            ears.said += [str(each.message) for each in warned]
        session.flush()
        ears.said.append(repr(session))
        ears.said += (content.decode("latin-1") for content in files_of(session.out_dir).values())


async def awaited_run(session: AsyncDebugSession, canary: str, ears: Ears) -> None:
    async with session:
        for name, arguments in valid_calls():
            await getattr(session, name)(**arguments)
        for name, arguments in calls(canary):
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                try:
                    await getattr(session, name)(**arguments)
                except (ValueError, RuntimeError) as error:
                    ears.said += [str(error), repr(error), str(error.__cause__)]
            ears.said += [str(each.message) for each in warned]
        await session.flush()


def session_arguments(root: Path, server: CaptureServer) -> dict[str, Any]:
    return {
        "run_id": "r",
        "client_name": "c",
        "out_dir": root,
        "capture_mode": "full",
        "dsn": server.dsn,
    }


@pytest.mark.parametrize("shape", SHAPES)
def test_no_string_of_any_method_gets_past_the_door(tmp_path: Path, shape: str) -> None:
    canary, needle = SHAPES[shape]
    with CaptureServer() as server, Ears() as ears:
        session = DebugSession(**session_arguments(tmp_path / "b", server))
        session.register_secret(REGISTERED, name="mine")
        blocking_run(session, canary, ears)
    assert session.stats.pending == 0
    assert b"***REDACTED" in files_of(tmp_path / "b")["trace.json"]
    assert leaks(needle, tmp_path / "b", server, ears) == []


@pytest.mark.parametrize("shape", SHAPES)
def test_nor_of_the_async_class(tmp_path: Path, shape: str) -> None:
    canary, needle = SHAPES[shape]
    with CaptureServer() as server, Ears() as ears:
        session = AsyncDebugSession(**session_arguments(tmp_path / "b", server))
        session.register_secret(REGISTERED, name="mine")
        anyio.run(awaited_run, session, canary, ears)
    assert leaks(needle, tmp_path / "b", server, ears) == []


@pytest.mark.parametrize("shape", SHAPES)
def test_nor_of_the_constructor(tmp_path: Path, shape: str) -> None:
    canary, needle = SHAPES[shape]
    found = []
    with CaptureServer() as server, Ears() as ears:
        for number, arguments in enumerate(constructions(canary)):
            root = tmp_path / str(number)
            with suppress(ValueError):
                session = DebugSession(
                    out_dir=root, capture_mode="full", dsn=server.dsn, **arguments
                )
                session.register_secret(REGISTERED, name="mine")
                with session:
                    session.record_step(step(0))
                ears.said.append(repr(session))
        found = leaks(needle, tmp_path, server, ears)
    if shape == "registered":
        # Heartbeats begin with the construction, before anything can be registered.
        found = [each for each in found if each != "POST /api/v1/heartbeat"]
    assert found == []


@pytest.mark.parametrize("shape", SHAPES)
def test_nor_of_an_approval_point(tmp_path: Path, shape: str) -> None:
    canary, needle = SHAPES[shape]
    with CaptureServer(hold=0.5) as server, Ears() as ears:
        session = DebugSession(**session_arguments(tmp_path / "b", server))
        session.register_secret(REGISTERED, name="mine")
        with session:
            session.record_step(step(0))
            action = {"type": "type", "params": {"text": canary, canary: 1}}
            for index in (None, 0):
                session.gate(action, step_index=index, key=canary, policy=GatePolicy(timeout=0.05))
    events = [name for name in files_of(tmp_path / "b") if name.startswith("events/")]
    assert events
    assert leaks(needle, tmp_path / "b", server, ears) == []
