"""A run that says something recognizable in every argument of every recording method."""

from __future__ import annotations

from typing import Any

from scenarios import STARTED, chunk, png

COSTS = {"total_usd": 0.25, "tokens_in": 11}
LATENCY = {"planner_ms": 7, "total_ms": 9}

CONTENT = {
    "intent",
    "action_params",
    "grounding",
    "reason",
    "recovery",
    "versions",
    "env",
    "judge",
    "event",
    "event_detail",
    "candidate",
    "outcome",
    "task_class",
    "resource",
    "effect_action",
    "result",
    "abort_reason",
    "idempotency",
    "compensation",
    "verifier",
    "log_ref",
}
LOGS = {"log"}
"""What only the server gets, in mode `trace` and above."""

"""What a run of mode `trace` and above may keep."""

MODEL_TALK = {"prompt", "answer", "logprob", "thought", "model_name"}
"""What a run of mode `model_io` and above may keep."""

RUN_CONTENT = {"tag", "instruction", "mutation", "live"}
"""What the session record of a run of mode `trace` and above may keep."""

PICTURE = {"url", "title", "pixels"}
"""What a run of mode `screenshots` and above may keep."""

ALL = CONTENT | MODEL_TALK | RUN_CONTENT | PICTURE


def canary(name: str) -> str:
    """A word that appears nowhere else; no secret, so that no rule masks it."""
    return f"canary of {name} here"


def found_in(data: bytes) -> set[str]:
    """The names whose canaries are in some bytes."""
    return {name for name in ALL | LOGS if canary(name).encode() in data}


def picture(index: int) -> bytes:
    """A picture that holds a canary where no session takes anything out: behind its pixels."""
    whole, end = png(index), len(chunk(b"IEND", b""))
    return whole[:-end] + chunk(b"IDAT", canary("pixels").encode()) + whole[-end:]


def whole_step(index: int, **fields: Any) -> Any:
    """A step that says something in every field."""
    return {
        "step_id": f"s{index}",
        "step_index": index,
        "step_type": "click",
        "status": "failed",
        "failure_class": "no_state_change",
        "started_at": STARTED,
        "ended_at": STARTED,
        "duration_ms": 12,
        "intent": canary("intent"),
        "costs": dict(COSTS),
        "latency": dict(LATENCY),
        "action": {"type": "click", "params": {"label": canary("action_params")}},
        "grounding": {
            "provider": "g",
            "provenance": "screenshot",
            "target_label": canary("grounding"),
        },
        "verdict": {"status": "failed", "reason": canary("reason")},
        "recovery_decision": {"type": "retry", "reason": canary("recovery")},
        "captured_versions": {"prompt": canary("versions")},
        "env_fingerprint": {"url_path_template": canary("env")},
        "observation_pre": f"screenshots/{index:04d}_pre.png",
        "logs": [canary("log_ref")],
        **fields,
    }


def before_the_step(session: Any, index: int) -> str:
    """What usually comes before the step itself; returns a declared effect's id."""
    session.attach_observation(
        step_index=index,
        kind="pre",
        png_bytes=picture(index),
        url=canary("url"),
        title=canary("title"),
    )
    session.record_event(
        {
            "ts": STARTED,
            "step_index": index,
            "layer": "planner",
            "kind": "decision",
            "summary": canary("event"),
            "detail": {"d": canary("event_detail")},
        }
    )
    session.record_modelio(
        {
            "layer": "planner",
            "request": {
                "model": canary("model_name"),
                "messages": [{"role": "user", "content": canary("prompt")}],
            },
            "response": {
                "text": canary("answer"),
                "logprobs": [{"token": canary("logprob"), "logprob": -1.0}],
            },
        },
        step_index=index,
    )
    session.record_reasoning(index, canary("thought"), model=canary("model_name"))
    settled = session.declare_side_effect(index, canary("resource"), canary("effect_action"))
    session.commit_side_effect(settled, {"r": canary("result")})
    made: str = session.declare_side_effect(
        index,
        canary("resource"),
        canary("effect_action"),
        idempotency_key=canary("idempotency"),
        compensation_handle=canary("compensation"),
    )
    return made


def after_the_step(session: Any, index: int, made: str) -> None:
    """What usually comes after the step."""
    session.attach_observation(
        step_index=index, kind="post", png_bytes=picture(index), title=canary("title")
    )
    session.record_event(
        {
            "ts": STARTED,
            "step_index": index,
            "layer": "verifier",
            "kind": "info",
            "summary": canary("event"),
        }
    )
    session.record_reasoning(index, canary("thought"))
    session.append_log(canary("log"), step_index=index)
    session.record_modelio(
        {
            "layer": "judge",
            "request": {"model": canary("model_name")},
            "response": {"text": canary("answer")},
        },
        step_index=index,
    )
    session.attach_verifier(
        index, status="failed", check=canary("verifier"), expected=canary("verifier")
    )
    session.record_judge_decision(
        index,
        judge_id=canary("judge"),
        judge_type="model",
        verdict={"status": "failed", "reason": canary("judge")},
    )
    session.set_step_versions(index, prompt=canary("versions"))
    session.attach_env_fingerprint(index, url_path_template=canary("env"))
    session.mark_for_eval(index, canary("candidate"))
    session.finalize_outcome(
        scope="step",
        step_index=index,
        verdict={"status": "failed", "reason": canary("outcome")},
        task_class=canary("task_class"),
    )
    session.mark_side_effect_aborted(made, canary("abort_reason"))


def of_the_run(session: Any) -> None:
    """What belongs to no step."""
    session.add_tag("k", canary("tag"))
    session.set_live_endpoints(status_url=canary("live"))
    session.set_task_spec({"instruction": canary("instruction")})
    session.record_event(
        {"ts": STARTED, "layer": "runner", "kind": "info", "summary": canary("event")}
    )
    session.record_reasoning(None, canary("thought"))
    session.finalize_outcome(verdict={"status": "failed", "reason": canary("outcome")})
    session.set_costs(total_usd=0.5)


def whole_run(session: Any, **step_fields: Any) -> None:
    """Every recording method, with a canary in every argument that can hold one."""
    of_the_run(session)
    made = before_the_step(session, 0)
    session.flush()
    session.record_step(whole_step(0, **step_fields))
    session.flush()
    after_the_step(session, 0, made)
    session.record_step_iteration(0, whole_step(0, step_id="again", **step_fields))
