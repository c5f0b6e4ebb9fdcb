"""Recall on secrets with a syntax, precision on what looks like them, over a corpus of our own."""

import json
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from augur_sdk.redaction import DefaultRedactionPolicy, RedactionDoor

LEAST = 0.99

Corpus = list[dict[str, Any]]


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


def test_secrets_are_found_and_look_alikes_survive(
    secrets: Corpus, look_alikes: Corpus, capsys: Any
) -> None:
    policy = DefaultRedactionPolicy()
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


def test_the_door_finds_what_the_policy_finds(secrets: Corpus) -> None:
    """The screen over a whole record's JSON text never hides a secret from the rules."""
    missed = [e for e in secrets if leaks(e, through_door(e["input"]))]
    assert not missed


def test_the_door_changes_nothing_that_the_policy_leaves(look_alikes: Corpus) -> None:
    policy = DefaultRedactionPolicy()
    for entry in look_alikes:
        assert through_door(entry["input"]) == policy.apply(entry["input"])


def test_redacting_twice_is_redacting_once(secrets: Corpus, look_alikes: Corpus) -> None:
    policy = DefaultRedactionPolicy()
    for entry in (*secrets, *look_alikes):
        once = policy.apply(entry["input"])
        assert policy.apply(once) == once, entry["family"]


@pytest.mark.usefixtures("without_re2")
def test_without_re2_the_same_is_found(secrets: Corpus, look_alikes: Corpus) -> None:
    policy = DefaultRedactionPolicy()
    assert not [e for e in secrets if leaks(e, policy.apply(e["input"]))]
    assert all(policy.apply(e["input"]) == e["input"] for e in look_alikes)
