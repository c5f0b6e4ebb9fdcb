"""The words that telling keys hold, and what a key in running text says about its value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from augur_sdk.redaction.anchors import EDGE, Anchor, literals, pattern
from augur_sdk.redaction.keys import FOREIGN_PASSWORDS, KeyClass, classify, key_words
from augur_sdk.redaction.vocabulary import words

__all__ = ["KEY_ANCHORS", "TELLING_WORDS", "KeyTraits", "key_traits"]

_KEY_OWNERS: Final = sorted(
    words(
        "api access private secret encryption signing master auth account subscription ssh deploy "
        "licence license session service shared storage"
    )
)
_CODE_OWNERS: Final = sorted(
    words("security verification auth authorization otp mfa pin recovery backup time")
)

_STRONG: Final = sorted(
    words(
        "passw passphrase passcode passkey pwd kennwort contrasena motdepasse senha wachtwoord "
        "secret token credential creds cookie csrf xsrf sessid sessionid bearer authorization"
    )
)
_SHORT: Final = words(
    "jwt cvv cvc ssn iban pin otp mfa mnemonic card[^a-z]?(?:no|num) cc[_-]?num credit[^a-z]?card "
    "debit[^a-z]?card social[^a-z]?security seed[^a-z]?phrase recovery[^a-z]?phrase "
    "connection[^a-z]?string"
)
_WEAK: Final = [*sorted(_SHORT), *(f"{owner}[^a-z]?codes?" for owner in _CODE_OWNERS)]
_OWNED_KEYS: Final = [f"{owner}[^a-z\\n]?keys?" for owner in _KEY_OWNERS]
_PASS: Final = ["pass(?![a-z])", "pw(?![a-z])"]


def _by_first_letter(expressions: Iterable[str]) -> str:
    """One alternation, grouped by first letter: `re` then looks at one branch, not at fifty."""
    groups: dict[str, list[str]] = {}
    for expression in expressions:
        groups.setdefault(expression[0], []).append(expression[1:])
    return "|".join(f"{first}(?:{'|'.join(rest)})" for first, rest in groups.items())


TELLING_WORDS: Final = _by_first_letter(
    [*_STRONG, "mot de passe", *sorted(FOREIGN_PASSWORDS), *_OWNED_KEYS, *_WEAK, *_PASS]
)
"""An expression for lowercase text. A word is only a hint; `key_traits` judges the whole key."""

_UNCOUNTED: Final = (
    r"token(?:[^s]|s(?:[^_\" .,;:)\\]|_[^io]|\\*\"\s?:\s?[^0-9n\s]|[ :;]{1,2}[^0-9a-z\s]))"
)
"""Counts of tokens stand in every step: `tokens_in": 1200` alone must not cost a closer look."""

KEY_ANCHORS: Final[tuple[Anchor, ...]] = (
    *literals(*(word for word in _STRONG if word != "token"), "mot de passe"),
    *literals(*sorted(f(word) for word in FOREIGN_PASSWORDS for f in (str.lower, str.title))),
    pattern(_UNCOUNTED),
    pattern(rf"(?:{'|'.join(_KEY_OWNERS)})[^a-z\n]?key"),
    pattern(rf"{EDGE}(?:{'|'.join(_WEAK)}|pass|pw)[^a-z]"),
    pattern(rf"(?:{'|'.join(_WEAK)})[\w.\]-]{{0,8}}(?:\\*[\"'`]|%22)?\s?(?:[:=,]|%3[ad])"),
    pattern(r"(?:user|db|pg|admin|root|smtp|sql|mail|ftp|ssh|redis|auth|proxy)_?pass[^a-z]"),
)


@dataclass(frozen=True, slots=True)
class KeyTraits:
    """What a key in running text says about its value."""

    key_class: KeyClass
    kind: str
    digits: int
    """At least so many digits make the value a secret."""

    prosy: bool
    """The key is also an ordinary word before a colon, so that its value must look like one."""

    listed: bool
    """The key is written as in a configuration file: compound, or in lower case."""

    model_token: bool
    """The key may be that of a model's token."""


_KINDS: Final = (
    ("password_kv", words("password passwd pwd secret credential credentials")),
    ("cookie_header", words("cookie cookies")),
    ("ssn", words("ssn social")),
    ("card", words("card cc cvv cvc")),
    ("iban", words("iban")),
)
_NUMBERS: Final = words("cvv cvc ssn card cc iban code codes")
_BY_CLASS: Final = {KeyClass.TEXT: "api_key", KeyClass.CODE: "code"}


@lru_cache(maxsize=4096)
def key_traits(key: str) -> KeyTraits | None:
    """What a whole key says; None if it names nothing secret."""
    key_class = classify(key)
    if key_class is KeyClass.ORDINARY:
        return None
    parts = frozenset(key_words(key))
    kinds = (kind for kind, owners in _KINDS if not owners.isdisjoint(parts))
    return KeyTraits(
        key_class,
        kind=next(kinds, _BY_CLASS.get(key_class, "password_kv")),
        digits=4 if key_class is KeyClass.CODE else 0 if _NUMBERS.isdisjoint(parts) else 3,
        prosy=key_class is KeyClass.TEXT or key.lower().endswith("s"),
        listed=" " not in key and (len(key_words(key)) > 1 or key[:1].islower()),
        model_token=key.lower().rpartition(".")[2] == "token",
    )
