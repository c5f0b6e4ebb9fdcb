"""Numbers and addresses of people: cards, bank accounts, social security, e-mail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from augur_sdk.redaction.anchors import EDGE, pattern
from augur_sdk.redaction.rule import Rule, Span, pattern_rule, span_rule
from augur_sdk.redaction.vocabulary import words

__all__ = ["IDENTITY_RULES", "is_card_number"]

_CARD_PREFIX: Final = re.compile(
    r"4|5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)|3[47]|3(?:0[0-5]|[68])|35(?:2[89]|[3-8])"
    r"|6(?:011|5|4[4-9]|2)"
)
_CARD_LENGTHS: Final = frozenset({13, 14, 15, 16, 19})
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def is_card_number(digits: str) -> bool:
    """True for the digits of a payment card: a known prefix and length, and Luhn's check."""
    if len(digits) not in _CARD_LENGTHS or not _CARD_PREFIX.match(digits):
        return False
    numbers = [ord(digit) - 48 for digit in reversed(digits)]
    return (sum(numbers[::2]) + sum(_DOUBLED[n] for n in numbers[1::2])) % 10 == 0


def _is_card(match: re.Match[str]) -> bool:
    return is_card_number("".join(filter(str.isdigit, match[0])))


_EDGE_BEFORE: Final = r"(?<![\w+-])(?<!\d[.,])"
_EDGE_AFTER: Final = r"(?![\w-])(?![.,]\d)"

_CARD: Final = pattern_rule(
    "card",
    _EDGE_BEFORE
    + r"(?:\d{13,19}+|\d{4}(?:([ .-])|%20|\+)\d{4}(?:\1|%20|\+)\d{4}(?:\1|%20|\+)\d{1,7}+"
    r"|\d{4}(?:[ .-]|%20|\+)\d{6}(?:[ .-]|%20|\+)\d{4,5}+)" + _EDGE_AFTER,
    anchors=(
        pattern(r"[0-9]{13}"),
        pattern(r"[0-9]{4}(?:[ .+-]|%20)[0-9]{4}(?:[ .+-]|%20)[0-9]{4}"),
        pattern(r"[0-9]{4}(?:[ .+-]|%20)[0-9]{6}(?:[ .+-]|%20)[0-9]{4}"),
    ),
    accept=_is_card,
)

_SSN: Final = pattern_rule(
    "ssn",
    r"(?<![\w.+-])(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\w-])(?!\.\d)",
    anchors=(pattern(r"[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}"),),
    accept=lambda match: match[1] == "-" or "ssn" in _before(match, 24).lower(),
)


def _before(match: re.Match[str], length: int) -> str:
    start = match.start()
    return match.string[max(0, start - length) : start]


_IBAN_COUNTRIES: Final = {
    15: "NO",
    16: "BE",
    18: "DK FI FO GL NL",
    19: "MK SI",
    20: "AT BA EE KZ LT LU XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HU LB PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU",
    31: "MT SC",
    32: "LC",
}
"""The countries by the length of their account numbers."""

_IBAN_LENGTHS: Final = {
    country: length for length, names in _IBAN_COUNTRIES.items() for country in words(names)
}
_IBAN_HEAD: Final = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d\d(?=[ ]?[A-Za-z0-9]{4})", re.ASCII)
_IBAN_WINDOW: Final = 64


def _iban_end(text: str, start: int) -> int:
    """Where the account number that begins at `start` ends, or -1 if none does."""
    length = _IBAN_LENGTHS.get(text[start : start + 2].upper(), 0)
    seen = 0
    for end in range(start, min(len(text), start + _IBAN_WINDOW)):
        seen += text[end] != " "
        if seen == length:
            break
    else:
        return -1
    found = text[start : end + 1]
    if text[end + 1 : end + 2].isalnum() or not (found.isupper() or found.islower()):
        return -1
    return end + 1 if _has_check_digits(found.replace(" ", "")) else -1


def _has_check_digits(iban: str) -> bool:
    if not (iban.isascii() and iban.isalnum()):
        return False
    return int("".join(str(int(c, 36)) for c in iban[4:] + iban[:4])) % 97 == 1


def _find_ibans(text: str) -> Iterator[Span]:
    for head in _IBAN_HEAD.finditer(text):
        if (end := _iban_end(text, head.start())) > 0:
            yield head.start(), end, "iban"


_IBAN: Final = span_rule(
    "iban",
    (
        pattern(
            rf"{EDGE}(?:{'|'.join(sorted(_IBAN_LENGTHS))})[0-9]{{2}}"
            r"(?: [A-Z0-9]{4} [A-Z0-9]{4}|[A-Z0-9]{9,30}(?:[^A-Z0-9]|$))"
        ),
    ),
    _find_ibans,
)

_NOT_A_DOMAIN: Final = words(
    "png jpg jpeg gif svg webp ico bmp css js mjs jsx ts tsx json html htm mp4 woff woff2 pdf map "
    "lock toml yaml yml txt exe dll service socket timer slice target mount"
)
"""Endings of files and units that stand after an `@` (`icon@2x.png`, `getty@tty1.service`)."""

_EMAIL_HOST: Final = re.compile(
    r"(?:@|%40|\\u0040|&#64;)"
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(xn--[\w-]{1,59}|[^\W\d_]{2,24})(?![\w-])"
)
_NOT_IN_LOCAL_PART: Final = re.compile(r"[^\w.+'-]")
_LONGEST_LOCAL_PART: Final = 64
_ESCAPE: Final = re.compile(r"(?<=\\)(?:[nrtbf]|u00[0-9a-fA-F]{2})|(?<=%)[0-9a-fA-F]{2}")


def _local_part_start(text: str, at: int) -> int:
    """Where the local part that ends at `at` begins; an escape before it is not part of it."""
    window = text[max(0, at - _LONGEST_LOCAL_PART) : at]
    start = at - len(_NOT_IN_LOCAL_PART.split(window)[-1].lstrip(".'-"))
    escape = _ESCAPE.match(text, start, at)
    return escape.end() if escape and escape.end() < at else start


def _find_addresses(text: str) -> Iterator[Span]:
    for host in _EMAIL_HOST.finditer(text):
        at = host.start()
        start = _local_part_start(text, at)
        if start == at or host[1].lower() in _NOT_A_DOMAIN:
            continue
        if text[start:at] == "git" and text[host.end() : host.end() + 1] in {":", "/"}:
            continue
        yield start, host.end(), "email"


_EMAIL: Final = span_rule(
    "email",
    (
        pattern(r"@[^\s\"@.]+\.[^\s\"@.0-9]"),
        pattern(r"(?:%40|\\u0040|&#64;)[^\s\"@.]+\.[^\s\"@.0-9]"),
    ),
    _find_addresses,
)

IDENTITY_RULES: Final[tuple[Rule, ...]] = (_EMAIL, _CARD, _SSN, _IBAN)
