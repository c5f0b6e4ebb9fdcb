"""Split trace.json into its session and its steps without holding it in memory.

A long run's trace is hundreds of megabytes; its steps are a few kilobytes each. Where a trace is
indented, a step most likely ends at the first closing bracket that stands as far in as its opening
one, and reading it as JSON proves that: no JSON object is the beginning of a longer one. Any other
value's end is found by its brackets alone, and it is left to the reader of each part to say
whether the part is JSON. Memory is bounded by the largest step.
"""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, Protocol

import orjson

__all__ = ["TracePart", "TraceSyntaxError", "trace_parts"]

_CHUNK: Final = 1 << 18

_GUESSED: Final = 1 << 16
"""How long a value may be for its end to be guessed: a wrong guess costs no more than this."""

_DEEPEST: Final = 64
"""How far in a value may stand for its end to be guessed."""

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
    """One value of the trace: a step, or another top-level value.

    Attributes:
        key: The name of the top-level member.
        position: The place among the elements of `steps`; None for a value that is none of them.
        start: Where the value begins, in bytes from the beginning of the file.
        raw: The value's text.
        value: The value where it had to be decoded to find its end; None where it was not.
    """

    key: str
    position: int | None
    start: int
    raw: bytes
    value: Any = None


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
            yield scanner.part(key, None)
        if scanner.ends(b"}"):
            return


def _elements(scanner: "_Scanner", key: str) -> Iterator[TracePart]:
    start = scanner.offset - 1
    if scanner.accept(b"]"):
        yield TracePart(key, None, start, b"[]")
        return
    for position in itertools.count():
        yield scanner.part(key, position)
        if scanner.ends(b"]"):
            return


class _Scanner:
    """A position in a stream of JSON text."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._buffer = b""
        self._at = 0
        self._dropped = 0

    @property
    def offset(self) -> int:
        """How far the stream has been used up, in bytes."""
        return self._dropped + self._at

    def peek(self) -> bytes:
        """Skip blanks; return the next byte, none at the end."""
        while (byte := self._buffer[self._at : self._at + 1]) <= b" ":
            blank = _BLANK.match(self._buffer, self._at)
            if blank and blank.end() > self._at:
                self._at = blank.end()
            elif byte or not self._fill():
                break
        return byte

    def accept(self, byte: bytes) -> bool:
        """Skip the byte if it is next."""
        found = self.peek() == byte
        self._at += found
        return found

    def expect(self, byte: bytes) -> None:
        """Skip the byte that has to be next."""
        if not self.accept(byte):
            raise self._broken(f"expected {byte.decode()}")

    def ends(self, bracket: bytes) -> bool:
        """Skip what has to be next: the bracket that ends it all, which is true, or a comma."""
        byte = self.peek()
        if byte != b"," and byte != bracket:
            raise self._broken("expected ,")
        self._at += 1
        return byte == bracket

    def key(self) -> str:
        """Return the member name that has to be next."""
        if self.peek() != b'"':
            raise self._broken("expected a member name")
        try:
            return str(json.loads(self.part("", None).raw))
        except ValueError:
            raise TraceSyntaxError("has a member name that is not a string") from None

    def part(self, key: str, position: int | None) -> TracePart:
        """Return the value that is next, under its name and place."""
        first = self.peek()
        guessed = self._guessed() if first == b"{" else None
        raw, value = guessed or (self._text(first), None)
        self._at += len(raw)
        return TracePart(key, position, self.offset - len(raw), raw, value)

    def _guessed(self) -> tuple[bytes, Any] | None:
        """Take an indented object to end at the next bracket below its own, if that is JSON."""
        line = self._buffer.rfind(b"\n", max(0, self._at - _DEEPEST), self._at)
        closing = self._buffer[line : self._at] + b"}"
        end = self._buffer.find(closing, self._at, self._at + _GUESSED)
        if line < 0 or end < 0:
            return None
        raw = self._buffer[self._at : end + len(closing)]
        try:
            return raw, orjson.loads(raw)
        except ValueError:
            return None

    def _text(self, first: bytes) -> bytes:
        if not first or first in b",:]}":
            raise self._broken("expected a value")
        length = self._container() if first in b"{[" else self._token(first)
        return self._buffer[self._at : self._at + length]

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
        self._dropped += self._at
        more = self._source.read(max(_CHUNK, len(held)))
        self._buffer, self._at = held + more, 0
        return bool(more)

    def _broken(self, expectation: str) -> TraceSyntaxError:
        if not self.peek():
            return TraceSyntaxError("ends before its JSON does")
        return TraceSyntaxError(f"is not a JSON object: {expectation}")
