"""What a policy drops, masks and leaves; how it is extended; that it fails closed."""

import dataclasses
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augur_sdk.redaction import DEFAULT_POLICY_ID, DefaultRedactionPolicy, RedactionPolicy

MASK = "***REDACTED:mask***"
ERROR = "***REDACTED:error***"
DROPPED = [
    "password",
    "passwd",
    "pwd",
    "secret",
    "authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
]
MASKED = ["token", "api_key", "apikey", "ssn", "credit_card", "card_number", "cvv"]


def default() -> DefaultRedactionPolicy:
    return DefaultRedactionPolicy()


@pytest.mark.parametrize("key", DROPPED)
def test_documented_drop_keys_vanish_in_any_case(key: str) -> None:
    for spelling in (key, key.upper(), key.title(), key.replace("-", "_")):
        assert default().apply({spelling: "some value", "kept": 1}) == {"kept": 1}


@pytest.mark.parametrize("key", MASKED)
def test_documented_mask_keys_are_masked_in_any_case(key: str) -> None:
    for spelling in (key, key.upper(), key.title()):
        assert default().apply({spelling: "some value"}) == {spelling: MASK}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Authorization: Bearer abc.def-123", "bearer"),
        ("key sk-proj-0123456789abcdefABCDEF0123456789", "api_key"),
        ("AKIAIOSFODNN7EXAMPLE", "aws_key"),
        ("Cookie: sid=1234; theme=dark", "cookie_header"),
        ("Set-Cookie: sid=1234; Path=/", "set_cookie"),
        ("mail bob@shop.example", "email"),
        ("password=hunter2", "password_kv"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "jwt"),
    ],
)
def test_documented_text_rules_name_their_kind(text: str, kind: str) -> None:
    assert f"***REDACTED:{kind}***" in default().apply(text)


@pytest.mark.parametrize(
    "text", ["'bob@shop.co'", "-u'bob@shop.co'", "to='bob@shop.co'", "('n@b.co')"]
)
def test_an_address_in_quotes_is_an_address(text: str) -> None:
    assert "@" not in DefaultRedactionPolicy().apply(f"send it to {text} please")


def test_the_default_policy_has_the_documented_id() -> None:
    assert default().id == DEFAULT_POLICY_ID == "default-pii-v1"


def test_a_bare_policy_does_only_what_it_is_told() -> None:
    policy = RedactionPolicy(drop_keys={"Notes"}, mask_keys=["vip"])
    value = {"notes": "x", "VIP": True, "password": "hunter2", "mail": "bob@shop.example"}
    assert policy.apply(value) == {"VIP": MASK, "password": "hunter2", "mail": "bob@shop.example"}
    assert RedactionPolicy().apply(value) == value


def test_class_attributes_of_a_subclass_are_honoured() -> None:
    class Mine(DefaultRedactionPolicy):
        id = "mine-v1"
        drop_keys = DefaultRedactionPolicy.drop_keys | {"internalNote"}
        mask_keys = frozenset({"customer"})
        keep_keys = frozenset({"session_cookie"})

    policy = Mine()
    assert policy.id == "mine-v1"
    assert policy.apply({"internal_note": 1, "customer": "ACME", "a": 1}) == {
        "customer": MASK,
        "a": 1,
    }
    assert policy.apply({"Session-Cookie": "abc123"}) == {"Session-Cookie": "abc123"}
    assert policy.apply({"token": "abc"}) == {"token": MASK}, "the grammar still knows it"


def test_key_sets_can_be_changed_on_a_living_policy() -> None:
    policy = default()
    assert policy.apply({"colour": "red"}) == {"colour": "red"}
    policy.drop_keys = policy.drop_keys | {"colour"}
    assert policy.apply({"colour": "red"}) == {}


def test_an_overridden_apply_is_what_runs() -> None:
    class Shouting(DefaultRedactionPolicy):
        def apply(self, value: Any, *, key: str | None = None) -> Any:
            redacted = super().apply(value, key=key)
            return redacted.upper() if isinstance(redacted, str) else redacted

    assert Shouting().apply("hello bob@shop.example") == "HELLO ***REDACTED:EMAIL***"


def test_a_subclass_that_forgets_super_init_still_works() -> None:
    class Forgetful(DefaultRedactionPolicy):
        def __init__(self) -> None:
            self.mine = True

    policy = Forgetful()
    policy.add_redactor(str.upper)
    assert policy.apply({"a": "b"}) == {"a": "B"}
    assert Forgetful().redactors == []


def test_redactors_run_over_every_string_value_after_the_rules() -> None:
    policy = default()
    seen: list[str] = []

    def hide_customer(text: str) -> str:
        seen.append(text)
        return text.replace("ACME", "[customer]")

    policy.add_redactor(hide_customer)
    value = {"a": ["for ACME", {"b": ("ACME",)}], "mail": "bob@shop.example"}
    assert policy.apply(value) == {
        "a": ["for [customer]", {"b": ("[customer]",)}],
        "mail": "***REDACTED:email***",
    }
    assert "***REDACTED:email***" in seen


def test_droppers_remove_fields() -> None:
    policy = default()
    policy.add_dropper(lambda key, value: key.startswith("x_") or value == 7)
    assert policy.apply({"x_a": 1, "b": 7, "c": {"x_d": 1, "e": 2}}) == {"c": {"e": 2}}


def raising(*_: Any) -> Any:
    raise ValueError("a secret: hunter2")


@pytest.mark.parametrize(
    "junk", [raising, lambda _: None, lambda _: 7, lambda _: b"x", lambda _: []]
)
def test_a_redactor_that_raises_or_returns_junk_hides_the_field_only(junk: Any) -> None:
    policy = default()
    policy.add_redactor(lambda text: junk(text) if "bad" in text else text)
    assert policy.apply({"a": "bad", "b": ["bad", "good"], "c": 1}) == {
        "a": ERROR,
        "b": [ERROR, "good"],
        "c": 1,
    }


@pytest.mark.parametrize("junk", [raising, lambda *_: "yes", lambda *_: 7, lambda *_: []])
def test_a_dropper_that_raises_or_returns_junk_hides_the_field_only(junk: Any) -> None:
    policy = default()
    policy.add_dropper(lambda key, value: junk(key, value) if key == "bad" else False)
    assert policy.apply({"bad": "x", "good": "y"}) == {"bad": ERROR, "good": "y"}


def test_reasoning_redactors_run_on_the_text_of_reasoning_only() -> None:
    policy = default()
    policy.add_reasoning_redactor(lambda text: text.replace("plan", "[plan]"))
    trace = {"text": "my plan: mail bob@shop.example", "model": "plan-9", "step_index": 1}
    assert policy.apply_reasoning(trace) == {
        "text": "my [plan]: mail ***REDACTED:email***",
        "model": "plan-9",
        "step_index": 1,
    }
    assert policy.apply({"text": "my plan"}) == {"text": "my plan"}
    policy.add_reasoning_redactor(raising)
    assert policy.apply_reasoning(trace)["text"] == ERROR


def test_the_callers_value_is_neither_changed_nor_shared() -> None:
    value = {"a": {"b": [1, {"c": "bob@shop.example"}]}, "password": "x", "t": ([1],)}
    before = repr(value)
    redacted = default().apply(value)
    clean = {"a": {"b": [1]}}
    copied = default().apply(clean)
    copied["a"]["b"].append(2)
    redacted["a"]["b"].append(2)
    assert repr(value) == before
    assert clean == {"a": {"b": [1]}}


@dataclass
class Login:
    user: str
    password: str


def test_values_of_every_type_are_looked_into() -> None:
    redacted = default().apply(
        {
            "tuple": ("bob@shop.example", 1),
            "set": {"bob@shop.example"},
            "frozen": frozenset({"x", "bob@shop.example"}),
            "bytes": b"mail bob@shop.example",
            "binary": b"\x89PNG\xff\x00",
            "path": Path("/home/bob@shop.example/x"),
            "decimal": Decimal("1.5"),
            "login": Login("bob", "hunter2"),
            b"password": "hunter2",
            7: "bob@shop.example",
            ("a", "bob@shop.example"): 1,
            "bob@shop.example": 2,
            "alice@shop.example": 3,
        }
    )
    shown = repr(redacted)
    assert "bob@" not in shown
    assert "alice@" not in shown
    assert "hunter2" not in shown
    assert redacted["tuple"] == ("***REDACTED:email***", 1)
    assert redacted["binary"] == b"\x89PNG\xff\x00"
    assert redacted["decimal"] == Decimal("1.5")
    assert redacted["login"] == {"user": "bob"}
    assert [redacted[key] for key in redacted if str(key).startswith("***")] == [2, 3]


def test_pairs_and_named_values_lose_their_secrets() -> None:
    value = [
        ["Authorization", "Basic YTpi"],
        ("X-Api-Key", b"kk"),
        [b"cookie", b"a=b"],
        ["Host", "h"],
    ]
    assert default().apply(value) == [
        ["Authorization", MASK],
        ("X-Api-Key", MASK),
        [b"cookie", MASK],
        ["Host", "h"],
    ]
    assert default().apply({"name": "Cookie", "value": "a=b"}) == {"name": "Cookie", "value": MASK}


def test_cycles_and_abysses_are_hidden_not_followed() -> None:
    loop: dict[str, Any] = {"mail": "bob@shop.example"}
    loop["again"] = [loop, loop]
    assert default().apply(loop) == {"mail": "***REDACTED:email***", "again": [ERROR, ERROR]}
    deep: Any = "bob@shop.example"
    for _ in range(5000):
        deep = [deep]
    assert "bob@" not in repr_of_deep(default().apply(deep))


def repr_of_deep(value: Any) -> str:
    while isinstance(value, list):
        value = value[0]
    return str(value)


def test_a_value_whose_methods_raise_is_hidden() -> None:
    class Hostile:
        def __str__(self) -> str:
            raise ValueError("hunter2")

    assert default().apply({"a": Hostile(), "b": 1}) == {"a": ERROR, "b": 1}


def test_the_key_argument_is_the_key_it_stands_under() -> None:
    assert default().apply("x", key="password") is None
    assert default().apply("x", key="token") == MASK
    assert default().apply(12, key="token") == 12
    assert default().apply("x", key="other") == "x"


def test_model_tokens_survive_and_spelled_secrets_do_not() -> None:
    entries = [
        {"token": word, "logprob": -0.1, "token_id": 5} for word in ("Click", " the", " box")
    ]
    assert default().apply({"logprobs": entries}) == {"logprobs": entries}
    key = "sk-proj-0123456789abcdefABCDEF0123456789"
    spelled = [{"token": key[i : i + 4], "logprob": -0.1, "token_id": i} for i in range(0, 40, 4)]
    redacted = default().apply([{"token": "Key: ", "logprob": -1}, *spelled])
    assert redacted[0]["token"] == "Key: "
    assert {entry["token"] for entry in redacted[1:]} == {MASK}
    assert not any("token_id" in entry for entry in redacted[1:])


def test_a_tool_that_describes_a_password_keeps_its_schema() -> None:
    schema = {"properties": {"password": {"type": "string"}, "token": {"type": "string"}}}
    assert default().apply(schema) == schema


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)

PIECES = """
password secret token Cookie Set-Cookie Authorization bearer Basic Ym9iOmh1bnRlcjI= = : " ' \\ \\"
{ } [ ] , ; & ? %40 @ . :// sk-abcdefghij0123456789AB bob@shop.example eyJabcdefg.eyJabc
4111 1111111 hunter2 ***REDACTED:mask*** ***REDACTED: --- AKIAIOSFODNN7EXAMPLE \u200b \uff50
user api_key is pin 4711 <input type= value= > </ ghp_ *** a b 1 x.co \\n %3D
"""
PIECE = st.sampled_from([*PIECES.split(), " ", "\n", "-----BEGIN PRIVATE KEY-----"])
FRAGMENTS = st.lists(PIECE, max_size=14).map("".join) | st.lists(PIECE, max_size=9).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_any_json_value_comes_out_and_stays_as_it_came_out(value: Any) -> None:
    policy = default()
    once = policy.apply(value)
    assert policy.apply(once) == once


@settings(max_examples=600, deadline=None)
@given(FRAGMENTS)
def test_text_redacted_twice_is_text_redacted_once(text: str) -> None:
    policy = default()
    once = policy.apply(text)
    assert policy.apply(once) == once
    record = policy.apply({"key": text, text: 1, "list": [text, text]})
    assert policy.apply(record) == record


def test_a_policy_is_a_dataclass() -> None:
    policy = DefaultRedactionPolicy()
    policy.add_redactor(str.upper)
    copy = dataclasses.replace(policy, id="mine", mask_keys=frozenset({"colour"}))
    assert isinstance(copy, DefaultRedactionPolicy)
    assert (copy.id, copy.redactors, copy.drop_keys) == ("mine", [str.upper], policy.drop_keys)
    assert copy.apply({"colour": "red"}) == {"colour": "***REDACTED:mask***"}
    assert policy.apply({"colour": "red"}) == {"colour": "RED"}
    copy.add_redactor(str.lower)
    assert policy.redactors == [str.upper]


def test_a_policys_fields_may_be_given_by_place() -> None:
    policy = RedactionPolicy("mine", frozenset({"a"}), frozenset({"b"}), [str.upper])
    assert policy.apply({"a": 1, "b": 2, "c": "d"}) == {"b": "***REDACTED:mask***", "c": "D"}


@pytest.mark.parametrize(
    "text",
    [
        "bearer abc.def.ghi",
        "Bearer mytoken",
        "sent bearer tok1 along",
        "BEARER%20a-b-c",
        "Bearer xyz",
    ],
)
def test_a_bare_token_after_its_scheme_is_masked(text: str) -> None:
    assert "***REDACTED:bearer***" in DefaultRedactionPolicy().apply(text)


@pytest.mark.parametrize(
    "text",
    [
        "use bearer authentication",
        "the bearer of bad news",
        "Bearer token required",
        "the ring bearer walked home",
        "bearer tokens expire",
        "Bearer <token>",
        "Bearer is the scheme",
    ],
)
def test_words_after_bearer_are_no_token(text: str) -> None:
    assert DefaultRedactionPolicy().apply(text) == text
