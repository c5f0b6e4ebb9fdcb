"""An adapter of one's own, and a log of model calls imported by the base for them."""

import json
from typing import Any

from common import OUT, STARTED, event, options, step

from augur_sdk import DebugSession, ModelApiAdapterBase


class Sample:
    """What the SDK's protocol for adapters asks."""

    name = "sample"
    SUPPORTED_SCHEMA_RANGE = ("0.1", "0.1")

    def on_run_start(self, *, run_id: str, client_version: str) -> dict[str, str] | None:
        return {"adapter": f"{self.name} {client_version} {run_id}"}

    def on_step(self, raw_step: Any) -> Any:
        return step(raw_step["n"])

    def on_action(self, raw_action: Any, step_index: int) -> dict[str, Any]:  # noqa: ARG002 - the protocol
        return {"type": raw_action["kind"]}

    def on_decision(self, raw_event: Any, step_index: int | None) -> Any:
        return event(step_index, raw_event)

    def on_run_end(self, *, status: str) -> None:
        pass


class Log(ModelApiAdapterBase):
    """Tool calls in a form that nobody else has."""

    name = "log"

    def iter_tool_calls(self, messages: Any) -> Any:
        for turn, message in enumerate(messages):
            for number, call in enumerate(message.get("calls", [])):
                yield turn, number, call


adapter = Sample()
with DebugSession(**options("adapter")) as session:
    for name, value in (adapter.on_run_start(run_id="r", client_version="1") or {}).items():
        session.add_tag(name, value)
    session.record_event(adapter.on_decision("begin", None))
    key: Any = {**adapter.on_step({"n": 0}), "action": adapter.on_action({"kind": "key"}, 0)}
    session.record_step(key)
    session.set_status("succeeded")
    adapter.on_run_end(status="succeeded")

log = OUT / "log.json"
messages = [
    {"role": "user", "content": "buy milk", "timestamp": STARTED},
    {"role": "assistant", "content": "I click", "calls": [{"type": "click", "x": 1, "y": 2}]},
]
log.write_text(json.dumps({"messages": messages, "metadata": {"run_id": "run_log"}}))
Log().bundle_from_input(log, OUT / "imported")
