"""Which of the latest files have the same bytes: one that comes again is linked, or copied."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

__all__ = ["Twins", "one_each"]

M = TypeVar("M", bound=Hashable)


class Twins(Generic[M]):
    """The latest files by a mark that files of the same bytes share: a digest, a stamp.

    For one thread at a time.

    Args:
        latest: How many files are remembered, some hundred bytes each.
    """

    def __init__(self, latest: int) -> None:
        self._latest = latest
        self._path_of: dict[M, str] = {}
        self._mark_of: dict[str, M] = {}

    def remember(self, path: str, mark: M) -> None:
        """A file bears this mark from now on."""
        self.forget(path)
        self._path_of[mark], self._mark_of[path] = path, mark
        if len(self._mark_of) > self._latest:
            self.forget(next(iter(self._mark_of)))

    def forget(self, path: str) -> None:
        """A file is about to change, or to go."""
        mark = self._mark_of.pop(path, None)
        if mark is not None and self._path_of.get(mark) == path:
            del self._path_of[mark]

    def holds(self, path: str, mark: M) -> bool:
        """Whether a file still bears this mark."""
        return self._mark_of.get(path) == mark

    def path_of(self, mark: M) -> str | None:
        """A file that bears this mark, if one is known."""
        return self._path_of.get(mark)

    def clear(self) -> None:
        """Forget all of them."""
        self._path_of.clear()
        self._mark_of.clear()


def one_each(stamps: Mapping[str, str | None]) -> list[str]:
    """Of paths with their stamps the first of each stamp, and those without one."""
    seen: set[str] = set()
    first: list[str] = []
    for relpath, stamp in stamps.items():
        if stamp is None or stamp not in seen:
            first.append(relpath)
        if stamp is not None:
            seen.add(stamp)
    return first
