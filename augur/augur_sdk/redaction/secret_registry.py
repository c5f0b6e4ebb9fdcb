"""The secrets that are known by value: registered, or typed into password fields.

The values live in memory, for one session. They are never written, logged, pickled, copied or
shown; masking them is the only thing that can be done with them.
"""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Final, NoReturn

from augur_sdk.redaction.anchors import encode, find_re2
from augur_sdk.redaction.encodings import forms_of
from augur_sdk.redaction.hidden import HIDDEN_ANCHORS, unhidden
from augur_sdk.redaction.markers import MARKER, MARKER_BYTES, marker
from augur_sdk.redaction.vocabulary import is_vocabulary

__all__ = ["SecretRegistry", "SecretWarning"]

_SHORTEST: Final = 5
_SHORTEST_NUMBER: Final = 6
_MARKER_TEXT: Final = "***REDACTED:secret.password_kv.error.mask***"
_PER_MATCHER: Final = 64
"""Secrets in one automaton: registering one more rebuilds only the automaton that is not full."""

_HIDDEN: Final = re.compile(b"|".join(anchor.expression for anchor in HIDDEN_ANCHORS))

_MATCHER_MEMORY: Final = 64 << 20

Spans = Iterator[tuple[int, int]]


class SecretWarning(UserWarning):
    """A secret that was not registered because it could not be told apart from ordinary text."""


class SecretRegistry:
    """The known secrets of one session. Safe to use from any thread."""

    __slots__ = ("_groups", "_lock", "_matchers", "_names", "_numbers")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: dict[str, str] = {}
        self._groups: list[dict[str, str]] = []
        self._matchers: list[_Matcher | None] = []
        self._numbers: frozenset[str] = frozenset()

    def register(self, value: str, name: str | None = None, *, quiet: bool = False) -> bool:
        """Mask `value` from now on: plain, escaped, URL-encoded, in base64, spelled out.

        Args:
            value: the secret. Five characters or more, six if all are digits.
            name: what the marker calls it; letters, digits, `_`, `-`, `.`.
            quiet: do not warn when the value is refused.

        Returns:
            Whether the value is masked from now on. False, with a `SecretWarning`, if it is too
            short or too common to be told apart.
        """
        reason = _refusal(value)
        if reason:
            if not quiet:
                warnings.warn(f"a secret was not registered: {reason}", SecretWarning, stacklevel=2)
            return False
        with self._lock:
            if value not in self._names:
                self._add(value, _safe_name(name, value))
        return True

    def _add(self, value: str, kind: str) -> None:
        if len(self._names) % _PER_MATCHER == 0:
            self._groups.append({})
            self._matchers.append(None)
        self._names[value] = kind
        self._groups[-1].update(dict.fromkeys(forms_of(value), kind))
        self._matchers[-1] = None
        if value.strip().isdigit():
            self._numbers |= {value.strip().lstrip("0")}

    def found_in(self, encoded: bytes) -> bool:
        """True if a secret may stand in this UTF-8 text or in a string of this JSON text."""
        if not self._names:
            return False
        if any(matcher.found_in(encoded) for matcher in self._current()):
            return True
        return not encoded.isascii() and _HIDDEN.search(encoded) is not None

    def mask(self, text: str) -> str:
        """The text with every known secret masked; the same object if there is none."""
        if not self._names:
            return text
        masked = self._mask_plain(text)
        if not masked.isascii() and _HIDDEN.search(encode(masked)):
            plain = unhidden(masked)
            in_plain = self._mask_plain(plain)
            return masked if in_plain == plain else in_plain
        return masked

    def is_number(self, value: float) -> bool:
        """True if a number is a registered secret."""
        return bool(self._numbers) and str(value).removesuffix(".0") in self._numbers

    def found_in_text(self, text: str) -> bool:
        """True if a secret stands in this text as it is."""
        return bool(self._names) and self._mask_plain(text) is not text

    def _mask_plain(self, text: str) -> str:
        for matcher in self._current():
            text = matcher.mask(text)
        return text

    def _current(self) -> list[_Matcher]:
        with self._lock:
            for number, matcher in enumerate(self._matchers):
                if matcher is None:
                    self._matchers[number] = _Matcher(self._groups[number])
            return [matcher for matcher in self._matchers if matcher is not None]

    def __len__(self) -> int:
        return len(self._names)

    def __bool__(self) -> bool:
        return bool(self._names)

    def __repr__(self) -> str:
        return f"SecretRegistry({len(self._names)} secrets)"

    def __reduce_ex__(self, _protocol: Any) -> NoReturn:
        raise TypeError("registered secrets stay in this process: they cannot be pickled or copied")


class _Matcher:
    """All forms of some secrets, found in one pass, the longest first."""

    __slots__ = ("_find", "_kinds")

    def __init__(self, kinds: dict[str, str]) -> None:
        self._kinds = {encode(form): kind for form, kind in kinds.items()}
        self._find = _finder(sorted(self._kinds, key=len, reverse=True))

    def found_in(self, encoded: bytes) -> bool:
        return next(self._find(encoded), None) is not None

    def mask(self, text: str) -> str:
        encoded = encode(text)
        markers = [found.span() for found in MARKER_BYTES.finditer(encoded)]
        pieces: list[bytes] = []
        done = 0
        for start, end in _outside(self._find(encoded), markers):
            kind = self._kinds[encoded[start:end]]
            pieces += (encoded[done:start], marker(kind).encode())
            done = end
        if not pieces:
            return text
        return b"".join((*pieces, encoded[done:])).decode("utf-8", "surrogatepass")


def _outside(matches: Spans, markers: list[tuple[int, int]]) -> Spans:
    """The matches that overlap no marker: `login` in `***REDACTED:secret.login***` is none."""
    ahead = iter(markers)
    current = next(ahead, None)
    for start, end in matches:
        while current and current[1] <= start:
            current = next(ahead, None)
        if not current or end <= current[0]:
            yield start, end


def _finder(forms: list[bytes]) -> Callable[[bytes], Spans]:
    re2 = find_re2()
    if re2 is None:
        return _finder_without_re2(forms)
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.longest_match = True
    options.log_errors = False
    options.max_mem = _MATCHER_MEMORY
    try:
        expression = re2.compile(b"|".join(map(re2.escape, forms)), options)
    except re2.error:  # secrets of many kilobytes: too large for one automaton
        return _finder_without_re2(forms)
    re2.purge()  # its cache would keep the secrets beyond the session

    def find(encoded: bytes) -> Spans:
        return (match.span() for match in expression.finditer(encoded))

    return find


def _finder_without_re2(forms: list[bytes]) -> Callable[[bytes], Spans]:
    def find(encoded: bytes) -> Spans:
        present = [form for form in forms if form in encoded]
        if not present:
            return iter(())
        matches = re.finditer(b"|".join(map(re.escape, present)), encoded)
        return (match.span() for match in matches)

    return find


def _refusal(value: Any) -> str | None:
    """Why a value cannot be a registered secret, in words that do not tell it; None if it can."""
    if not isinstance(value, str):
        return f"expected a str, not {type(value).__name__}"
    text = value.strip()
    if len(text) < _SHORTEST or (text.isdigit() and len(text) < _SHORTEST_NUMBER):
        return (
            f"it is too short to be told apart; expected {_SHORTEST} characters or more, "
            f"{_SHORTEST_NUMBER} if all are digits"
        )
    if len(set(text)) < 3 or not any(map(str.isalnum, text)) or text in _MARKER_TEXT:
        return "it is too uniform to be told apart from ordinary text"
    if is_vocabulary(text) or MARKER.search(text):
        return "it is too common a word: masking it would mask every record"
    return None


def _safe_name(name: str | None, value: str) -> str:
    if not name or value in name:
        return "secret"
    return "secret." + re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)[:40]
