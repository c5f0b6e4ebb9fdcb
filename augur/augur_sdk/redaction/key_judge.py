"""What one policy does with the value of a key: drop it, mask it, or look inside."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from augur_sdk.redaction.anchors import Anchor, AnchorSet, pattern
from augur_sdk.redaction.keys import KeyClass, classify, key_words, normalize
from augur_sdk.redaction.looks import is_placeholder, is_plain_word
from augur_sdk.redaction.vocabulary import words

__all__ = ["DROP_KEYS", "MASK_KEYS", "KeyAction", "KeyJudge", "key_judge"]

DROP_KEYS: Final = frozenset(
    {"password", "passwd", "pwd", "secret", "authorization", "cookie", "set-cookie", "x-api-key"}
)
MASK_KEYS: Final = frozenset(
    {"token", "api_key", "apikey", "ssn", "credit_card", "card_number", "cvv"}
)

_JSON_TYPES: Final = frozenset(
    {"string", "number", "integer", "boolean", "array", "object", "null"}
)
_SCHEMA_KEYS: Final = words(
    "type title description format minLength maxLength pattern items properties required nullable "
    "additionalProperties minimum maximum readOnly writeOnly deprecated"
)
_CODE: Final = re.compile(r"\d(?:[ -]?\d){3,11}+|(?=[A-Za-z]*\d)[A-Za-z\d]{6,10}", re.ASCII)


class KeyAction(Enum):
    """What becomes of a value."""

    WALK = "walk"
    DROP = "drop"
    MASK = "mask"


class KeyJudge:
    """The keys of one policy, in every spelling, with the grammar of telling keys behind them."""

    def __init__(
        self, drop: AbstractSet[str], mask: AbstractSet[str], keep: AbstractSet[str], grammar: bool
    ) -> None:
        self._drop = _spellings(drop)
        self._mask = _spellings(mask)
        self._keep = _spellings(keep)
        self._grammar = grammar
        self._standing = lru_cache(maxsize=4096)(self._stand)
        self._own = _own_anchors((drop | mask) - (DROP_KEYS | MASK_KEYS if grammar else set()))

    def may_match(self, encoded: bytes) -> bool:
        """False if none of this policy's own keys stands in this UTF-8 text."""
        return self._own is not None and bool(self._own.hits(encoded))

    def judge(self, key: str, value: Any) -> KeyAction:
        """What to do with `value` under `key`."""
        standing = self._standing(key)
        if standing is KeyClass.ORDINARY or _is_schema_definition(value):
            return KeyAction.WALK
        if standing is KeyAction.DROP:
            return KeyAction.DROP
        if standing is KeyAction.MASK:
            return _mask_exactly(key, value)
        return KeyAction.MASK if holds_secret(standing, value) else KeyAction.WALK

    def names_secret(self, name: str) -> bool:
        """True if a header, field or parameter of this name has a secret value."""
        return self._standing(name) is not KeyClass.ORDINARY

    def _stand(self, key: str) -> KeyAction | KeyClass:
        """What is known of a key before its value is seen."""
        spellings = (key.casefold(), normalize(key))
        if not self._keep.isdisjoint(spellings):
            return KeyClass.ORDINARY
        if not self._drop.isdisjoint(spellings):
            return KeyAction.DROP
        if not self._mask.isdisjoint(spellings):
            return KeyAction.MASK
        return classify(key) if self._grammar else KeyClass.ORDINARY


@lru_cache(maxsize=64)
def key_judge(
    drop: frozenset[str], mask: frozenset[str], keep: frozenset[str], grammar: bool
) -> KeyJudge:
    """The judge for these sets; made once for all records of a policy."""
    return KeyJudge(drop, mask, keep, grammar)


def holds_secret(key_class: KeyClass | KeyAction, value: Any) -> bool:
    """True if a value under a key of this class is to be masked as a whole."""
    if key_class is KeyClass.ORDINARY or isinstance(value, bool) or value is None:
        return False
    if isinstance(value, str):
        return _text_is_secret(key_class, value.strip())
    if isinstance(value, (int, float)):
        return key_class is KeyClass.ANY or (key_class is KeyClass.CODE and abs(value) >= 1000)
    if key_class is KeyClass.CODE:
        return False
    return _holds_text(value)


def _text_is_secret(key_class: KeyClass | KeyAction, text: str) -> bool:
    if key_class is KeyClass.CODE:
        return _CODE.fullmatch(text) is not None
    if key_class is KeyClass.ANY:
        return bool(text)
    if key_class is KeyClass.PHRASE:
        return len(text) > 7
    return len(text) > 2 and not is_placeholder(text) and not is_plain_word(text)


def _holds_text(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_text(item) for item in value.values())
    if isinstance(value, (list, tuple, set, frozenset)):
        return any(_holds_text(item) for item in value)
    return isinstance(value, (str, bytes, bytearray)) and len(value) > 0


def _mask_exactly(key: str, value: Any) -> KeyAction:
    if value is None or value == "":
        return KeyAction.WALK
    is_count = isinstance(value, (int, float)) and not isinstance(value, bool)
    return KeyAction.WALK if is_count and normalize(key) == "token" else KeyAction.MASK


def _is_schema_definition(value: Any) -> bool:
    """`{"type": "string", ...}`: a tool's parameter named `password`, not a password."""
    return (
        isinstance(value, dict)
        and value.get("type") in _JSON_TYPES
        and _SCHEMA_KEYS.issuperset(value)
    )


def _spellings(keys: AbstractSet[str]) -> frozenset[str]:
    return frozenset(spelling for key in keys for spelling in (key.casefold(), normalize(key)))


def _own_anchors(keys: AbstractSet[str]) -> AnchorSet | None:
    return AnchorSet({0: [_key_anchor(key) for key in keys]}) if keys else None


def _key_anchor(key: str) -> Anchor:
    words = [word for word in key_words(key) if word.isascii()]
    return Anchor(max(words, key=len)) if words else pattern("[^0-9]")
