"""Secrets in HTML, XML, URLs and sentences, where the telling name stands apart from the value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from augur_sdk.redaction.anchors import pattern
from augur_sdk.redaction.keys import KeyClass, classify
from augur_sdk.redaction.looks import (
    has_digit_or_symbol,
    is_placeholder,
    is_plain_word,
    looks_opaque,
)
from augur_sdk.redaction.rule import Rule, Span, pattern_rule, span_rule

__all__ = ["MARKUP_RULES"]

_QUOTED: Final = r"(?P<open>\\*+[\"'])"

_TAG: Final = re.compile(r"<(?:input|textarea|meta|param|option)\b[^<>]{0,4096}+", re.IGNORECASE)
_NAMING: Final = re.compile(
    r"(?:name|id|type|autocomplete|placeholder|aria-label|itemprop|key)"
    r"\\*+=\\*+[\"']?([^\s\"'\\=]{2,64}+)",
    re.IGNORECASE,
)
_VALUE: Final = re.compile(
    r"(?:value|content)=(?:\\*+\"([^\"\\<>]{1,2048}+)|\\*+'([^'\\<>]{1,2048}+)"
    r"|([^\s\"'<>\\]{1,1024}+))",
    re.IGNORECASE,
)
_TYPED_SECRETLY: Final = frozenset(
    {"current-password", "new-password", "one-time-code", "cc-number", "cc-csc", "csrf-token"}
)


def _names_secret(name: str) -> bool:
    return name.lower() in _TYPED_SECRETLY or classify(name) is not KeyClass.ORDINARY


def _find_in_tags(text: str) -> Iterator[Span]:
    for tag in _TAG.finditer(text):
        if any(_names_secret(found[1]) for found in _NAMING.finditer(text, *tag.span())):
            for value in _VALUE.finditer(text, *tag.span()):
                group = value.lastindex or 0
                if not is_placeholder(value[group]):
                    yield *value.span(group), "password_kv"


_NAMED_VALUE: Final = re.compile(
    r"(?:name|key|id|field|header|label)\\*+[\"']\s{0,4}:\s{0,4}\\*+[\"'](?P<name>[\w.\- ]{2,64}+)"
    r"\\*+[\"']\s{0,4},\s{0,4}\\*+[\"'](?:value|val|content|text)\\*+[\"']\s{0,4}:\s{0,4}"
    r"(?P<open>\\*+)[\"'](?P<secret>(?:[^\"'\\]){1,2048}+)",
)


def _find_named_values(text: str) -> Iterator[Span]:
    for found in _NAMED_VALUE.finditer(text):
        if _names_secret(found["name"]) and not is_placeholder(found["secret"]):
            yield *found.span("secret"), "password_kv"


_ELEMENT: Final = re.compile(
    r"<(?:[\w-]{1,32}+:)?(?P<name>[A-Za-z][\w.-]{1,63}+)(?:\s[^<>]{0,256}+)?>"
    r"(?P<secret>[^<>\s][^<>]{0,2047}+)</"
)


def _find_elements(text: str) -> Iterator[Span]:
    for found in _ELEMENT.finditer(text):
        secret = found["secret"].strip()
        if _names_secret(found["name"]) and not (is_placeholder(secret) or is_plain_word(secret)):
            yield *found.span("secret"), "password_kv"


_TELLING: Final = r"(?:pass|pwd|secret|token|credential|key|cvv|cvc|csc|ssn|pin|otp|card|cc-|code)"

_QUERY_NAMES: Final = (
    r"key|sig|signature|hmac|code|auth|pass|pw|sid|session|ticket|assertion|credential|access"
    r"|x-amz-signature|x-goog-signature|x-amz-credential|x-goog-credential|x-oss-signature"
    r"|oauth_\w{1,20}|saml(?:request|response)|policy|invite|magic|ott|nonce|hash|h|s|t|k|token"
)


def _is_query_secret(match: re.Match[str]) -> bool:
    name, secret = match["name"].lower(), match["secret"]
    if name in {"pass", "pw"}:
        return not is_placeholder(secret)
    least = 16 if name in {"h", "s", "t", "k", "hash", "nonce", "policy", "invite"} else 8
    return len(secret) >= least and looks_opaque(secret) and any(map(str.isdigit, secret))


_QUERY: Final = pattern_rule(
    "url_secret",
    r"(?:(?<=[?&#;])|(?<=%3[fF])|(?<=%26)|(?<=%23)|(?<=u0026))"
    rf"(?P<name>{_QUERY_NAMES})(?:=|%3[dD])(?P<secret>(?:[^&#\s\"'<>\\%;*]|%(?!26|23)){{2,4096}}+)",
    flags=re.IGNORECASE,
    anchors=(pattern(rf"(?:[?&#;]|%3f|%26|%23|u0026)(?:{_QUERY_NAMES})(?:=|%3d)"),),
    accept=_is_query_secret,
)

_SUBJECT: Final = (
    r"(?:password|passcode|passphrase|\bpin\b|secret|credential|\botp\b|cvv|security code)"
)

_MARK: Final = "[\"'`\u2018-\u201f]"

_TYPED: Final = pattern_rule(
    "password_kv:typed",
    r"\b(?:typ(?:e|ed|es|ing)|enter(?:ed|s|ing)?|fill(?:ed|s|ing)?(?: in)?|input(?:s|ted|ting)?"
    r"|put|paste[ds]?|set|wrote|write|send|sent) (?:text |the text |value )?"
    rf"(?:\\*{_MARK})(?P<secret>(?:(?!{_MARK})[^\r\n\\]){{1,128}}+)(?:\\*{_MARK})"
    rf" (?:in|into|in to|as|for|on|to|at)\b[^.\r\n\"]{{0,48}}?{_SUBJECT}",
    kind="password_kv",
    flags=re.IGNORECASE,
    anchors=(pattern(r"(?:[\"'`]|\xe2\x80[\x98-\x9f]) (?:in|as|for|on|to|at)"),),
    accept=lambda match: not is_placeholder(match["secret"]),
)


def _is_sentence_secret(match: re.Match[str]) -> bool:
    secret = match["secret"]
    return has_digit_or_symbol(secret) and not (is_placeholder(secret) or is_plain_word(secret))


_TYPED_BARE: Final = pattern_rule(
    "password_kv:typed_bare",
    r"\b(?:typ(?:e|ed|es|ing)|enter(?:ed|s|ing)?|input(?:s|ted|ting)?|paste[ds]?) "
    r"(?P<secret>[^\s\"'`]{4,128}+) (?:in|into|in to|as)\b[^.\r\n\"]{0,48}?"
    r"(?:password|passcode|passphrase)",
    kind="password_kv",
    flags=re.IGNORECASE,
    anchors=(pattern(r" (?:in|into|as) [^.\r\n\"]*pass"),),
    accept=_is_sentence_secret,
)

MARKUP_RULES: Final[tuple[Rule, ...]] = (
    span_rule(
        "password_kv:html",
        (pattern(rf"<(?:input|textarea|meta|param|option)[^<>]*{_TELLING}"),),
        _find_in_tags,
    ),
    span_rule(
        "password_kv:named",
        (pattern(r"(?:value|val|content|text)\\*[\"']\s*:\s*\\*[\"']"),),
        _find_named_values,
    ),
    span_rule(
        "password_kv:xml",
        (pattern(rf"<[^<>/]*{_TELLING}[^<>]*>[^<>]+</"),),
        _find_elements,
    ),
    _QUERY,
    _TYPED,
    _TYPED_BARE,
)
