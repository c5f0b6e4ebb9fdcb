"""Split trace.json into its session and its steps without holding it in memory.

A long run's trace is hundreds of megabytes; its steps are a few kilobytes each. The scanner
finds where a value ends by its brackets alone, and leaves it to the reader of each part to say
whether the part is JSON. Memory is bounded by the largest step.
"""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

__all__ = ["TracePart", "TraceSyntaxError", "trace_parts"]

_CHUNK: Final = 1 << 18

_BRACKET = re.compile(
    rb'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+([{}\[\]])',
    re.DOTALL,
)
"""Up to the next bracket that stands outside a string. Possessive, so it never backtracks."""

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SCALAR = re.compile(rb"[^\s,\]}]++(?=[\s,\]}])")
_BLANK = re.compile(rb"[ \t\r\n]*+")


class TraceSyntaxError(ValueError):
    """The file is no JSON object, or ends too soon."""


class TracePart(NamedTuple):
    """One value of the trace: a step, or another top-level value."""

    key: str
    position: int | None
    raw: bytes


class Readable(Protocol):
    """A source of bytes."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""
        ...


def trace_parts(source: Readable) -> Iterator[TracePart]:
    """Yield the parts of a trace in the order of the file.

    The elements of `steps` come one by one with their position; any other top-level value,
    and a `steps` without elements, comes whole, with none.

    Raises:
        TraceSyntaxError: The brackets and separators of the file are not those of a JSON object.
    """
    scanner = _Scanner(source)
    scanner.expect(b"{")
    if not scanner.accept(b"}"):
        yield from _members(scanner)
    if scanner.peek():
        raise TraceSyntaxError("has text after its end")


def _members(scanner: "_Scanner") -> Iterator[TracePart]:
    while True:
        key = scanner.key()
        scanner.expect(b":")
        if key == "steps" and scanner.accept(b"["):
            yield from _elements(scanner, key)
        else:
            yield TracePart(key, None, scanner.value())
        if scanner.accept(b"}"):
            return
        scanner.expect(b",")


def _elements(scanner: "_Scanner", key: str) -> Iterator[TracePart]:
    if scanner.accept(b"]"):
        yield TracePart(key, None, b"[]")
        return
    for position in itertools.count():
        yield TracePart(key, position, scanner.value())
        if scanner.accept(b"]"):
            return
        scanner.expect(b",")


class _Scanner:
    """A position in a stream of JSON text."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._buffer = b""
        self._at = 0

    def peek(self) -> bytes:
        """Skip blanks; return the next byte, none at the end."""
        while True:
            blank = _BLANK.match(self._buffer, self._at)
            self._at = blank.end() if blank else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at : self._at + 1]
            if not self._fill():
                return b""

    def accept(self, byte: bytes) -> bool:
        """Skip the byte if it is next."""
        found = self.peek() == byte
        self._at += found
        return found

    def expect(self, byte: bytes) -> None:
        """Skip the byte that has to be next."""
        if not self.accept(byte):
            raise self._broken(f"expected {byte.decode()}")

    def key(self) -> str:
        """Return the member name that has to be next."""
        if self.peek() != b'"':
            raise self._broken("expected a member name")
        try:
            return str(json.loads(self.value()))
        except ValueError:
            raise TraceSyntaxError("has a member name that is not a string") from None

    def value(self) -> bytes:
        """Return the text of the value that is next."""
        first = self.peek()
        if not first or first in b",:]}":
            raise self._broken("expected a value")
        length = self._container() if first in b"{[" else self._token(first)
        raw = self._buffer[self._at : self._at + length]
        self._at += length
        return raw

    def _token(self, first: bytes) -> int:
        pattern = _STRING if first == b'"' else _SCALAR
        while not (found := pattern.match(self._buffer, self._at)):
            self._require_more()
        return found.end() - self._at

    def _container(self) -> int:
        length = depth = 0
        while True:
            found = _BRACKET.match(self._buffer, self._at + length)
            if not found:
                self._require_more()
                continue
            length = found.end() - self._at
            depth += 1 if found[1] in b"{[" else -1
            if depth == 0:
                return length

    def _require_more(self) -> None:
        if not self._fill():
            raise TraceSyntaxError("ends before its JSON does")

    def _fill(self) -> bool:
        """Read on, by as much again as is held, so that a huge value costs linear time."""
        held = self._buffer[self._at :]
        more = self._source.read(max(_CHUNK, len(held)))
        self._buffer, self._at = held + more, 0
        return bool(more)

    def _broken(self, expectation: str) -> TraceSyntaxError:
        if not self.peek():
            return TraceSyntaxError("ends before its JSON does")
        return TraceSyntaxError(f"is not a JSON object: {expectation}")
