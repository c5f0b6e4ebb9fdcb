"""The way of one value through a policy: every dict, list, string and key of it.

Nothing is changed in place. Whatever goes wrong inside costs one field, which becomes
`***REDACTED:error***`; the rest of the value comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from augur_sdk.redaction.key_judge import KeyAction
from augur_sdk.redaction.markers import ERROR, MASK
from augur_sdk.redaction.model_tokens import is_token_list, redact_token_list
from augur_sdk.redaction.named_values import (
    is_pair_list,
    names_pair_secret,
    secret_positions,
    secret_value_keys,
)

if TYPE_CHECKING:
    from augur_sdk.redaction.policy import RedactionPolicy

__all__ = ["Walk", "copy_json", "run_redactors"]

_DEEPEST: Final = 250
"""Deeper than any record may be (the encoder stops at 254); what is deeper is not looked at."""

_DEEPEST_NESTED_JSON: Final = 4
"""JSON in a string in JSON in a string: each level doubles the escapes, so few are real."""

_LEAVES: Final = frozenset({int, float, bool, type(None)})


def copy_json(value: Any) -> Any:
    """A copy that shares no dict, list or tuple with the original."""
    kind = type(value)
    if kind is dict:
        return {key: copy_json(item) for key, item in value.items()}
    if kind is list:
        return [copy_json(item) for item in value]
    if kind is tuple:
        return tuple([copy_json(item) for item in value])
    return value


def run_redactors(redactors: Iterable[Callable[[str], Any]], text: str) -> str:
    """The text after each redactor; a marker if one returns anything but text."""
    redacted: Any = text
    for redactor in redactors:
        redacted = redactor(redacted)
        if not isinstance(redacted, str):
            return ERROR
    return str(redacted)


class Walk:
    """One pass of one policy over one value."""

    def __init__(self, policy: RedactionPolicy) -> None:
        self._judge = policy.key_judge
        self._rules = policy.text_rules
        self._redactors = policy.redactors
        self._droppers = policy.droppers
        self._grammar = policy.key_grammar
        self._above: set[int] = set()
        self._nested_json = 0

    def value(self, value: Any) -> Any:
        """The redacted form of any value."""
        kind = type(value)
        if kind is str:
            return self.text(value)
        if kind in _LEAVES:
            return value
        return self._guarded(value)

    def field(self, key: str, value: Any) -> Any:
        """The redacted form of a value that stands under `key`; None if the key is dropped."""
        fields = self._dict({key: value})
        return next(iter(fields.values()), None)

    def _guarded(self, value: Any) -> Any:
        marker_of_place = id(value)
        if marker_of_place in self._above or len(self._above) >= _DEEPEST:
            return ERROR
        self._above.add(marker_of_place)
        try:
            return self._container(value)
        except Exception:  # noqa: BLE001 - fails closed: whatever the value did, the field is hidden
            return ERROR
        finally:
            self._above.discard(marker_of_place)

    def _container(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return self._dict(value)
        if isinstance(value, list):
            return self._list(value)
        if isinstance(value, tuple):
            return tuple(self._list(value))
        if isinstance(value, (set, frozenset)):
            return type(value)(self.value(item) for item in value)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return self._bytes(value)
        return self._object(value)

    def _object(self, value: Any) -> Any:
        if is_dataclass(value) and not isinstance(value, type):
            return self._dict({f.name: getattr(value, f.name) for f in fields(value)})
        if callable(dump := getattr(value, "model_dump", None)):
            return self.value(dump())
        text = str(value)
        redacted = self.text(text)
        return value if redacted == text else redacted

    def _bytes(self, value: bytes | bytearray | memoryview) -> Any:
        raw = bytes(value)
        text = raw.decode("utf-8", "surrogateescape")
        redacted = self.text(text)
        return raw if redacted == text else redacted.encode("utf-8", "surrogateescape")

    def _dict(self, mapping: Mapping[Any, Any]) -> dict[Any, Any]:
        hidden = secret_value_keys(mapping, self._judge) if self._grammar else ()
        is_model_token = isinstance(mapping.get("logprob"), (int, float))
        redacted: dict[Any, Any] = {}
        for key, value in mapping.items():
            name = key.decode("utf-8", "replace") if isinstance(key, bytes) else key
            new_key = self._key(key, redacted)
            action: KeyAction | None = KeyAction.WALK
            if isinstance(name, str):
                action = self._action(name, value, keep_token=is_model_token)
            if action is KeyAction.WALK and new_key != key and isinstance(new_key, str):
                action = self._judge.judge(new_key, value)
            if action is KeyAction.DROP:
                continue
            if action is KeyAction.MASK or key in hidden:
                redacted[new_key] = MASK
            else:
                redacted[new_key] = self.value(value) if action else ERROR
        return redacted

    def _action(self, name: str, value: Any, *, keep_token: bool) -> KeyAction | None:
        """What to do with a field; None if a dropper failed."""
        for dropper in self._droppers:
            try:
                drops: Any = dropper(name, value)
            except Exception:  # noqa: BLE001 - a dropper that raises hides the field
                return None
            if drops is True:
                return KeyAction.DROP
            if drops is not False and drops is not None:
                return None
        if keep_token and name == "token":
            return KeyAction.WALK
        return self._judge.judge(name, value)

    def _key(self, key: Any, taken: dict[Any, Any]) -> Any:
        if self._rules is None or type(key) in _LEAVES:
            return key
        redacted = self._rules.redact_key(key) if isinstance(key, str) else self._guarded(key)
        unique, number = redacted, 2
        while redacted != key and unique in taken:
            unique, number = f"{redacted}#{number}", number + 1
        return unique

    def _list(self, items: list[Any] | tuple[Any, ...]) -> list[Any]:
        if self._rules is not None and is_token_list(items):
            items = redact_token_list(items, self._rules.redact)
        if not self._grammar:
            return [self.value(item) for item in items]
        if is_pair_list(items):
            return [self._pair(item) for item in items]
        hidden = secret_positions(items, self._judge)
        return [MASK if index in hidden else self.value(item) for index, item in enumerate(items)]

    def _pair(self, pair: list[Any] | tuple[Any, Any]) -> Any:
        """One `[name, value]` of a list of them."""
        name, value = pair
        hidden = names_pair_secret(name, self._judge) and isinstance(value, (str, bytes))
        redacted = [self.value(name), MASK if hidden else self.value(value)]
        return tuple(redacted) if isinstance(pair, tuple) else redacted

    def text(self, text: str) -> str:
        """The redacted form of a string, built-in rules first, then the user's redactors."""
        try:
            if self._rules is not None:
                text = self._rules.redact(self._json_inside(text))
            return run_redactors(self._redactors, text)
        except Exception:  # noqa: BLE001 - a redactor that raises hides the field
            return ERROR

    def _json_inside(self, text: str) -> str:
        """A string that is itself JSON is redacted by structure, and only then as text."""
        if text[:1] not in _JSON_STARTS or self._nested_json >= _DEEPEST_NESTED_JSON:
            return text
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
        self._nested_json += 1
        redacted = self.value(value)
        self._nested_json -= 1
        return text if redacted == value else orjson.dumps(redacted).decode()


_JSON_STARTS: Final = frozenset("{[")
