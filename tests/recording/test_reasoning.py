from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from both_classes import Open
from scenarios import STARTED

from augur_sdk import DefaultRedactionPolicy


def test_reasoning_stands_in_the_order_recorded(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        first = session.record_reasoning(
            2, "think", tokens=7, format="claude_extended_thinking", model="m", ts=STARTED
        )
        session.record_reasoning(None, "of the whole run", format="openai_reasoning_summary")
        session.record_reasoning(0, "")
    assert first == {
        "ts": STARTED,
        "step_index": 2,
        "text": "think",
        "tokens": 7,
        "format": "claude_extended_thinking",
        "model": "m",
    }
    lines = (bundle / "events/reasoning.jsonl").read_bytes().splitlines()
    stored = [orjson.loads(line) for line in lines]
    assert stored[0] == first
    assert [line.get("step_index", "run") for line in stored] == [2, "run", 0]
    assert [line["format"] for line in stored[1:]] == [
        "openai_reasoning_summary",
        "adapter_inferred",
    ]


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ((-1, "x"), {}),
        ((0, None), {}),
        ((0, "x"), {"format": "dream"}),
        ((0, "x"), {"tokens": "many"}),
        ((0, "x"), {"ts": ""}),
    ],
    ids=repr,
)
def test_reasoning_that_cannot_be_understood_is_a_value_error(
    open_session: Open, bundle: Path, arguments: tuple[Any, ...], options: dict[str, Any]
) -> None:
    with open_session() as session, pytest.raises(ValueError, match="expected"):
        session.record_reasoning(*arguments, **options)
    assert not (bundle / "events").exists()


def test_reasoning_has_redactors_of_its_own(open_session: Open, bundle: Path) -> None:
    policy = DefaultRedactionPolicy()
    policy.add_reasoning_redactor(lambda text: text.replace("the plan", "[plan]"))
    with open_session(redaction_policy=policy) as session:
        session.record_reasoning(
            0, "now the plan, mail me at someone@example.com", model="the plan"
        )
    (line,) = (bundle / "events/reasoning.jsonl").read_text(encoding="utf-8").splitlines()
    record = orjson.loads(line)
    assert record["text"] == "now [plan], mail me at ***REDACTED:email***"
    assert record["model"] == "the plan"


def test_a_log_chunk_stays_out_of_the_bundle_without_a_server(
    open_session: Open, bundle: Path
) -> None:
    with open_session() as session:
        session.append_log("a line\n")
        session.append_log("a line\n", step_index=3, name="runner")
        stats = session.flush()
    assert not (bundle / "logs").exists()
    assert stats.accepted == stats.stored
