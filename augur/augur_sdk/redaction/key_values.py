"""Keys and values in running text: `password=hunter2`, `"clientSecret": "..."`, `--token x`.

The key is found by the words that a telling key holds, widened to the whole name, and judged by the
same grammar as the key of a dict. Then the value is measured: to its own closing quotation mark at
its own depth of escaping, or to the end of the word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from augur_sdk.redaction.headers import QUOTE
from augur_sdk.redaction.keys import KeyClass
from augur_sdk.redaction.looks import (
    has_digit_or_symbol,
    is_code,
    is_placeholder,
    is_plain_word,
    looks_opaque,
    looks_random,
)
from augur_sdk.redaction.markers import MARKER_HEAD
from augur_sdk.redaction.rule import Rule, Span, span_rule
from augur_sdk.redaction.telling_keys import KEY_ANCHORS, TELLING_WORDS, KeyTraits, key_traits

__all__ = ["KEY_VALUE_RULES", "lowered"]

_LONGEST_AFFIX: Final = 40
_LONGEST_QUOTED: Final = 4096
_LONGEST_WORD: Final = 1024
_LONGEST_LINE: Final = 512
_LONGEST_PLAIN: Final = 24
"""A longer run of letters after `=` is a secret, whatever word it begins with."""

_DONE: Final = r"\*\*\*redacted:[\w.-]{1,80}+\*\*\*(?:[\s&;,\"'<>`\\)\]}.!?%]|$)"
"""A value that was redacted before; matched here so that a second pass costs next to nothing."""

_KEY: Final = re.compile(
    rf"(?P<key>(?:{TELLING_WORDS})[\w.\-\[\]]{{0,{_LONGEST_AFFIX}}}+)(?:{QUOTE})?"
    r"(?P<sep>\s{0,3}(?:=>|:=|[:=](?![=/:])|%3[ad]|%253[ad]|\\+u003[ad]|&#(?:61|58|x3[ad]);)"
    r"|[ \t]{1,3}(?:is|was|to|as|with)[ \t:]{1,3}|[ \t]{1,3})"
    rf"(?>\s{{0,8}}[bruf]?(?P<open>{QUOTE})|[ \t]{{0,8}}+)(?!{_DONE})",
    re.ASCII,
)
_WORD: Final = re.compile(
    r"(?:[^\s&;,\"'<>`\\)\]}|%]"
    r"|[,;)\]}|](?=[^\s,;)\]}\"'\\])(?![\w.-]{1,40}+[ ]?[=:])"
    r"|%(?!26|22|27|0[aAdD]|2[cC]|20)|\\(?![nrtbfu\"'\\/]))"
    rf"{{1,{_LONGEST_WORD}}}+"
)
_LINE: Final = re.compile(rf"[^\r\n\"'<>\\]{{1,{_LONGEST_LINE}}}+")
_DIGITS: Final = re.compile(r"\d(?:[ -]?\d){2,11}+(?!\w|\.\d)", re.ASCII)
_DIGIT_AHEAD: Final = re.compile(r"\S{0,80}?\d", re.ASCII)
_KEY_CHARACTERS: Final = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-["
)
_STRIPPED: Final = "".join(_KEY_CHARACTERS)
_TOKEN_OF_A_MODEL: Final = re.compile(r"logprob|token_id|top_alternatives|\"bytes", re.ASCII)
_NEARBY: Final = 48
_COUNT: Final = re.compile(r"[-+]?\d{1,8}(?:[.,]\d+)?[kKmM%]?[.,;:]?")
_DISTANT: Final = frozenset({"to", "as", "with", "to:", "as:", "with:"})
_STRONG: Final = (1, 7)
_OPAQUE: Final = (2, 10)
"""So many digits, and so many characters in all."""

_SIGNS: Final = frozenset("+-0123456789")
_MARKS: Final = {mark: re.compile(rf"\\*+{mark}") for mark in "\"'`"}


_Value = tuple[int, int, bool]
"""Where a value begins and ends, and whether it was quoted."""


def lowered(text: str) -> str:
    """The text in lower case, at the same length: positions are those of the original."""
    low = text.lower()
    return low if len(low) == len(text) else text.replace("\u0130", "I").lower()


def _find(text: str) -> Iterator[Span]:
    low = lowered(text)
    position = 0
    while found := _KEY.search(low, position):
        span = _judge(text, found)
        position = max(found.end(), span[1]) if span else max(found.end("sep"), position + 1)
        if span:
            yield span


def _judge(text: str, found: re.Match[str]) -> Span | None:
    start, stop = found.span("key")
    if start and text[start - 1] in _KEY_CHARACTERS:
        start = _key_start(text, start)
    traits = key_traits(text[start:stop])
    if traits is None:
        return None
    separator = found["sep"].strip()
    if not separator and text.startswith("--", start):
        separator = "="
    elif not separator and not _DIGIT_AHEAD.match(text, found.end()):
        return None
    value = _measure(text, found, traits, separator)
    if value is None or not _is_secret(text, value, traits, separator, start):
        return None
    return value[0], value[1], traits.kind


def _key_start(text: str, position: int) -> int:
    window = text[max(0, position - _LONGEST_AFFIX) : position]
    return position - len(window) + len(window.rstrip(_STRIPPED))


def _measure(text: str, found: re.Match[str], traits: KeyTraits, separator: str) -> _Value | None:
    start = found.end()
    if found["open"]:
        return start, _closing(text, start, found["open"]), True
    if text[start : start + 1] in _CONTAINERS:
        return None
    shape = _WORD
    if traits.key_class is KeyClass.CODE or (traits.digits and not separator):
        shape = _DIGITS
    elif traits.key_class is KeyClass.PHRASE and separator == ":":
        shape = _LINE
    value = shape.match(text, start)
    return (start, value.end(), False) if value else None


_CONTAINERS: Final = frozenset({"", "[", "{", "("})


def _closing(text: str, start: int, mark: str) -> int:
    """Where a quoted value ends: at its mark at its own depth of escaping, or at the line's end."""
    limit = min(len(text), start + _LONGEST_QUOTED)
    line_end = text.find("\n", start, limit)
    limit = line_end if line_end >= 0 else limit
    if mark[0] in "%&":
        end = text.find(text[start - len(mark) : start], start, limit)
        return end if end >= 0 else limit
    depth = len(mark) - 1
    for found in _MARKS[mark[-1]].finditer(text, start, limit):
        escapes = len(found[0]) - 1
        if escapes < depth or escapes % (2 * (depth + 1)) == depth:
            return found.end() - 1 - min(escapes, depth)
    return limit


def _is_secret(text: str, value: _Value, traits: KeyTraits, separator: str, key_start: int) -> bool:
    start, end, quoted = value
    secret = text[start:end]
    if secret.startswith(MARKER_HEAD):
        return _has_more_than_markers(secret)
    if is_placeholder(secret):
        return False
    if traits.digits and sum(map(str.isdigit, secret)) < traits.digits:
        return False
    if not separator or separator in _DISTANT:
        return _is_strong(secret, traits)
    if traits.key_class is KeyClass.PHRASE:
        return quoted or not is_plain_word(secret.split(" ", 1)[0])
    if not (quoted or _is_bare_secret(text, secret, traits, separator, key_start)):
        return False
    return not (traits.model_token and _stands_with_logprob(text, start, end))


def _is_strong(secret: str, traits: KeyTraits) -> bool:
    """What can be a secret without a sign between it and its key: `password Tr0ub4dor&3`."""
    if traits.digits:
        return True
    digits = sum(map(str.isdigit, secret))
    letters = sum(map(str.isalpha, secret))
    least = _OPAQUE if traits.key_class is KeyClass.TEXT else _STRONG
    if letters < 2 or " " in secret:
        return False
    return (digits >= least[0] and len(secret) >= least[1]) or looks_random(secret)


def _has_more_than_markers(secret: str) -> bool:
    """A marker with text glued to it: what is left of a secret that was found in part."""
    body = secret[len(MARKER_HEAD) :].rstrip(".,;:!?")
    return body.find("***") + 3 < len(body)


def _is_bare_secret(
    text: str, secret: str, traits: KeyTraits, separator: str, key_start: int
) -> bool:
    if secret[0] in _SIGNS and traits.key_class is KeyClass.TEXT and _COUNT.fullmatch(secret):
        return False
    if is_code(secret):
        return False
    if separator == "=" or separator == ":=":
        return len(secret) > _LONGEST_PLAIN or not is_plain_word(secret)
    if separator[:2] in {"is", "wa"}:
        return len(secret) > 3 and has_digit_or_symbol(secret) and not is_plain_word(secret)
    if is_plain_word(secret):
        return ":" not in separator and len(secret) > _LONGEST_PLAIN
    if ":" not in separator or not traits.prosy:
        return True
    return looks_opaque(secret) or (traits.listed and _begins_entry(text, key_start))


def _begins_entry(text: str, key_start: int) -> bool:
    return key_start == 0 or text[key_start - 1] in "\n{,;\"'"


def _stands_with_logprob(text: str, start: int, end: int) -> bool:
    """An entry of a list of log probabilities, printed: its `token` is model output."""
    around = text[max(0, start - _NEARBY) : start] + text[end : end + _NEARBY]
    return _TOKEN_OF_A_MODEL.search(around) is not None


KEY_VALUE_RULES: Final[tuple[Rule, ...]] = (span_rule("password_kv", KEY_ANCHORS, _find),)
