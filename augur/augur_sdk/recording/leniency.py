"""The one rule of leniency, for records and arguments alike (contract/behaviour.md).

A call is refused where it cannot be understood: a value of a wrong type, an id that names nothing,
a word outside a closed choice that decides what the call does. Everything else is kept as given.
What breaks a schema is found behind the call (`pipeline/inspection.py`); what is odd and breaks
none is counted, and said once a kind, here. In strict mode both raise.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final, get_args

from augur_sdk.errors import RecordError
from augur_sdk.models import (
    MUTATED_AXES,
    Comparator,
    JudgeType,
    OutcomeScope,
    ReasoningFormat,
    Reversibility,
    SideEffectProvenance,
)
from augur_sdk.recording import checks

__all__ = ["Leniency"]

logger: logging.Logger = logging.getLogger("augur_sdk")

_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "comparator": get_args(Comparator),
    "format": get_args(ReasoningFormat),
    "judge_type": get_args(JudgeType),
    "mutated_axis": tuple(MUTATED_AXES),
    "provenance": get_args(SideEffectProvenance),
    "reversibility": get_args(Reversibility),
    "scope": get_args(OutcomeScope),
}
"""Closed choices among a call's own arguments: they decide what the call does."""

_AMOUNTS: Final = frozenset({"total_usd", "model_usd", "gpu_usd", "proxy_usd"})
_COUNTS: Final = frozenset({"tokens", "tokens_in", "tokens_out", "cache_hit_tokens"})
_CLAMPED: Final = frozenset({"score", "confidence", "uncertainty"})


class Leniency:
    """Judges the arguments of recording calls by name; a name in no table is an open text."""

    def __init__(self, where: str, *, strict: bool) -> None:
        self._where = where
        self._strict = strict
        self._said: set[str] = set()
        self.oddities: int = 0

    def given(self, **arguments: Any) -> dict[str, Any]:
        """The arguments that are not None, each as it is kept.

        Raises:
            RecordError: One of them cannot be understood; in strict mode also: one is odd.
        """
        return {
            name: self.judged(name, value) for name, value in arguments.items() if value is not None
        }

    def judged(self, name: str, value: Any) -> Any:
        """One argument as it is kept.

        Raises:
            RecordError: It cannot be understood; in strict mode also: it is odd.
        """
        if name in _CHOICES:
            return checks.choice(value, name, _CHOICES[name])
        if name in _COUNTS:
            number = checks.number(value, name)
            return int(number) if number == int(number) else number
        if name in _AMOUNTS:
            return checks.number(value, name)
        if name in _CLAMPED:
            return checks.unit_interval(value, name)
        text = checks.string(value, name)
        if not text:
            self.odd(f"{name} is empty")
        return text

    def odd(self, what: str) -> None:
        """Take note of what is kept although no reader can make sense of it.

        Raises:
            RecordError: In strict mode.
        """
        if self._strict:
            raise RecordError(what, fix="Leave it out, or leave strict mode to keep it as given.")
        self.oddities += 1
        if what not in self._said:
            self._said.add(what)
            logger.warning(
                "session %s: %s; it is kept as given, and so are later ones. strict=True raises "
                "instead; session.stats counts them",
                self._where,
                what,
            )
