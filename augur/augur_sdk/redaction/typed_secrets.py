"""What a step typed into a password-like field, or typed while it was marked sensitive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from augur_sdk.redaction.keys import names_secret_field
from augur_sdk.redaction.markers import MASK
from augur_sdk.redaction.vocabulary import words

__all__ = ["is_sensitive_step", "mask_typed_text", "typed_texts"]

SENSITIVE: Final = "sensitive"
"""The control key of a step; it is honoured and never written (contract/behaviour.md)."""

_TYPED: Final = [
    "text",
    "value",
    "content",
    "input",
    "input_text",
    "keys",
    "string",
    "chars",
    "characters",
    "password",
    "typed",
]
_PLACES: Final = words(
    "label selector element placeholder target target_label locator autocomplete aria_label name "
    "field id description field_name element_description"
)
_LONGEST_LABEL: Final = 200


def is_sensitive_step(step: Mapping[str, Any]) -> bool:
    """True if a step is marked sensitive, or is grounded on a field that takes a secret."""
    return bool(step.get(SENSITIVE)) or any(
        len(label) <= _LONGEST_LABEL and names_secret_field(label) for label in _labels(step)
    )


def _labels(step: Mapping[str, Any]) -> Iterator[str]:
    grounding = step.get("grounding")
    if isinstance(grounding, Mapping) and isinstance(grounding.get("target_label"), str):
        yield grounding["target_label"]
    for part in _parts(step):
        yield from (part[place] for place in _PLACES if isinstance(part.get(place), str))


def _parts(step: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    action = step.get("action")
    if isinstance(action, dict):
        yield action
        if isinstance(params := action.get("params"), dict):
            yield params


def typed_texts(step: Mapping[str, Any]) -> list[str]:
    """The texts that a step's action typed."""
    return [part[key] for part, key in _typed(step)]


def mask_typed_text(step: Mapping[str, Any]) -> bool:
    """Mask, in place, what a step's action typed; True if there was anything."""
    places = [(part, key) for part, key in _typed(step) if part[key] != MASK]
    for part, key in places:
        part[key] = MASK
    return bool(places)


def _typed(step: Mapping[str, Any]) -> list[tuple[dict[str, Any], str]]:
    return [
        (part, key)
        for part in _parts(step)
        for key in _TYPED
        if isinstance(part.get(key), str) and part[key]
    ]
