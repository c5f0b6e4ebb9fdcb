"""The forms in which a known secret can stand in a text."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, quote_plus

__all__ = ["forms_of"]

_SHORTEST_FORM: Final = 5
_LONGEST_SPELLED: Final = 256
"""Longer secrets are not typed key by key."""

_ESCAPES: Final = 3
_SEPARATORS: Final = (" ", ",", ", ", "-", "+", "\n", '","', '", "', "','", "', '", '\\",\\"')
"""Between single key presses, in key chords, in lists and in printed lists."""


def forms_of(secret: str) -> frozenset[str]:
    """Every text that stands for `secret`: plain, escaped, encoded, spelled out."""
    forms = {
        form
        for spelled in {secret, secret.strip()}
        for form in (*_escaped(spelled), *_encoded(spelled), *_spelled_out(spelled))
    }
    return frozenset(form for form in forms if len(form) >= _SHORTEST_FORM)


def _escaped(secret: str) -> Iterator[str]:
    for ascii_only in (False, True):
        form = secret
        for _ in range(_ESCAPES + 1):
            yield form
            form = json.dumps(form, ensure_ascii=ascii_only)[1:-1]
    plain = secret.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    quoted = plain.replace('"', "&quot;")
    yield from (plain, quoted, *(quoted.replace("'", mark) for mark in ("&#x27;", "&#39;")))
    yield repr(secret)[1:-1]
    yield secret.replace("/", "\\/")


def _encoded(secret: str) -> Iterator[str]:
    raw = secret.encode("utf-8", "surrogatepass")
    for percent in (quote(raw, safe=""), quote(raw), quote_plus(raw), _all_percent(raw)):
        yield percent
        yield _lower_percent(percent)
        yield quote(percent, safe="")
    yield raw.hex()
    yield raw.hex().upper()
    for offset in range(3):
        core = _base64_core(raw, offset)
        yield core
        yield core.replace("+", "-").replace("/", "_")
        yield quote(core, safe="")


def _all_percent(raw: bytes) -> str:
    return "".join(f"%{byte:02X}" for byte in raw)


def _lower_percent(text: str) -> str:
    head, *rest = text.split("%")
    return "%".join((head, *(part[:2].lower() + part[2:] for part in rest)))


def _base64_core(raw: bytes, offset: int) -> str:
    """The characters that do not depend on what stands before and after, at one alignment."""
    encoded = base64.b64encode(bytes(offset) + raw).decode()
    first = -(-offset * 8 // 6)
    last = (offset + len(raw)) * 8 // 6
    return encoded[first:last]


def _spelled_out(secret: str) -> Iterator[str]:
    if len(secret) <= _LONGEST_SPELLED:
        for separator in _SEPARATORS:
            yield separator.join(secret)
