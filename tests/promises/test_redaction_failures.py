"""Row 20: a redactor that raises or returns junk costs the field, never the record or the agent."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scenarios import event, files_of, read_json, step

from augur_sdk import AsyncDebugSession, DebugSession, DefaultRedactionPolicy
from augur_sdk.redaction import RedactionPolicy
from augur_sdk.validation import validate_bundle

MARKER = "***REDACTED:error***"
CANARY = "the-customer-is-ACME"


def session(folder: Path, policy: RedactionPolicy, **options: Any) -> DebugSession:
    return DebugSession(
        run_id="r",
        client_name="c",
        out_dir=folder,
        capture_mode="full",
        redaction_policy=policy,
        **options,
    )


def raises(_: str) -> str:
    raise ValueError(f"cannot read {CANARY}")


JUNK: dict[str, Callable[[str], Any]] = {
    "raises": raises,
    "none": lambda _: None,
    "number": lambda _: 7,
    "object": lambda _: object(),
}


@pytest.mark.parametrize("junk", JUNK)
def test_a_failing_redactor_costs_the_field(
    tmp_path: Path, junk: str, caplog: pytest.LogCaptureFixture
) -> None:
    policy = DefaultRedactionPolicy()
    policy.add_redactor(lambda text: JUNK[junk](text) if CANARY in text else text)
    with session(tmp_path / "b", policy) as s:
        s.record_step(step(0, intent=f"call {CANARY}"))
        s.record_event(event(0, CANARY))
        s.record_reasoning(0, CANARY)
        s.record_step(step(1))
    root = tmp_path / "b"
    records = read_json(root / "trace.json")["steps"]
    assert [record["intent"] for record in records] == [MARKER, "click button 1"]
    assert records[0]["action"]["params"] == {"x": 0, "y": 2}
    assert s.stats.redaction_failures == 3
    assert s.stats.dropped == {}
    assert validate_bundle(root) == []
    assert not [name for name, content in files_of(root).items() if CANARY.encode() in content]
    assert CANARY not in caplog.text


@pytest.mark.parametrize("junk", ["raises", "object", "none", "number"])
def test_a_policy_that_fails_altogether_leaves_the_structure(tmp_path: Path, junk: str) -> None:
    class Broken(DefaultRedactionPolicy):
        id = "broken-v1"

        def apply(self, value: Any, *, key: str | None = None) -> Any:  # noqa: ARG002 - the base's
            return JUNK[junk](CANARY)

    with session(tmp_path / "b", Broken()) as s:
        for index in range(3):
            s.record_step(step(index, intent=CANARY))
            s.record_event(event(index, CANARY))
    manifest = read_json(tmp_path / "b/manifest.json")
    assert manifest["step_count"] == 3
    steps = read_json(tmp_path / "b/trace.json")["steps"]
    assert [record["status"] for record in steps] == ["succeeded"] * 3
    assert len({record["step_id"] for record in steps}) == 3
    assert s.stats.dropped == {}
    assert s.stats.redaction_failures
    names = [n for n, content in files_of(tmp_path / "b").items() if CANARY.encode() in content]
    assert names == []


@pytest.mark.anyio
async def test_records_are_redacted_on_a_worker_thread(tmp_path: Path) -> None:
    threads: set[int] = set()
    texts: set[str] = set()

    def watch(text: str) -> str:
        threads.add(threading.get_ident())
        texts.add(text)
        return text

    policy = DefaultRedactionPolicy()
    policy.add_redactor(watch)
    policy.add_dropper(lambda _key, value: bool(value == watch("dropper")) and False)
    async with AsyncDebugSession(
        run_id="r",
        client_name="c",
        out_dir=tmp_path / "b",
        capture_mode="full",
        redaction_policy=policy,
    ) as s:
        for index in range(3):
            await s.record_step(step(index))
            await s.record_event(event(index, f"seen {index}"))
            await s.record_reasoning(index, f"thought {index}")
            await s.add_tag("team", f"growth {index}")
    assert {"click button 2", "seen 2", "thought 2", "growth 2", "dropper"} <= texts
    assert threading.get_ident() not in threads
