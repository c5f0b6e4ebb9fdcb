"""One pass over a text that tells which rules could match in it at all.

A rule names its anchors: what a text must hold before the rule can match. All anchors of all rules
are one RE2 set, an automaton that reads each byte once, so most texts cost 2 ns a byte and no
rule. Where RE2 is not installed (a platform without its wheel) literals are looked for one by one,
and rules without a literal always run: the same result, many times slower, still linear.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Final, NamedTuple

__all__ = ["EDGE", "Anchor", "AnchorSet", "encode", "find_re2", "literals", "pattern"]

EDGE: Final = r"(?:^|[^a-z0-9]|\\[bfnrt]|\\u[0-9a-f]{4}|%[0-9a-f]{2})"
"""What stands before a word, also in JSON text, where a line end is a backslash and an `n`."""

_SET_MEMORY: Final = 64 << 20
"""Many times what the automaton of all rules needs: it must never give up for lack of memory."""


_forks = 0
"""How often this process's ancestors forked since the import; one a process by nature."""

_inherited: list[object] = []


def _count_fork() -> None:
    global _forks
    _forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_fork)


class Anchor(NamedTuple):
    """A literal (any ASCII case), and what RE2 must see after it to call it a hit.

    `tail` only narrows: with `literal` alone there are more hits, never fewer. An anchor without
    a literal is all `tail`: ASCII, in the syntax that RE2 and `re` share, over UTF-8 bytes.
    """

    literal: str
    tail: str = ""

    @property
    def expression(self) -> bytes:
        """The anchor in RE2's syntax."""
        return re.escape(self.literal).replace("\\-", "-").encode() + self.tail.encode("ascii")


def literals(*words: str) -> tuple[Anchor, ...]:
    """Anchors that are plain words."""
    return tuple(Anchor(word) for word in words)


def pattern(expression: str) -> Anchor:
    """An anchor without a fixed text."""
    return Anchor("", expression)


def encode(text: str) -> bytes:
    """UTF-8 for any `str`, lone surrogates included."""
    return text.encode("utf-8", "surrogatepass")


class AnchorSet:
    """All anchors of several groups, looked for at once. Safe to use from any thread.

    Args:
        groups: the anchors of each group; groups have numbers.
    """

    def __init__(self, groups: Mapping[int, Sequence[Anchor]]) -> None:
        self._groups = [name for name, anchors in groups.items() for _ in anchors]
        self._anchors = [anchor for anchors in groups.values() for anchor in anchors]
        self._match = _compile(self._anchors)
        self._forks = _forks

    def hits(self, encoded: bytes) -> list[int]:
        """The groups with an anchor in this UTF-8 text, in order."""
        if self._forks != _forks:
            self._match_after_fork()
        found = self._match(encoded)
        return sorted({self._groups[index] for index in found}) if found else []

    def _match_after_fork(self) -> None:
        # A thread of the parent's may have held the automaton's lock: it is left as it is, never
        # to be freed, and another one made.
        _inherited.append(self._match)
        self._match = _compile(self._anchors)
        self._forks = _forks


def _compile(anchors: Sequence[Anchor]) -> Callable[[bytes], Sequence[int] | None]:
    re2 = find_re2()
    return _one_by_one(anchors) if re2 is None else _all_at_once(re2, anchors)


def find_re2() -> Any:
    """The `re2` module; None on a platform for which there is none."""
    try:
        return import_module("re2")  # publishes no types
    except ImportError:
        return None


def _all_at_once(re2: Any, anchors: Sequence[Anchor]) -> Callable[[bytes], Sequence[int] | None]:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.case_sensitive = False
    options.never_capture = True
    options.log_errors = False
    options.max_mem = _SET_MEMORY
    automaton = re2.Set.SearchSet(options)
    for anchor in anchors:
        automaton.Add(anchor.expression)
    automaton.Compile()
    match: Callable[[bytes], Sequence[int] | None] = automaton.Match
    return match


def _one_by_one(anchors: Sequence[Anchor]) -> Callable[[bytes], Sequence[int] | None]:
    """Without RE2: what has no literal counts as found, since `re` may need quadratic time."""
    words = [(index, a.literal.lower().encode()) for index, a in enumerate(anchors) if a.literal]
    always = [index for index, anchor in enumerate(anchors) if not anchor.literal]

    def match(encoded: bytes) -> Sequence[int]:
        low = encoded.lower()
        return [*always, *(index for index, word in words if word in low)]

    return match
