"""Secrets whose name stands beside them instead of above them.

Header lists (`[["Authorization", "Basic ..."]]`, flat or in pairs), name and value objects
(`{"name": "Cookie", "value": ...}`), browser cookies, form fields and nodes of an accessibility
tree, and typing actions that name the field they type into.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from augur_sdk.redaction.key_judge import KeyJudge
from augur_sdk.redaction.keys import names_secret_field
from augur_sdk.redaction.looks import is_placeholder, is_plain_word
from augur_sdk.redaction.vocabulary import words

__all__ = ["secret_positions", "secret_value_keys"]

_VALUES: Final = ("value", "val", "values")
_TYPED_VALUES: Final = ("text", "value", "input", "content", "input_text", "keys")
_ALL_VALUES: Final = frozenset({*_VALUES, *_TYPED_VALUES})
_NAMES: Final = ("name", "key", "header", "field", "param", "type", "inputType", "input_type")
_PLACES: Final = words(
    "label selector element placeholder target target_label locator autocomplete aria_label "
    "ariaLabel id role_name field_name description name field"
)
_COOKIE_FIELDS: Final = frozenset({"domain", "httpOnly", "sameSite", "secure", "http_only"})
_LONGEST_NAME: Final = 128
_HEADERS: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key"}
    | {"x-auth-token", "x-amz-security-token", "x-csrf-token", "x-xsrf-token", "x-goog-api-key"}
)
_NOTHING: Final[frozenset[Any]] = frozenset()


def secret_value_keys(mapping: Mapping[Any, Any], judge: KeyJudge) -> Collection[Any]:
    """The keys of an object whose values are secrets because of what another of its keys says."""
    if _ALL_VALUES.isdisjoint(mapping):
        return _NOTHING
    values = [key for key in _TYPED_VALUES if _is_text(mapping.get(key))]
    values += [key for key in _VALUES[1:] if mapping.get(key)]
    if not values:
        return _NOTHING
    if _is_cookie(mapping) or _is_named_secret(mapping, judge):
        return {key for key in values if key in _VALUES} | _typed(mapping, values)
    if any(_names_field(mapping.get(place)) for place in _PLACES):
        return _typed(mapping, values)
    return _NOTHING


def _is_named_secret(mapping: Mapping[Any, Any], judge: KeyJudge) -> bool:
    return any(
        isinstance(name := mapping.get(key), str)
        and len(name) <= _LONGEST_NAME
        and judge.names_secret(name)
        for key in _NAMES
    )


def _is_cookie(mapping: Mapping[Any, Any]) -> bool:
    return "name" in mapping and "value" in mapping and not _COOKIE_FIELDS.isdisjoint(mapping)


def _is_text(value: Any) -> bool:
    return isinstance(value, (str, bytes)) and len(value) > 0


def _names_field(place: Any) -> bool:
    return isinstance(place, str) and len(place) <= _LONGEST_NAME and names_secret_field(place)


def _typed(mapping: Mapping[Any, Any], values: Sequence[str]) -> set[str]:
    """Of the values, those that read as something typed rather than as a caption."""
    return {key for key in values if _reads_as_typed(mapping[key])}


def _reads_as_typed(value: Any) -> bool:
    if not isinstance(value, str):
        return True
    if is_placeholder(value) or is_plain_word(value):
        return False
    return not any(character.isspace() for character in value.strip())


def secret_positions(items: Sequence[Any], judge: KeyJudge) -> Collection[int]:
    """The positions in a flat list that hold the value of a header or flag named just before.

    Only headers and flags are looked for: `["password", "email"]` is a list of two field names.
    """
    if len(items) < 2:
        return _NOTHING
    return {
        index
        for index, (name, value) in enumerate(pairwise(items), 1)
        if isinstance(value, (str, bytes)) and _announces(name, value, judge)
    }


def _announces(name: Any, value: str | bytes, judge: KeyJudge) -> bool:
    if not isinstance(name, (str, bytes)):
        return False
    text = _header_name(name)
    if text.startswith("--"):
        return value[:1] not in ("-", b"-") and "=" not in text and judge.names_secret(text[2:])
    return text in _HEADERS


def is_pair_list(items: Sequence[Any]) -> bool:
    """True for a list of `[name, value]` pairs."""
    return bool(items) and all(
        isinstance(item, (list, tuple)) and len(item) == 2 and isinstance(item[0], (str, bytes))
        for item in items
    )


def names_pair_secret(name: str | bytes, judge: KeyJudge) -> bool:
    """True if the first of a pair says that the second is a secret."""
    text = name.decode("latin-1") if isinstance(name, bytes) else name
    return len(text) <= _LONGEST_NAME and judge.names_secret(text)


def _header_name(item: str | bytes) -> str:
    if len(item) > _LONGEST_NAME:
        return ""
    text = item.decode("latin-1") if isinstance(item, bytes) else item
    return text.lower().rstrip(":")
