"""Keys and values in running text: `password=hunter2`, `"clientSecret": "..."`, `--token x`.

The key is found by the words that a telling key holds, widened to the whole name, and judged by the
same grammar as the key of a dict. Then the value is measured: to its own closing quotation mark at
its own depth of escaping, or to the end of the word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from augur_sdk.redaction.anchors import EDGE, literals, pattern
from augur_sdk.redaction.headers import QUOTE
from augur_sdk.redaction.keys import KeyClass, classify, key_words
from augur_sdk.redaction.looks import (
    has_digit_or_symbol,
    is_code,
    is_placeholder,
    is_plain_word,
    looks_opaque,
)
from augur_sdk.redaction.markers import MARKER_HEAD
from augur_sdk.redaction.rule import Rule, Span, span_rule

__all__ = ["KEY_ANCHORS", "KEY_VALUE_RULES", "lowered"]

_KEY_OWNERS: Final = (
    "api|access|private|secret|encryption|signing|master|auth|account|subscription|ssh|deploy"
    "|licen[cs]e|session|service|shared|storage"
)
_WEAK_KEYS: Final = (
    r"jwt|cvv2?|cvc2?|ssn|iban|pin|t?otp|mfa|card[ _.-]?(?:no|num)|cc[_-]?num"
    r"|(?:credit|debit)[ _-]?card"
    r"|(?:security|verification|auth|authorization|otp|mfa|pin|recovery|backup|time)[ _-]?codes?"
    r"|social[ _-]?security|mnemonic|(?:seed|recovery)[ _-]?phrase|connection[ _-]?string"
    r"|(?:user|db)?pass(?![a-z])|pw(?![a-z])"
)
_STRONG_KEYS: Final = (
    r"passw|passphrase|passcode|passkey|pwd|kennwort|contrasena|motdepasse|secret|token|credential"
    rf"|creds|cookie|x?[cx]srf|sess(?:ion)?id|bearer|authorization|(?:{_KEY_OWNERS})[ _.-]?keys?"
)

_LONGEST_AFFIX: Final = 40
_LONGEST_QUOTED: Final = 4096
_LONGEST_WORD: Final = 1024
_LONGEST_LINE: Final = 512

_KEY: Final = re.compile(
    rf"(?:{_STRONG_KEYS}|{_WEAK_KEYS})[\w.\-\[\]]{{0,{_LONGEST_AFFIX}}}+(?P<quote>{QUOTE})?"
    r"(?P<sep>\s{0,3}(?:=>|:=|[:=](?![=/:])|%3[aAdD]|%253[aAdD]|\\+u003[ad])"
    r"|[ \t]{1,3}(?:is|was|to|as)[ \t:]{1,3}|[ \t]{1,3})",
    re.ASCII,
)
_OPENING: Final = re.compile(rf"\s{{0,8}}[bBrRuUfF]?(?P<quote>{QUOTE})", re.ASCII)
_BLANKS: Final = re.compile(r"[ \t]{0,8}")
_WORD: Final = re.compile(
    r"(?:[^\s&;,\"'<>`\\)\]}|%]"
    r"|[,;)\]}|](?=[^\s,;)\]}\"'\\])(?![\w.-]{1,40}+[ ]?[=:])"
    r"|%(?!26|22|27|0[aAdD]|2[cC]|20)|\\(?![nrtbfu\"'\\/]))"
    rf"{{1,{_LONGEST_WORD}}}+"
)
_LINE: Final = re.compile(rf"[^\r\n\"'<>\\]{{1,{_LONGEST_LINE}}}+")
_DIGITS: Final = re.compile(r"\d(?:[ -]?\d){3,11}+(?![\w.])", re.ASCII)
_KEY_CHARACTERS: Final = (
    "".join(map(chr, (*range(48, 58), *range(65, 91), *range(97, 123)))) + "_.-["
)
_TOKEN_OF_A_MODEL: Final = re.compile(r"logprob|token_id|top_alternatives|\"bytes", re.ASCII)
_NEARBY: Final = 48
_COUNT: Final = re.compile(r"[-+]?\d{1,8}(?:[.,]\d+)?[kKmM%]?[.,;:]?")
_CONTAINER: Final = re.compile(r"[\[{(]")


def lowered(text: str) -> str:
    """The text in lower case, at the same length: positions are those of the original."""
    low = text.lower()
    return low if len(low) == len(text) else text.replace("\u0130", "I").lower()


def _find(text: str) -> Iterator[Span]:
    low = lowered(text)
    position = 0
    while found := _KEY.search(low, position):
        position = found.end()
        span = _judge(text, found)
        if span:
            yield span
            position = max(position, span[1])


def _judge(text: str, found: re.Match[str]) -> Span | None:
    start = _key_start(text, found.start())
    stop = found.start("quote") if found["quote"] else found.start("sep")
    key = text[start:stop].strip("-.[]")
    key_class = classify(key)
    separator = found["sep"].strip()
    if key_class is KeyClass.ORDINARY or (not separator and text[start : start + 2] != "--"):
        return None
    value = _measure(text, found.end(), key_class, separator)
    if value is None or not _is_secret(text, value, key, key_class, separator, start):
        return None
    return *value[:2], _kind(key, key_class)


def _key_start(text: str, position: int) -> int:
    window = text[max(0, position - _LONGEST_AFFIX) : position]
    return position - len(window) + len(window.rstrip(_KEY_CHARACTERS))


_Value = tuple[int, int, bool]
"""Start, end, and whether it was quoted."""


def _measure(text: str, position: int, key_class: KeyClass, separator: str) -> _Value | None:
    opening = _OPENING.match(text, position)
    if opening:
        return opening.end(), _closing(text, opening), True
    blanks = _BLANKS.match(text, position)
    start = blanks.end() if blanks else position
    if text.startswith(MARKER_HEAD, start) or _CONTAINER.match(text, start):
        return _rest_of_marked(text, start)
    if key_class is KeyClass.CODE:
        shape = _DIGITS
    elif key_class is KeyClass.PHRASE and separator == ":":
        shape = _LINE
    else:
        shape = _WORD
    found = shape.match(text, start)
    return (start, found.end(), False) if found else None


def _rest_of_marked(text: str, start: int) -> _Value | None:
    """A marker with text glued to it: what is left of a secret that was found in part."""
    found = _WORD.match(text, start)
    if not found or not found[0].startswith(MARKER_HEAD):
        return None
    body = found[0][len(MARKER_HEAD) :]
    return (start, found.end(), True) if body.find("***") + 3 < len(body.rstrip(".,;:!?")) else None


def _closing(text: str, opening: re.Match[str]) -> int:
    """Where a quoted value ends: at its mark at its own depth of escaping, or at the line's end."""
    mark = opening["quote"]
    start = opening.end()
    limit = min(len(text), start + _LONGEST_QUOTED)
    line_end = text.find("\n", start, limit)
    limit = line_end if line_end >= 0 else limit
    if mark[0] in "%&":
        end = text.find(mark, start, limit)
        return end if end >= 0 else limit
    depth = len(mark) - 1
    for found in _MARKS[mark[-1]].finditer(text, start, limit):
        escapes = len(found[0]) - 1
        if escapes < depth or escapes % (2 * (depth + 1)) == depth:
            return found.end() - 1 - min(escapes, depth)
    return limit


_MARKS: Final = {mark: re.compile(rf"\\*+{mark}") for mark in "\"'`"}


def _is_secret(
    text: str, value: _Value, key: str, key_class: KeyClass, separator: str, key_start: int
) -> bool:
    start, end, quoted = value
    secret = text[start:end]
    if is_placeholder(secret.strip()) and not (quoted and secret.startswith(MARKER_HEAD)):
        return False
    if secret.startswith(MARKER_HEAD):
        return _rest_of_marked(text, start) is not None
    if key_class is KeyClass.PHRASE:
        return quoted or not is_plain_word(secret.split(" ", 1)[0])
    if key_class is KeyClass.CODE:
        return sum(map(str.isdigit, secret)) >= 4
    if _names_number(key) and not any(map(str.isdigit, secret)):
        return False
    if _is_model_token(text, value, key):
        return False
    return quoted or _is_bare_secret(text, secret, key, key_class, separator, key_start)


def _is_bare_secret(
    text: str, secret: str, key: str, key_class: KeyClass, separator: str, key_start: int
) -> bool:
    if is_code(secret) or (key_class is KeyClass.TEXT and _COUNT.fullmatch(secret)):
        return False
    if separator.isalpha() or separator.rstrip(": ").isalpha():
        return has_digit_or_symbol(secret) and not is_plain_word(secret) and len(secret) > 3
    if ":" not in separator:
        return not is_plain_word(secret) or (separator == "=" and len(secret) > _SHORT_WORD)
    if is_plain_word(secret):
        return False
    if key_class is KeyClass.TEXT or key.lower().endswith("s"):
        return looks_opaque(secret) or _stands_in_a_listing(text, key, key_start)
    return True


_SHORT_WORD: Final = 24


def _stands_in_a_listing(text: str, key: str, key_start: int) -> bool:
    """A lowercase key at the start of a line, as in YAML, or one of several words."""
    first = key_start == 0 or text[key_start - 1] in "\n{,;"
    return len(key_words(key)) > 1 or (first and key[:1].islower())


def _names_number(key: str) -> bool:
    return not {"cvv", "cvv2", "cvc", "cvc2", "ssn", "card", "cc", "iban"}.isdisjoint(
        key_words(key)
    )


def _is_model_token(text: str, value: _Value, key: str) -> bool:
    """An entry of a list of log probabilities, printed: its `token` is model output."""
    if key.lower().rpartition(".")[2] != "token":
        return False
    start, end, _ = value
    around = text[max(0, start - _NEARBY) : start] + text[end : end + _NEARBY]
    return _TOKEN_OF_A_MODEL.search(around) is not None


def _kind(key: str, key_class: KeyClass) -> str:
    words = set(key_words(key))
    for kind, owners in _KINDS:
        if not owners.isdisjoint(words):
            return kind
    return {KeyClass.TEXT: "api_key", KeyClass.CODE: "code"}.get(key_class, "password_kv")


_KINDS: Final = (
    (
        "password_kv",
        frozenset({"password", "passwd", "pwd", "secret", "credential", "credentials"}),
    ),
    ("cookie_header", frozenset({"cookie", "cookies"})),
    ("ssn", frozenset({"ssn", "social"})),
    ("card", frozenset({"card", "cc", "cvv", "cvc", "cvv2", "cvc2"})),
    ("iban", frozenset({"iban"})),
)

_UNCOUNTED: Final = (
    r"token(?:[^s]|s(?:[^_\" .,;:)\\]|_[^io]|\\*\"\s?:\s?[^0-9n\s]|[ :;]{1,2}[^0-9a-z\s]))"
)
"""Counts of tokens stand in every step: `tokens_in": 1200` alone must not cost a closer look."""

_WEAK_ANCHORS: Final = _WEAK_KEYS.partition("|(?:user|db)?pass")[0]
"""Without `pass`, which stands in `passed`, `passport` and each verdict."""

KEY_ANCHORS: Final = (
    *literals("passw", "pwd", "passphrase", "passcode", "passkey", "kennwort", "contrasena"),
    *literals("motdepasse", "secret", "credential", "creds", "cookie", "csrf", "xsrf", "sessid"),
    *literals("sessionid", "bearer", "authorization"),
    pattern(_UNCOUNTED),
    pattern(rf"(?:{_KEY_OWNERS})[ _.-]?key"),
    pattern(rf"{EDGE}(?:{_WEAK_ANCHORS}|pass|pw)[^a-z]"),
    pattern(rf"(?:{_WEAK_ANCHORS})[\w.\]-]{{0,8}}(?:\\*[\"'`]|%22)?\s?(?:[:=,]|%3[ad])"),
    pattern(r"(?:user|db|pg|admin|root|smtp|sql|mail|ftp|ssh|redis|auth|proxy)_?pass[^a-z]"),
)

KEY_VALUE_RULES: Final[tuple[Rule, ...]] = (span_rule("password_kv", KEY_ANCHORS, _find),)
