"""Model calls and what models thought."""

from common import STARTED, options, step

from augur_sdk import DebugSession

with DebugSession(**options("reasoning")) as session:
    session.record_step(step(0))
    call = {
        "schema_version": "0.1",
        "layer": "planner",
        "ts": STARTED,
        "request": {"model": "m-1", "messages": [{"role": "user", "content": "buy milk"}]},
        "response": {"text": "click the cart", "usage": {"prompt_tokens": 3}},
        "prompt_hash": "h1",
    }
    path = session.record_modelio(dict(call), step_index=0)
    assert session.record_modelio(dict(call), step_index=0) == path
    session.record_modelio({**call, "prompt_hash": "h2"}, step_index=None)
    session.record_reasoning(
        0,
        "the cart is at the top",
        tokens=6,
        format="claude_extended_thinking",
        model="m-1",
        ts=STARTED,
    )
    session.record_reasoning(None, "a plan for the whole run", ts=STARTED)
    session.set_status("succeeded")
