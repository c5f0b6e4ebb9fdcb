"""Which file in a store has the bytes of a local one: what is linked here is copied there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["Twins", "one_each"]

LATEST: Final = 256
"""Files remembered: the picture after a step comes again as the next one's picture before."""


class Twins:
    """The latest uploads by the stamp they bore, which hard links of one file share.

    On one event loop.
    """

    def __init__(self) -> None:
        self._path_of: dict[str, str] = {}
        self._stamp_of: dict[str, str] = {}

    def uploaded(self, relpath: str, stamp: str) -> None:
        """The store has a file as it was when it bore this stamp."""
        self.changing(relpath)
        self._path_of[stamp], self._stamp_of[relpath] = relpath, stamp
        if len(self._stamp_of) > LATEST:
            self.changing(next(iter(self._stamp_of)))

    def changing(self, relpath: str) -> None:
        """A file in the store is about to change, or to go."""
        stamp = self._stamp_of.pop(relpath, None)
        if stamp is not None and self._path_of.get(stamp) == relpath:
            del self._path_of[stamp]

    def holds(self, relpath: str, stamp: str) -> bool:
        """Whether a file in the store is still the one that bore this stamp."""
        return self._stamp_of.get(relpath) == stamp

    def of(self, stamp: str) -> str | None:
        """A file in the store with the bytes of the local one that bears this stamp."""
        return self._path_of.get(stamp)


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
