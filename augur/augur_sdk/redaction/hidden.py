"""Text as it reads: without the characters that hide a secret from a rule, not from a reader.

Zero-width characters inside a word, full-width forms and mathematical alphabets read like plain
text and copy like plain text. `unhidden` gives the plain form, on which the rules run again.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from augur_sdk.redaction.anchors import Anchor, pattern

__all__ = ["HIDDEN_ANCHORS", "unhidden"]

_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
_DISGUISED: Final = re.compile(
    "[\uff01-\uff5e\u2460-\u24ff\u2070-\u209c\ufe50-\ufe6b\u00a0\u2000-\u200a\u202f\u3000"
    "\u2010-\u2015\u2212\U0001d400-\U0001d7ff\U0001fbf0-\U0001fbf9]"
)
_DASHES: Final = frozenset("\u2010\u2011\u2012\u2013\u2014\u2015\u2212")

HIDDEN_ANCHORS: Final[tuple[Anchor, ...]] = (
    pattern(
        r"\xc2[\xa0\xad]|\xcd\x8f|\xd8\x9c|\xe1\x85[\x9f\xa0]|\xe1\x9e[\xb4\xb5]|\xe1\xa0[\x8b-\x8f]"
        r"|\xe2\x80[\x80-\x95\xaa-\xaf]|\xe2\x81[\xa0-\xbf]|\xe2\x82[\x80-\x9c]|\xe2\x88\x92"
        r"|\xe2\x91[\xa0-\xbf]|\xe2\x92|\xe2\x93|\xe3\x80\x80|\xe3\x85\xa4|\xef\xb8[\x80-\x8f]"
        r"|\xef\xb9[\x90-\xab]|\xef\xbb\xbf|\xef\xbc[\x81-\xbf]|\xef\xbd[\x80-\x9e]|\xef\xbe\xa0"
        r"|\xf0\x9d[\x90-\x9f]|\xf0\x9f\xaf[\xb0-\xb9]|\xf3\xa0"
    ),
)
"""The first bytes of all of these in UTF-8. Curly quotes and ellipses are not among them."""


def unhidden(text: str) -> str:
    """The plain text that this text reads as; the same object if nothing is hidden in it."""
    plain = _INVISIBLE.sub("", text)
    return _DISGUISED.sub(_plain_character, plain)


def _plain_character(match: re.Match[str]) -> str:
    character = match[0]
    if character in _DASHES:
        return "-"
    plain = unicodedata.normalize("NFKC", character)
    return plain if plain.isascii() else character
