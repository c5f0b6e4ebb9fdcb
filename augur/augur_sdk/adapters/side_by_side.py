"""Two readers of one log: the adapter's `iter_tool_calls`, and the import that follows it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

__all__ = ["SideBySide", "peek"]

Message = Mapping[str, Any]
Numbered = tuple[int, Message]


class SideBySide:
    """Lets a second reader follow the first through messages that can be read only once.

    A message is held from the moment the first reader gets it until the second has taken it. A
    sequence is handed on as it is, for adapters that index it.
    """

    def __init__(self, messages: Iterable[Message]) -> None:
        self._kept: deque[Numbered] = deque()
        self._numbered = enumerate(messages)
        self._taken = -1
        self._is_sequence = isinstance(messages, Sequence)
        self.source: Iterable[Message] = messages if self._is_sequence else self._handed_on()
        """What the first reader reads."""

    def up_to(self, index: int) -> Iterator[Numbered]:
        """What the second reader has not taken yet, up to and with the message at `index`.

        Never gives a message that the first reader has not had.
        """
        while self._taken < index and (item := self._next()) is not None:
            self._taken = item[0]
            yield item

    def rest(self) -> Iterator[Numbered]:
        """Everything that is left, once the first reader is done."""
        yield from self._kept
        self._kept.clear()
        yield from self._numbered

    def _handed_on(self) -> Iterator[Message]:
        for item in self._numbered:
            self._kept.append(item)
            yield item[1]

    def _next(self) -> Numbered | None:
        if self._is_sequence:
            return next(self._numbered, None)
        return self._kept.popleft() if self._kept else None


def peek(messages: Iterable[Message]) -> tuple[Message | None, Iterable[Message]]:
    """The first message, and all of them, the first included."""
    if isinstance(messages, Sequence):
        return (messages[0] if messages else None), messages
    rest = iter(messages)
    first = next(rest, None)
    return first, rest if first is None else chain([first], rest)
