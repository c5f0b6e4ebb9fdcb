"""A registered secret is masked in every form, is never shown, and never leaves the process."""

from __future__ import annotations

import base64
import copy
import json
import logging
import pickle
import re
import threading
import warnings
from typing import Any
from urllib.parse import quote, quote_plus

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augur_sdk.redaction import DefaultRedactionPolicy, RedactionDoor, SecretRegistry, SecretWarning

SECRET = 'hünter2 & "co"/9'
MARK = "***REDACTED:secret***"


def registry(*values: str) -> SecretRegistry:
    secrets = SecretRegistry()
    for value in values:
        assert secrets.register(value)
    return secrets


def door(*values: str) -> RedactionDoor:
    return RedactionDoor(DefaultRedactionPolicy(), registry(*values))


FORMS = {
    "plain": SECRET,
    "json": json.dumps(SECRET),
    "json in utf-8": json.dumps(SECRET, ensure_ascii=False),
    "json twice": json.dumps(json.dumps(SECRET)),
    "json thrice": json.dumps(json.dumps(json.dumps({"a": SECRET}))),
    "url": quote(SECRET, safe=""),
    "url with slashes": quote(SECRET),
    "url lower case": re.sub("%..", lambda m: m[0].lower(), quote(SECRET, safe="")),
    "form": quote_plus(SECRET),
    "url twice": quote(quote(SECRET, safe=""), safe=""),
    "html": "h\u00fcnter2 &amp; &quot;co&quot;/9",
    "python": repr(SECRET),
    "hex": SECRET.encode().hex(),
    "spelled": " ".join(SECRET),
    "printed list": repr(list("hunter-7")),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("engine", ["re2", "re"])
def test_every_form_is_masked(name: str, engine: str, request: pytest.FixtureRequest) -> None:
    if engine == "re":
        request.getfixturevalue("without_re2")
    masked = registry(SECRET, "hunter-7").mask(f"a {FORMS[name]} b")
    assert MARK in masked
    assert "nter2" not in masked
    assert masked.startswith("a ")
    assert masked.endswith(" b")


@settings(max_examples=150, deadline=None)
@given(
    st.text(st.characters(codec="utf-8", exclude_characters="*"), min_size=6, max_size=40),
    st.binary(max_size=7),
    st.binary(max_size=7),
)
def test_base64_is_masked_at_every_alignment(secret: str, before: bytes, after: bytes) -> None:
    secrets = SecretRegistry()
    if not secrets.register(secret, quiet=True):
        return
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(before + secret.encode() + after).decode()
        assert MARK in secrets.mask(text)


@settings(max_examples=150, deadline=None)
@given(st.text(min_size=5, max_size=30))
def test_whatever_is_accepted_is_gone_from_a_record(secret: str) -> None:
    out = door()
    if not out.secrets.register(secret, quiet=True):
        return
    try:
        raw = orjson.dumps({"a": f"x{secret}y", secret: [secret, json.dumps({"k": secret})]})
    except orjson.JSONEncodeError:  # a lone surrogate; the recorder repairs those first
        return
    assert secret not in orjson.loads(out.record("event", raw)).values()
    assert json.dumps(secret)[1:-1] not in json.dumps(orjson.loads(out.record("event", raw)))


def test_it_is_masked_everywhere_in_a_record() -> None:
    out = door("hunter2")
    value = {
        "hunter2": 1,
        "deep": [{"x": ("a hunter2 b",)}],
        "arguments": '{"text": "hunter2"}',
        "dom": "<input value='hunter2'>",
        "url": "https://x.example/?q=hunter2",
        "hidden": "hun\u200bter2",
    }
    redacted = out.record("modelio", orjson.dumps(value))
    assert b"hunter2" not in redacted
    assert b"ter2" not in redacted


def test_a_number_is_masked_as_number_and_as_text() -> None:
    out = door("493817")
    redacted = orjson.loads(out.record("event", b'{"a":493817,"b":"code 493817","c":49381}'))
    assert redacted == {"a": MARK, "b": f"code {MARK}", "c": 49381}


SPLIT: list[Any] = [
    list("hunter2"),
    ["hun", "ter2"],
    ["h", "u", "Shift", "n", "t", "e", "r", "2", "Enter"],
    [{"type": "keydown", "key": c} for c in "hunter2"],
    [e for c in "hunter2" for e in ({"type": "keydown", "key": c}, {"type": "keyup", "key": c})],
    [{"type": "type", "text": "hun"}, {"type": "wait"}, {"type": "type", "text": "ter2"}],
    [{"action": {"type": "type", "params": {"text": part}}} for part in ("hu", "nter", "2")],
    [{"token": "hun", "logprob": -1.0}, {"token": "ter2", "logprob": -0.5}],
]


@pytest.mark.parametrize("pieces", SPLIT, ids=range(len(SPLIT)))
def test_key_presses_that_spell_it_are_masked(pieces: list[Any]) -> None:
    redacted = door("hunter2").record("event", orjson.dumps({"typed": ["a", "b"], "keys": pieces}))
    for piece in ("ter2", '"h"', '"2"', "hun", '"nter"'):
        assert piece.encode() not in redacted
    assert orjson.loads(redacted)["typed"] == ["a", "b"]


def test_other_lists_are_left_alone() -> None:
    value = {"keys": ["Control", "c"], "words": ["hunter", "gatherer"]}
    assert orjson.loads(door("hunter2").record("event", orjson.dumps(value))) == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        "abc",
        "1234",
        "12345",
        "aaaaaaa",
        "-----",
        "click",
        "Succeeded",
        "password",
        "REDACTED",
        "screenshots/0003_pre.png",
        "2026-01-01T00:00:00Z",
        "mask***",
        "step_index",
    ],
)
def test_what_cannot_be_told_apart_is_refused_with_a_warning(value: str) -> None:
    secrets = SecretRegistry()
    with pytest.warns(SecretWarning) as caught:
        assert not secrets.register(value, name="login")
    assert len(secrets) == 0
    assert len(value) < 5 or value not in str(caught[0].message)


def test_a_value_that_is_no_text_is_refused_with_a_warning() -> None:
    with pytest.warns(SecretWarning, match="expected a str"):
        assert not SecretRegistry().register(12345678)  # type: ignore[arg-type]  # on purpose


def test_the_name_is_in_the_marker_unless_it_tells_the_secret() -> None:
    secrets = SecretRegistry()
    secrets.register("hunter2", name="login password")
    secrets.register("swordfish", name="swordfish key")
    assert secrets.mask("hunter2") == "***REDACTED:secret.login_password***"
    assert secrets.mask("swordfish") == MARK
    secrets.register("login_password")
    assert secrets.mask(secrets.mask("hunter2")) == "***REDACTED:secret.login_password***"


def test_it_is_shown_pickled_and_copied_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    out = door("hunter2")
    for thing in (out, out.secrets):
        assert (
            "hunter2"
            not in f"{thing!r} {thing!s} {vars(thing) if hasattr(thing, '__dict__') else ''}"
        )
        for leave in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError) as caught:
                leave(thing)
            assert "hunter2" not in str(caught.value)
    out.text("hunter2 and more")
    assert "hunter2" not in caplog.text
    assert "hunter2" not in json.dumps(out.report())


def test_secrets_of_one_session_are_not_those_of_another() -> None:
    door("hunter2")
    assert door().text("hunter2") == "hunter2"


def test_many_secrets_are_all_found() -> None:
    values = [f"value-{number:05d}-x" for number in range(300)]
    secrets = registry(*values)
    assert len(secrets) == 300
    assert secrets.mask(" ".join(values)) == " ".join([MARK] * 300)
    assert secrets.mask("value-00300-x") == "value-00300-x"


def test_registering_while_masking_is_safe() -> None:
    secrets, failures = SecretRegistry(), []

    def register(start: int) -> None:
        try:
            for number in range(start, start + 40):
                secrets.register(f"value-{number:05d}-x")
                assert secrets.mask(f"a value-{number:05d}-x") == f"a {MARK}"
        except Exception as error:  # noqa: BLE001 - handed to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=register, args=(n * 40,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(secrets) == 160


def step(**changes: Any) -> dict[str, Any]:
    return {
        "step_id": "s-1",
        "step_index": 1,
        "action": {"type": "type", "params": {"text": "Zx9!qq", "selector": "#q"}},
        "grounding": {"target_label": "Search box"},
        **changes,
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"sensitive": True},
        {"grounding": {"target_label": "Password"}},
        {"grounding": {"target_label": "Enter your PIN code"}},
        {"action": {"type": "fill", "params": {"value": "Zx9!qq", "selector": "#user_password"}}},
        {"action": {"type": "type", "text": "Zx9!qq", "element": "CVV"}},
    ],
)
def test_what_a_sensitive_step_typed_is_learned(changes: dict[str, Any]) -> None:
    out = door()
    assert out.learn(step(**changes))
    assert out.text("the page shows Zx9!qq") == f"the page shows {MARK}"


@pytest.mark.parametrize(
    "changes", [{}, {"grounding": {"target_label": "Forgot password?"}}, {"sensitive": False}]
)
def test_what_an_ordinary_step_typed_is_not(changes: dict[str, Any]) -> None:
    out = door()
    assert not out.learn(step(**changes))
    assert out.text("Zx9!qq") == "Zx9!qq"


def test_a_short_pin_is_masked_in_its_own_step_without_a_warning() -> None:
    out = door()
    pin = step(
        grounding={"target_label": "PIN"}, action={"type": "type", "params": {"text": "4711"}}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        redacted = out.record("step", orjson.dumps(pin))
    assert b"4711" not in redacted


def test_the_flag_masks_what_was_typed_where_the_record_does_not_tell() -> None:
    redacted = door().record("step", orjson.dumps(step()), sensitive=True)
    assert b"Zx9!qq" not in redacted
