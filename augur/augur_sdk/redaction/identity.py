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
_SEPARATORS: Final = str.maketrans("", "", " .-+%")
_DOUBLED: Final = bytes.maketrans(b"0123456789", b"0246813579")
_ZERO: Final = ord("0")


def is_card_number(digits: str) -> bool:
    """True for the digits of a payment card: a known prefix and length, and Luhn's check."""
    if len(digits) not in _CARD_LENGTHS or not _CARD_PREFIX.match(digits):
        return False
    numbers = digits.encode()[::-1]
    total = sum(numbers[::2]) + sum(numbers[1::2].translate(_DOUBLED)) - len(digits) * _ZERO
    return total % 10 == 0


def _is_card(match: re.Match[str]) -> bool:
    return is_card_number(match[0].replace("%20", "").translate(_SEPARATORS))


_CARD: Final = pattern_rule(
    "card",
    r"(?<![\w+-])(?<!\d[.,])"
    r"(?:\d{13,19}+|\d{4}(?:([ .-])|%20|\+)\d{4}(?:\1|%20|\+)\d{4}(?:\1|%20|\+)\d{1,7}+"
    r"|\d{4}(?:[ .-]|%20|\+)\d{6}(?:[ .-]|%20|\+)\d{4,5}+)(?![\w-])(?![.,]\d)",
    anchors=(
        pattern(r"[0-9]{13}"),
        pattern(r"[0-9]{4}(?:[ .+-]|%20)[0-9]{4}(?:[ .+-]|%20)[0-9]{4}"),
        pattern(r"[0-9]{4}(?:[ .+-]|%20)[0-9]{6}(?:[ .+-]|%20)[0-9]{4}"),
    ),
    accept=_is_card,
)


def _is_social_security(match: re.Match[str]) -> bool:
    """With dashes by its form; with spaces only beside its name."""
    before = match.string[max(0, match.start() - 24) : match.start()]
    return match[1] == "-" or "ssn" in before.lower() or "social" in before.lower()


_SSN: Final = pattern_rule(
    "ssn",
    r"(?<![\w.+-])(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\w-])(?!\.\d)",
    anchors=(pattern(r"[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}"),),
    accept=_is_social_security,
)

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
_AS_NUMBERS: Final = str.maketrans({chr(code): str(code - 55) for code in range(65, 91)})


def _iban_end(text: str, start: int) -> int:
    """Where the account number that begins at `start` ends, or -1 if none does."""
    window = text[start : start + _IBAN_WINDOW]
    length = _IBAN_LENGTHS.get(window[:2].upper(), _IBAN_WINDOW)
    number = window.replace(" ", "")[:length]
    if len(number) < length or not (number.isascii() and number.isalnum()):
        return -1
    if not (number.isupper() or number.islower()) or not _has_check_digits(number):
        return -1
    end = start + length
    while len(text[start:end].replace(" ", "")) < length:
        end += 1
    return -1 if text[end : end + 1].isalnum() else end


def _has_check_digits(iban: str) -> bool:
    return int((iban[4:] + iban[:4]).upper().translate(_AS_NUMBERS)) % 97 == 1


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


def _is_address(match: re.Match[str]) -> bool:
    """No file name, and no user name in a URL."""
    start = match.start()
    if match.string[max(0, start - 3) : start] == "://":
        return False
    return match["top"].lower() not in _NOT_A_DOMAIN or _is_host(match["host"])


def _is_host(host: str) -> bool:
    """A host before a file's ending: `shop.example.` in `bob@shop.example.png`, not `2x.`."""
    labels = host.rstrip(".").split(".")
    return len(labels) > 1 and labels[-1].isalpha() and not labels[-2].isdigit()


_EMAIL: Final = pattern_rule(
    "email",
    # Where a run of a local part's characters begins, there is one start. A quote is one of them,
    # and what it opens may be an address, too: of these starts there are many, so each looks only
    # as far as a local part may reach.
    r"(?:(?:(?<![\w.+'\\%-])|(?<=%[0-9A-Fa-f]{2})|(?<=%)(?![0-9A-Fa-f]{2})|(?<=\\[nrtbf])"
    r"|(?<=\\u00[0-9A-Fa-f]{2})|(?<=\\)(?![nrtbfu]))"
    r"(?!git(?:@|%40)[\w.-]{1,253}+[:/])[^\W_][\w.+'-]*+|(?<=')[^\W_][\w.+'-]{0,63}+)"
    r"(?:@|%40|\\u0040|&#64;)"
    r"(?P<host>(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8})(?P<top>xn--[\w-]{1,59}|[^\W\d_]{2,24})(?![\w-])",
    flags=re.UNICODE,
    anchors=(
        pattern(r"@[^\s\"@.]+\.[^\s\"@.0-9]"),
        pattern(r"(?:%40|\\u0040|&#64;)[^\s\"@.]+\.[^\s\"@.0-9]"),
    ),
    accept=_is_address,
)

IDENTITY_RULES: Final[tuple[Rule, ...]] = (_EMAIL, _CARD, _SSN, _IBAN)
