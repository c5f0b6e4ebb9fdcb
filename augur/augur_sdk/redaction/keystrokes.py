"""Secrets that stand in a list in pieces: single key presses, or several typing actions in a row.

`["h", "u", "n", "t", "e", "r", "2"]`, `[{"key": "h"}, {"key": "u"}, ...]` and
`[{"type": "type", "text": "hun"}, {"type": "type", "text": "ter2"}]` spell a registered secret that
none of their strings holds. What was typed is read over the items of one list, in order; the items
that together spell a secret are masked. Pieces in different records cannot be seen from one record.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from augur_sdk.redaction.markers import MASK
from augur_sdk.redaction.model_tokens import changed_range
from augur_sdk.redaction.secret_registry import SecretRegistry
from augur_sdk.redaction.vocabulary import words

__all__ = ["mask_spelled_secrets"]

_TYPED: Final = ("text", "key", "keys", "char", "character", "value", "input", "token")
_INSIDE: Final = ("params", "action", "data", "detail", "input", "args", "arguments", "function")
_DEEPEST: Final = 4
_RELEASED: Final = frozenset({"keyup", "key_up", "keyUp", "release", "keypress_end"})
_MODIFIERS: Final = words(
    "shift control ctrl alt meta cmd command super option capslock caps_lock shiftleft shiftright "
    "controlleft controlright altleft altright tab enter return backspace escape esc delete home "
    "end arrowleft arrowright arrowup arrowdown left right up down fn"
)


class _Piece(NamedTuple):
    """What one item of a list typed, and where it stands."""

    owner: Any
    place: Any
    text: str


def mask_spelled_secrets(value: Any, secrets: SecretRegistry) -> bool:
    """Mask, in place, the pieces of secrets in every list of a JSON value; True if any was."""
    if not isinstance(value, (dict, list)):
        return False
    items = value.values() if isinstance(value, dict) else value
    masked = [
        mask_spelled_secrets(item, secrets) for item in items if isinstance(item, (dict, list))
    ]
    if isinstance(value, list):
        masked += [_mask_pieces(list(_pieces(value, up)), secrets) for up in (False, True)]
    return True in masked


def _mask_pieces(pieces: list[_Piece], secrets: SecretRegistry) -> bool:
    if len(pieces) < 2:
        return False
    text = "".join(piece.text for piece in pieces)
    start, end = changed_range(text, secrets.mask(text))
    if start == end:
        return False
    position = 0
    for piece in pieces:
        after = position + len(piece.text)
        if position < end and after > start:
            piece.owner[piece.place] = MASK
        position = after
    return True


def _pieces(items: Sequence[Any], released: bool) -> Iterator[_Piece]:
    """What the items typed; keys going up repeat those that went down, so they are read apart."""
    if len(items) < 2:
        return
    for index, item in enumerate(items):
        if isinstance(item, str):
            if _types(item) and not released:
                yield _Piece(items, index, item)
        elif isinstance(item, dict) and (item.get("type") in _RELEASED) is released:
            yield from _typed_in(item, _DEEPEST)


def _typed_in(item: dict[str, Any], depth: int) -> Iterator[_Piece]:
    for key in _TYPED:
        if isinstance(text := item.get(key), str) and _types(text):
            yield _Piece(item, key, text)
            return
    for key in _INSIDE:
        if depth and isinstance(inner := item.get(key), dict):
            yield from _typed_in(inner, depth - 1)
            return


def _types(text: str) -> bool:
    return text.lower() not in _MODIFIERS
