"""Whether a value that stands beside a telling key can be a secret, or is a word or a placeholder.

These judgements decide between `password: hunter2` and "Click the Password: field". They see one
value at a time, of bounded length.
"""

from __future__ import annotations

import re
from typing import Final

from augur_sdk.redaction.markers import MARKER_HEAD
from augur_sdk.redaction.vocabulary import words

__all__ = [
    "has_digit_or_symbol",
    "is_code",
    "is_placeholder",
    "is_plain_word",
    "looks_opaque",
    "looks_random",
]

_PLACEHOLDER: Final = re.compile(
    r"[*•●·xX.#_?…-]{2,}|\?|<[^<>]*>?|\{+[^{}]*\}*|\$[\w({].*|%\(?\w*\)?[sd]?|\[[^\[\]]*\]?|\(.*"
    r"|\\*[\"']*|(?:your|my)[_-].*",
    re.IGNORECASE | re.DOTALL,
)
_PLACEHOLDER_STARTS: Final = frozenset("*•●·xX.#_?…-<{$%[(\\\"'yYmM")
_TYPES_AND_BLANKS: Final = words(
    "example changeme redacted null none nil true false undefined yes no on off empty hidden "
    "masked unset set missing str string text int integer number bool boolean any object array "
    "optional required unknown bytes dict list secretstr password passwd pwd token secret apikey "
    "api_key api-key cookie value"
)
_CODE: Final = re.compile(
    r"[A-Z]\w*\[.*|(?:self|this|os|process|settings|config|cfg|request|req|res|response|env|args|options|opts"
    r"|props|state|params|data|ctx|context|app|session|user|form|body|event|e|import|window|document"
    r"|input|await|new|getpass|secrets|kwargs|credentials|vault|client)"
    r"(?:[.(\[][^\s]*|\?\..*)|[A-Za-z_][\w.]*\(.*|(?:await|new|lambda|not|await)\b.*",
    re.DOTALL,
)
_WORDS: Final = words(
    "a about access accepted account after again all allowed already also an and any are as ask "
    "at authentication authorization auth available be because been before below best blank "
    "bottom box but button by can cannot change changed characters check checkbox choose clear "
    "click column configuration confirm contains could create created current default "
    "deny denied description dialog did different disabled do does don't each either element "
    "email empty enabled enter entered entry error every exactly expired expires failed field "
    "fields fill filled first focus for forgot forgotten form from generate generated "
    "generation get given go has have header here hide hint how if in incorrect info "
    "information input inputs instead invalid is it item its keep label last leave length less "
    "letters line link list locked log login long lower lowercase manager manage management match "
    "matches may menu message minimum maximum missing mode modal more must name needed new next "
    "no none not notice now number numbers of off ok old on once one only open option optional "
    "or other our out over page panel pending people please policies policy popup preferences "
    "press prompt protected provide read rejected remember repeat request required requirements "
    "requires reset rule rules same save saved screen section see select send service settings "
    "setup shall short should show shown shows sign since so some still strength strong submit "
    "support symbols tab text textbox than that the their them then there these they this three "
    "to too toggle top try two type typed typing unavailable under unknown until update updated "
    "upper uppercase use used user username using valid validation values verification visible "
    "wait warning was weak what when where which who will window with without word words would "
    "wrong yet you your yours"
)
_SYMBOL: Final = re.compile(r"[0-9_@#$%^&*+=~]|[a-z][A-Z]|[!?][^\s!?]")
_OPAQUE: Final = re.compile(r"[0-9_~+/=]|[a-z][A-Z]")
_PUNCTUATION: Final = ".,;:!?()[]{}\"'`*-\u2013\u2014\u2026"
_ENDS: Final = ".,;:!?)]} \t"
_LONGEST_WORD: Final = max(map(len, _WORDS | _TYPES_AND_BLANKS)) + 4
_MIXED: Final = re.compile(r"[a-z][A-Z]")
_LONG_FOR_A_WORD: Final = 24


def is_placeholder(value: str) -> bool:
    """Dots, a template, a type name, a bare keyword, or something already redacted."""
    bare = value.strip(_ENDS)
    if not bare:
        return True
    if bare[0] in _PLACEHOLDER_STARTS and (
        value.startswith(MARKER_HEAD) or _PLACEHOLDER.fullmatch(bare)
    ):
        return True
    return len(bare) <= _LONGEST_WORD and bare.lower() in _TYPES_AND_BLANKS


def is_code(value: str) -> bool:
    """An expression that fetches the secret, rather than the secret."""
    return _CODE.fullmatch(value) is not None


def is_plain_word(value: str) -> bool:
    """A word that follows a label in ordinary writing about user interfaces."""
    return len(value) <= _LONGEST_WORD and value.strip(_PUNCTUATION).lower() in _WORDS


def has_digit_or_symbol(value: str) -> bool:
    """Something that ordinary words do not have: a digit, a symbol, an inner capital."""
    return _SYMBOL.search(value) is not None


def looks_opaque(value: str) -> bool:
    """A value as machines make them: digits, inner capitals, or longer than words are."""
    return _OPAQUE.search(value) is not None or len(value) >= _LONG_FOR_A_WORD


def looks_random(value: str) -> bool:
    """A long value with digits and letters of both cases, as keys have."""
    mixed = any(map(str.isdigit, value)) and _MIXED.search(value) is not None
    return mixed and len(value) >= _LONG_FOR_A_WORD
