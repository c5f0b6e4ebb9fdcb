"""Recall on secrets with a syntax, precision on what looks like them, over a corpus of our own."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from augur_sdk.redaction import DefaultRedactionPolicy, RedactionDoor

CORPUS = Path(__file__).parent / "corpus"
LEAST = 0.99


def load(name: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((CORPUS / f"{name}.json").read_text("utf-8"))
    return entries


def readings(value: Any) -> str:
    """The value as text, plain and as JSON, so that a secret shows however it is escaped."""
    return "\n".join((*texts(value), json.dumps(value, ensure_ascii=False)))


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    else:
        yield str(value)


def leaks(entry: dict[str, Any], redacted: Any) -> list[str]:
    shown = readings(redacted)
    return [secret for secret in entry["secrets"] if secret in shown]


def through_door(value: Any) -> Any:
    door = RedactionDoor(DefaultRedactionPolicy())
    return orjson.loads(door.record("event", orjson.dumps(value)))


def test_secrets_are_found_and_look_alikes_survive(capsys: Any) -> None:
    policy = DefaultRedactionPolicy()
    secrets, look_alikes = load("secrets"), load("look_alikes")
    missed = [e for e in secrets if leaks(e, policy.apply(e["input"]))]
    damaged = [e for e in look_alikes if policy.apply(e["input"]) != e["input"]]
    recall = 1 - len(missed) / len(secrets)
    precision = (len(secrets) - len(missed)) / (len(secrets) - len(missed) + len(damaged))
    survival = 1 - len(damaged) / len(look_alikes)
    with capsys.disabled():
        print(
            f"\nredaction corpus: {len(secrets)} secrets, recall {recall:.1%}; "
            f"{len(look_alikes)} look-alikes, {survival:.1%} survive, precision {precision:.1%}"
        )
    assert len(secrets) >= 150
    assert len(look_alikes) >= 100
    assert recall >= LEAST, missed
    assert precision >= LEAST, damaged
    assert survival >= LEAST, damaged


def test_the_door_finds_what_the_policy_finds() -> None:
    """The screen over a whole record's JSON text never hides a secret from the rules."""
    missed = [e for e in load("secrets") if leaks(e, through_door(e["input"]))]
    assert not missed


def test_the_door_changes_nothing_that_the_policy_leaves() -> None:
    policy = DefaultRedactionPolicy()
    for entry in load("look_alikes"):
        assert through_door(entry["input"]) == policy.apply(entry["input"])


def test_redacting_twice_is_redacting_once() -> None:
    policy = DefaultRedactionPolicy()
    for entry in (*load("secrets"), *load("look_alikes")):
        once = policy.apply(entry["input"])
        assert policy.apply(once) == once, entry["family"]
