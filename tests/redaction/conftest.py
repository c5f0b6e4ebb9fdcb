"""The corpus, and redaction without RE2."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from augur_sdk.redaction import text_rules

CORPUS = Path(__file__).parent / "corpus"


def _load(name: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((CORPUS / f"{name}.json").read_text("utf-8"))
    return entries


@pytest.fixture(scope="session")
def secrets() -> list[dict[str, Any]]:
    """Each `input` holds its `secrets`."""
    return _load("secrets")


@pytest.fixture(scope="session")
def look_alikes() -> list[dict[str, Any]]:
    """Each `input` must come out as it went in."""
    return _load("look_alikes")


@pytest.fixture
def without_re2(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A platform for which there is no RE2."""
    monkeypatch.setitem(sys.modules, "re2", None)
    text_rules.default_rules.cache_clear()
    yield
    text_rules.default_rules.cache_clear()
