"""Policies by name, phone numbers, names in prose."""

from __future__ import annotations

import asyncio
import sys
from importlib.metadata import EntryPoint
from types import SimpleNamespace
from typing import Any

import pytest

from augur_sdk.errors import MissingExtraError, RecordError
from augur_sdk.redaction import (
    DefaultRedactionPolicy,
    RedactionPolicy,
    names,
    policies,
    policy_from_name,
)
from augur_sdk.redaction.names import PresidioRedactor
from augur_sdk.redaction.phones import PhoneRedactor


class AcmePolicy(DefaultRedactionPolicy):
    id = "acme-v2"


ACME = AcmePolicy()
NOTHING = object()


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    def entry(name: str, value: str) -> EntryPoint:
        return EntryPoint(name, f"acme_policies:{value}", policies.ENTRY_POINT_GROUP)

    module: Any = SimpleNamespace(
        AcmePolicy=AcmePolicy, ACME=ACME, make=lambda: ACME, junk=lambda: NOTHING
    )
    monkeypatch.setitem(sys.modules, "acme_policies", module)
    entries = tuple(entry(name, name) for name in ("AcmePolicy", "ACME", "make", "junk"))
    monkeypatch.setattr(policies, "_registered", lambda: entries)


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("name", ["AcmePolicy", "ACME", "make"])
def test_a_registered_class_function_or_policy_is_found_by_name(name: str) -> None:
    assert policy_from_name(name).id == "acme-v2"


@pytest.mark.usefixtures("registered")
def test_the_built_in_policy_needs_no_registration_and_unknown_names_are_said() -> None:
    assert type(policy_from_name("default-pii-v1")) is DefaultRedactionPolicy
    with pytest.raises(RecordError, match="default-pii-v1"):
        policy_from_name("nobody")
    with pytest.raises(RecordError, match="expected a RedactionPolicy"):
        policy_from_name("junk")


def test_the_entry_point_group_can_be_read_here() -> None:
    assert "default-pii-v1" in policies.policy_names()


PHONES = ["+49 30 901820", "+1 (212) 555-0123", "+442079460018", "tel +33 1 42 68 53 00."]


@pytest.mark.parametrize("text", PHONES)
def test_international_phone_numbers_are_found(text: str) -> None:
    pytest.importorskip("phonenumbers")
    redacted = PhoneRedactor()(text)
    assert "***REDACTED:phone***" in redacted
    assert not any(map(str.isdigit, redacted))


def test_local_phone_numbers_need_a_region() -> None:
    pytest.importorskip("phonenumbers")
    assert PhoneRedactor()("call (212) 555-0123") == "call (212) 555-0123"
    assert PhoneRedactor("US")("call (212) 555-0123") == "call ***REDACTED:phone***"


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T00:00:00Z",
        "1700000000000",
        "192.168.100.100",
        "0.4111111111",
        "s-0001-2345-6789",
        "9f86d081884c7d659a2feaa0",
        "12 34",
        "order 1234567890123456",
        "+12",
    ],
)
def test_other_numbers_are_no_phone_numbers(text: str) -> None:
    pytest.importorskip("phonenumbers")
    for region in (None, "US"):
        assert PhoneRedactor(region)(text) == text


def test_a_policy_with_phone_numbers() -> None:
    pytest.importorskip("phonenumbers")
    policy = DefaultRedactionPolicy()
    policy.add_redactor(PhoneRedactor("DE"))
    assert policy.apply({"a": "030 901820 oder bob@shop.example"}) == {
        "a": "***REDACTED:phone*** oder ***REDACTED:email***"
    }


def test_a_missing_extra_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    with pytest.raises(MissingExtraError, match="phone"):
        PhoneRedactor()
    monkeypatch.setattr(names, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match="presidio"):
        PresidioRedactor()


class Recognizes:
    """Presidio's interface, recognizing one name."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def analyze(self, text: str, **asked: Any) -> list[Any]:
        self.asked.append(asked)
        start = text.find("Ada Lovelace")
        found = SimpleNamespace(entity_type="PERSON", start=start, end=start + 12)
        inner = SimpleNamespace(entity_type="PERSON", start=start, end=start + 3)
        return [inner, found] if start >= 0 else []


def test_names_in_prose_become_markers() -> None:
    analyzer = Recognizes()
    policy = RedactionPolicy()
    policy.add_redactor(PresidioRedactor(["PERSON"], language="en", analyzer=analyzer))
    assert policy.apply(["Ask Ada Lovelace today", "click", "s-0001"]) == [
        "Ask ***REDACTED:person*** today",
        "click",
        "s-0001",
    ]
    assert analyzer.asked == [{"entities": ["PERSON"], "language": "en", "score_threshold": 0.5}]


def test_it_never_runs_on_an_event_loop() -> None:
    redactor = PresidioRedactor(analyzer=Recognizes())
    policy = RedactionPolicy(redactors=[redactor])

    async def on_the_loop() -> None:
        with pytest.raises(RuntimeError, match="event loop"):
            redactor("Ask Ada Lovelace today")
        assert policy.apply("Ask Ada Lovelace") == "***REDACTED:error***"
        in_thread = await asyncio.to_thread(policy.apply, "Ask Ada Lovelace")
        assert in_thread == "Ask ***REDACTED:person***"

    asyncio.run(on_the_loop())


@pytest.mark.filterwarnings("ignore")
def test_with_presidio_itself() -> None:
    """Presidio's own engine, with a pattern recognizer; its language models cannot be had here."""
    presidio = pytest.importorskip("presidio_analyzer")
    engines: Any = pytest.importorskip("presidio_analyzer.nlp_engine")

    def nothing(_: Any, _text: str, language: str) -> Any:
        return engines.NlpArtifacts([], [], [], [], None, language)

    methods: dict[str, Any] = dict.fromkeys(engines.NlpEngine.__abstractmethods__, lambda *_: None)
    methods["process_text"] = nothing
    methods["is_loaded"] = lambda _: True
    methods["get_supported_languages"] = lambda _: ["en"]
    no_model = type("NoModel", (engines.NlpEngine,), methods)()
    recognizer = presidio.PatternRecognizer(
        "EMPLOYEE", patterns=[presidio.Pattern("number", r"EMP\d{4}", 0.9)]
    )
    registry = presidio.RecognizerRegistry(recognizers=[recognizer])
    engine = presidio.AnalyzerEngine(registry=registry, nlp_engine=no_model)
    redactor = PresidioRedactor(["EMPLOYEE"], analyzer=engine)
    assert redactor("ask EMP1234 about it") == "ask ***REDACTED:employee*** about it"
