"""The documented sink, on its own."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from augur_sdk.streaming import DSN, StreamingSink
from augur_sdk.streaming.memory import MemorySource
from augur_sdk.testing import Fault, FaultyServer

RUN = "run-1"
CANARY = "canary-7f3a9c"


def as_given(kind: str, body: bytes) -> bytes:
    del kind
    return body


def fragment(**fields: Any) -> Any:
    """A record with as few fields as the wire needs."""
    return fields


def make_sink(server: FaultyServer, **options: Any) -> StreamingSink:
    return StreamingSink(
        DSN.parse(server.dsn),
        client_name="agent",
        client_version="1.0",
        **{"redact": as_given, "flush_timeout": 30.0, **options},
    )


@pytest.fixture
def sink(server: FaultyServer) -> Iterator[StreamingSink]:
    streaming = make_sink(server)
    streaming.begin(run_id=RUN, capture_mode="trace")
    yield streaming
    streaming.end()


def test_everything_it_takes_arrives(server: FaultyServer, sink: StreamingSink) -> None:
    sink.put_trace({"session": {"run_id": RUN}, "steps": []})
    sink.put_step(fragment(step_id="s0", step_index=0, status="running"))
    sink.post_events([fragment(summary="a"), fragment(summary="b")], step_index=0)
    sink.post_screenshot(0, "pre", b"PNG")
    sink.post_modelio("modelio/0000-planner-0.json", {"layer": "planner"})
    sink.post_logs(text="line\n")
    sink.post_logs(text="of a step\n", step_index=0)
    sink.post_side_effect({"side_effect_id": "se", "status": "committed"})
    sink.post_reasoning({"text": "because", "step_index": 0})
    sink.post_outcome({"scope": "session"})
    sink.post_eval_candidate({"step_index": 0, "reason": "r"})
    sink.post_judge_decision(0, {"judge_id": "j"})
    sink.put_session_costs({"total_usd": 1.0})
    sink.post_manifest({"run_id": RUN})
    sink.end()

    run = server.runs[RUN]
    assert run.trace == {"session": {"run_id": RUN}, "steps": []}
    assert run.steps[0]["status"] == "running"
    assert [e["summary"] for e in run.events] == ["a", "b"]
    assert run.screenshots == {(0, "pre"): b"PNG"}
    assert run.modelio == {"0000-planner-0.json": {"layer": "planner"}}
    assert run.logs == {"run": "line\n", "step-0": "of a step\n"}
    assert len(run.side_effects) == len(run.reasoning) == len(run.outcomes) == 1
    assert run.eval_candidates == [{"step_index": 0, "reason": "r"}]
    assert run.judge_decisions[0] == [{"judge_id": "j", "step_index": 0}]
    assert run.costs == {"total_usd": 1.0}
    assert run.manifest == {"run_id": RUN}
    assert sink.stats["accepted"] == sink.stats["delivered"] == 15
    beat = server.heartbeats[0]
    assert beat["last_event"] == "session_opened"
    assert (beat["client_name"], beat["capture_mode"], beat["run_id"]) == ("agent", "trace", RUN)


def test_what_is_sent_is_the_value_at_the_time_of_the_call(
    server: FaultyServer, sink: StreamingSink
) -> None:
    step: Any = {"step_index": 0, "status": "running"}
    sink.put_step(step)
    step["status"] = "failed"
    sink.end()
    assert server.runs[RUN].steps[0]["status"] == "running"


def test_every_record_passes_redaction(server: FaultyServer) -> None:
    seen: list[str] = []

    def redact(kind: str, body: bytes) -> bytes:
        seen.append(kind)
        return body.replace(CANARY.encode(), b"***")

    sink = make_sink(server, redact=redact)
    sink.begin(run_id=RUN, capture_mode="trace")
    sink.post_logs(text=CANARY)
    sink.put_session_costs({"note": CANARY})
    sink.end()
    assert sorted(seen) == ["costs", "log"]
    assert not [r for r in server.requests if CANARY.encode() in r.body]


def test_a_redactor_that_raises_costs_the_record_and_nothing_leaves(server: FaultyServer) -> None:
    def broken(kind: str, body: bytes) -> bytes:
        raise RuntimeError(kind + body.decode())

    sink = make_sink(server, redact=broken)
    sink.begin(run_id=RUN, capture_mode="trace")
    sink.put_session_costs({"total_usd": 1.0})
    sink.end()
    assert server.received("PUT") == []
    assert sink.stats["refused_by_reason"] == {"unreadable": 1}


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__


JUNK: list[Any] = [None, 3, "text", [], {"a": Unprintable()}, {1: {2, 3}}, b"\xff"]


@pytest.mark.parametrize("junk", JUNK)
def test_no_call_raises_whatever_it_is_given(sink: StreamingSink, junk: Any) -> None:
    sink.put_trace(junk)
    sink.put_step(junk)
    sink.post_events(junk, step_index=junk)
    sink.post_screenshot(junk, junk, junk)
    sink.post_modelio(junk, junk)
    sink.post_logs(text=junk, name=junk, step_index=junk)
    sink.post_side_effect(junk)
    sink.post_reasoning(junk)
    sink.post_manifest(junk)
    sink.begin(run_id=junk, capture_mode=junk)


def test_no_call_waits_for_a_server_that_hangs(server: FaultyServer) -> None:
    server.script(fault=Fault.HANG)
    sink = make_sink(server, flush_timeout=0.0)
    sink.begin(run_id=RUN, capture_mode="trace")
    for index in range(1000):
        sink.put_step(fragment(step_index=index))
    sink.end()
    assert sink.stats["pending"] == 1000


def test_what_does_not_fit_is_dropped_and_counted(
    server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds = {"max_items": 10, "max_bytes": 1000}
    monkeypatch.setattr(MemorySource.__init__, "__kwdefaults__", bounds)
    server.stop_listening()
    sink = make_sink(server, flush_timeout=0.0)
    for _ in range(15):
        sink.post_logs(text="x")
    sink.post_screenshot(0, "pre", b"x" * 2000)
    stats = sink.stats
    assert (stats["accepted"], stats["dropped"]) == (10, 6)
    sink.end()


def test_begin_twice_and_end_twice_are_harmless(server: FaultyServer, sink: StreamingSink) -> None:
    sink.begin(run_id="another", capture_mode="trace")
    sink.post_logs(text="x")
    sink.end()
    sink.end()
    sink.post_logs(text="late")
    assert list(server.runs) == [RUN]
    assert sink.stats["dropped"] == 1


def test_nothing_starts_before_begin(server: FaultyServer) -> None:
    before = threading.active_count()
    sink = make_sink(server)
    sink.post_logs(text="early")
    assert threading.active_count() == before
    sink.begin(run_id=RUN, capture_mode="trace")
    sink.end()
    assert server.runs[RUN].logs == {"run": "early"}


def test_several_sinks_share_one_thread(server: FaultyServer) -> None:
    sinks = [make_sink(server) for _ in range(4)]
    for number, sink in enumerate(sinks):
        sink.begin(run_id=f"run-{number}", capture_mode="trace")
    loops = [t for t in threading.enumerate() if "portal" in t.name.lower()]
    for sink in sinks:
        sink.end()
    assert len(loops) <= 1
    gc.collect()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_forked_child_neither_blocks_nor_sends(server: FaultyServer) -> None:
    program = textwrap.dedent(
        f"""
        import os, sys
        from augur_sdk.streaming import DSN, StreamingSink
        sink = StreamingSink(DSN.parse({server.dsn!r}), client_name="a", client_version=None,
                             redact=lambda kind, body: body)
        sink.begin(run_id="parent", capture_mode="trace")
        sink.post_logs(text="parent")
        pid = os.fork()
        if pid == 0:
            sink.post_logs(text="child")
            sink.end()
            os._exit(0 if sink.stats["dropped"] == 1 else 1)
        status = os.waitpid(pid, 0)[1]
        sink.end()
        sys.exit(os.waitstatus_to_exitcode(status))
        """
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], timeout=30, check=False)
    assert done.returncode == 0
    assert server.runs["parent"].logs == {"run": "parent"}


def test_the_token_is_in_no_view_of_the_sink(server: FaultyServer) -> None:
    server.token = CANARY
    sink = make_sink(server)
    assert CANARY not in repr(sink)
    assert CANARY not in repr(vars(sink))


SECRET = "sk-proj-" + "q7Zp3Lw9Xv2Tb5Ny8Kc4" * 2


def test_by_default_no_secret_leaves_in_any_kind_of_record(server: FaultyServer) -> None:
    sink = make_sink(server, redact=None)
    sink.begin(run_id=RUN, capture_mode="trace")
    secretive: Any = {"step_index": 0, "side_effect_id": "s", "run_id": RUN, "note": SECRET}
    sink.put_trace({"session": {"note": SECRET}, "steps": [secretive]})
    sink.put_step(secretive)
    sink.put_session_costs({"total_usd": 1.5, "note": SECRET})
    sink.post_events([secretive], step_index=0)
    sink.post_modelio("modelio/0000-planner-0.json", secretive)
    sink.post_logs(text=f"the key is {SECRET}\n")
    sink.post_side_effect(secretive)
    sink.post_reasoning({"text": SECRET, "step_index": 0})
    sink.post_outcome(secretive)
    sink.post_eval_candidate(secretive)
    sink.post_judge_decision(0, secretive)
    sink.post_manifest(secretive)
    sink.end()
    assert sink.stats["accepted"] == sink.stats["delivered"] == 12
    assert not [r.path for r in server.requests if SECRET.encode() in r.body]
    run = server.runs[RUN]
    assert run.costs is not None
    assert run.costs["total_usd"] == 1.5
    assert run.logs["run"].startswith("the key is ***")
