"""What a step typed into a password-like field, or typed while it was marked sensitive."""

from __future__ import annotations

from collections.abc import Mapping
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
_PLACE_NAMES: Final = frozenset(_PLACES)
_LONGEST_LABEL: Final = 200
_MAPPINGS: Final = (dict, Mapping)
"""The quick check first: almost every record is made of dicts."""


def is_sensitive_step(step: Mapping[str, Any]) -> bool:
    """True if a step is marked sensitive, or is grounded on a field that takes a secret."""
    if step.get(SENSITIVE):
        return True
    grounding = step.get("grounding")
    if isinstance(grounding, _MAPPINGS) and _names_secret(grounding.get("target_label")):
        return True
    for part in _parts(step):
        # On the agent's path: most steps name no field, which one look at the keys tells.
        if not _PLACE_NAMES.isdisjoint(part) and _is_secret_place(part):
            return True
    return False


def _is_secret_place(part: Mapping[str, Any]) -> bool:
    return any(_names_secret(part.get(place)) for place in _PLACES)


def _names_secret(label: Any) -> bool:
    return isinstance(label, str) and len(label) <= _LONGEST_LABEL and names_secret_field(label)


def _parts(step: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    action = step.get("action")
    if not isinstance(action, dict):
        return ()
    params = action.get("params")
    return (action, params) if isinstance(params, dict) else (action,)


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
