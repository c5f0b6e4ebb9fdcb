"""Secrets in HTML, XML, URLs and sentences, where the telling name stands apart from the value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from augur_sdk.redaction.anchors import pattern
from augur_sdk.redaction.keys import KeyClass, classify, names_secret_field
from augur_sdk.redaction.looks import (
    has_digit_or_symbol,
    is_placeholder,
    is_plain_word,
    looks_opaque,
)
from augur_sdk.redaction.rule import Rule, Span, pattern_rule, span_rule
from augur_sdk.redaction.vocabulary import words

__all__ = ["MARKUP_RULES"]

_QUOTED: Final = r"(?P<open>\\*+[\"'])"

_TAGS: Final = r"<(?:input|textarea|meta|param|option|add|entry|property|setting|variable|env)"
_TAG: Final = re.compile(rf"{_TAGS}\b[^<>]{{0,4096}}+", re.IGNORECASE)
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


_LISTED: Final = re.compile(
    r"<(?P<tag>key|name)>(?P<name>[\w.\- ]{2,64}+)</(?P=tag)>\s{0,64}"
    r"<(?:string|value)>(?P<secret>[^<>]{1,2048}+)</"
)


def _find_listed(text: str) -> Iterator[Span]:
    for found in _LISTED.finditer(text):
        if _names_secret(found["name"]):
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
    r"\b(?:typ(?:e|ed|es|ing)|enter(?:ed|s|ing)?|input(?:s|ted|ting)?|paste[ds]?):? "
    r"(?P<secret>[^\s\"'`]{4,128}+) (?:in|into|in to|as)\b[^.\r\n\"]{0,48}?"
    r"(?:password|passcode|passphrase)",
    kind="password_kv",
    flags=re.IGNORECASE,
    anchors=(pattern(r" (?:in|into|as) [^.\r\n\"]*pass"),),
    accept=_is_sentence_secret,
)

_CALLED: Final = (
    r"(?:fill|type|type_text|typeText|press_?[sS]equentially|send_?[kK]eys|set_?[vV]alue"
    r"|input_text)"
)
_CALL: Final = re.compile(
    rf"{_CALLED}\(\s{{0,4}}(?:\\*{_MARK}(?P<place>[^\r\n,]{{1,96}}?)\\*{_MARK}\s{{0,4}},\s{{0,4}})?"
    rf"\\*{_MARK}(?P<secret>(?:(?!{_MARK})[^\r\n\\]){{1,256}}+)\\*{_MARK}"
)
_CALLED_ON: Final = re.compile(rf"\(\\*{_MARK}([^\r\n()]{{1,128}})\\*{_MARK}[^()]{{0,64}}\)\.$")
_LONGEST_CHAIN: Final = 220


def _find_in_calls(text: str) -> Iterator[Span]:
    """Scripts that drive a browser: `fill("#password", "...")`, `locator("#pwd").fill("...")`."""
    for found in _CALL.finditer(text):
        place = found["place"] or _called_on(text, found.start())
        if place and names_secret_field(place) and not is_placeholder(found["secret"]):
            yield *found.span("secret"), "password_kv"


def _called_on(text: str, position: int) -> str:
    before = text[max(0, position - _LONGEST_CHAIN) : position]
    begin = before.rfind("(")
    found = _CALLED_ON.match(before, begin) if begin >= 0 else None
    return found[1] if found else ""


_NOT_ONE_TIME: Final = words(
    "zip postal area country error status exit http response promo coupon source product item "
    "color colour qr bar return dial"
)


def _is_one_time_code(match: re.Match[str]) -> bool:
    before = match.string[max(0, match.start() - 16) : match.start()].split()
    return not before or before[-1].lower() not in _NOT_ONE_TIME


_ONE_TIME: Final = pattern_rule(
    "code",
    r"\bcode(?: is|:) {1,2}(?P<secret>(?:[A-Z]-)?\d{3}[ -]?\d{1,5})(?![\w.,]?\d)",
    flags=re.IGNORECASE,
    anchors=(pattern(r"code(?: is|:) +(?:[a-z]-)?[0-9]{3}"),),
    accept=_is_one_time_code,
)

_ONE_TIME_FIRST: Final = pattern_rule(
    "code:first",
    r"(?<![\w.-])(?P<secret>(?:[A-Z]-)?\d{4,8}) is your (?:[\w'-]{1,24} ){0,4}"
    r"(?:code|otp|passcode|pin)\b",
    kind="code",
    flags=re.IGNORECASE,
    anchors=(pattern(r"[0-9]{4} is your "),),
)

MARKUP_RULES: Final[tuple[Rule, ...]] = (
    span_rule(
        "password_kv:call",
        (
            pattern(
                r"(?:fill|type|type_?text|sequentially|send_?keys|set_?value|input_text)\(\s*\\*[\"'`]"
            ),
        ),
        _find_in_calls,
    ),
    span_rule(
        "password_kv:listed", (pattern(r"</(?:key|name)>\s*<(?:string|value)>"),), _find_listed
    ),
    _ONE_TIME,
    _ONE_TIME_FIRST,
    span_rule(
        "password_kv:html",
        (pattern(rf"{_TAGS}[^<>]*{_TELLING}"),),
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
