"""Names of people, places and organizations in prose, through Presidio (extra `presidio`).

Off by default: it needs a language model that is installed apart, and milliseconds for each text.
It never runs on an event loop; the session's writer calls it in its worker thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from augur_sdk.agent_loop import is_on_event_loop
from augur_sdk.errors import MissingExtraError
from augur_sdk.redaction.markers import MARKER, marker

__all__ = ["PresidioRedactor"]

_ENTITIES: Final = ("PERSON", "LOCATION", "NRP")
_SHORTEST: Final = 8
"""Shorter strings (`click`, `s-0001`) are no prose; a model would only guess."""


class PresidioRedactor:
    """A redactor for `RedactionPolicy.add_redactor`: what Presidio recognizes becomes markers.

    Args:
        entities: Presidio's entity names.
        language: the language of the texts.
        least_score: how sure Presidio must be, 0 to 1.
        analyzer: a configured `presidio_analyzer.AnalyzerEngine`; by default one is made at the
            first text, which loads its language model.

    Raises:
        MissingExtraError: `presidio-analyzer` is not installed and no analyzer was given.
    """

    def __init__(
        self,
        entities: Sequence[str] = _ENTITIES,
        *,
        language: str = "en",
        least_score: float = 0.5,
        analyzer: Any = None,
    ) -> None:
        self.entities: list[str] = list(entities)
        self.language = language
        self.least_score = least_score
        if analyzer is None:
            _check_installed()
        else:
            self.__dict__["analyzer"] = analyzer

    @cached_property
    def analyzer(self) -> Any:
        """The engine; made at its first use."""
        return import_module("presidio_analyzer").AnalyzerEngine()

    def __call__(self, text: str) -> str:
        """The text with each recognized entity replaced by a marker of its kind.

        Raises:
            RuntimeError: called on an event loop, which it would hold up; the door then hides the
                field.
        """
        _refuse_event_loop()
        if len(text) < _SHORTEST or " " not in text:
            return text
        found = self.analyzer.analyze(
            text=text,
            entities=self.entities,
            language=self.language,
            score_threshold=self.least_score,
        )
        return _replaced(text, found)


def _check_installed() -> None:
    if find_spec("presidio_analyzer") is None:
        raise MissingExtraError("finding names in prose", "presidio")


def _refuse_event_loop() -> None:
    if is_on_event_loop():
        raise RuntimeError(
            "PresidioRedactor was called on an event loop, which it would hold up. Call the policy "
            "from a thread, as sessions do."
        )


def _replaced(text: str, found: Sequence[Any]) -> str:
    markers = [match.span() for match in MARKER.finditer(text)]
    pieces, done = [], 0
    for entity in sorted(found, key=lambda entity: (entity.start, -entity.end)):
        inside = any(start < entity.end and entity.start < end for start, end in markers)
        if entity.start >= done and not inside:
            pieces += [text[done : entity.start], marker(entity.entity_type.lower())]
            done = entity.end
    return "".join([*pieces, text[done:]])
