"""The one look before any rule never hides a secret from a rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augur_sdk.redaction import DefaultRedactionPolicy
from augur_sdk.redaction.anchors import AnchorSet, encode, literals, pattern
from augur_sdk.redaction.rule import Rule
from augur_sdk.redaction.text_rules import default_rules
from augur_sdk.redaction.walk import Walk

Corpus = list[dict[str, Any]]


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def rules() -> tuple[Rule, ...]:
    return default_rules()._rules


def test_no_rule_changes_a_text_without_its_anchors(secrets: Corpus, look_alikes: Corpus) -> None:
    for text in (t for e in (*secrets, *look_alikes) for t in strings(e["input"])):
        hits = default_rules()._anchors.hits(encode(text))
        for number, rule in enumerate(rules()):
            if number not in hits:
                assert rule.redact(text) == text, rule.name


def test_whatever_a_walk_would_change_the_screen_sees_in_the_json(secrets: Corpus) -> None:
    """Before, behind and inside other text, after a line end and a quotation mark."""
    policy = DefaultRedactionPolicy()
    for entry in secrets:
        value = entry["input"]
        inputs = [value]
        if isinstance(value, str):
            inputs += [f"x\n{value}", f'"{value}"', f"{value}\n", f"a\t{value}, b", {value: 1}]
        for wrapped in inputs:
            if Walk(policy).value(wrapped) != wrapped:
                assert policy.may_change(orjson.dumps(wrapped)), entry["family"]


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "userPin",
                "PIN",
                "smsOtp",
                "cardNo",
                "db_pass",
                "passKey",
                "iban",
                "mySSN",
                "cvv2",
                "auth_code",
                "seedPhrase",
                "cc_num",
                "jwtValue",
                "sessionId",
                "pass",
                "accessKeyId",
                "x-csrf",
                "sharedSecret",
                "ApiToken",
                "Kennwort",
                "connectionString",
                "a",
            ]
        ),
        st.sampled_from(
            ["4711", 4711, "hunter2x", "abandon ability able about", ["x1y2"], True, None]
        ),
    )
)
def test_whatever_key_the_grammar_knows_the_screen_sees(value: dict[str, Any]) -> None:
    policy = DefaultRedactionPolicy()
    if Walk(policy).value(value) != value:
        assert policy.may_change(orjson.dumps(value))


def test_own_keys_of_a_policy_are_seen() -> None:
    class Mine(DefaultRedactionPolicy):
        drop_keys = frozenset({"internalNote", "größe", "x"})

    for key in ("internal-note", "INTERNAL_NOTE", "größe", "X"):
        assert Mine().apply({key: 1, "b": 2}) == {"b": 2}


ANCHORS = {0: literals("Alpha", "be.ta"), 1: (pattern("[0-9]{3}-x"),), 2: literals("a"), 3: ()}
TEXTS = [
    ("", []),
    ("ALPHA", [0, 2]),
    ("beXta", [2]),
    ("be.TA 123-X", [0, 1, 2]),
    ("12-x \u00e9", []),
]


@pytest.mark.parametrize(("text", "groups"), TEXTS)
def test_an_anchor_set_tells_the_groups_that_occur(text: str, groups: list[int]) -> None:
    assert AnchorSet(ANCHORS).hits(text.encode()) == groups


@pytest.mark.usefixtures("without_re2")
@pytest.mark.parametrize(("text", "groups"), TEXTS)
def test_without_re2_groups_without_a_literal_always_occur(text: str, groups: list[int]) -> None:
    assert AnchorSet(ANCHORS).hits(text.encode()) == sorted({*groups, 1})
