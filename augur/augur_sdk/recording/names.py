"""File names for ids that come from outside: portable, redacted, and never shared by two ids."""

from __future__ import annotations

from collections.abc import Callable

from augur_sdk.bundle import layout

__all__ = ["FileNames"]


class FileNames:
    """Gives each id a name of its own, also where file names ignore case.

    Args:
        clean: Redacts an id before it becomes part of a path.
    """

    def __init__(self, clean: Callable[[str], str]) -> None:
        self._clean = clean
        # Digests instead of the texts: there may be one of these a side effect of a long run.
        self._owners: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._owners)

    def name(self, raw: str) -> str:
        """The name for an id, to be given to `layout`; the same one each time."""
        name, owner = self._find(raw)
        if owner is None:
            self._owners[_key(name)] = hash(raw)
        return name

    def knows(self, raw: str) -> bool:
        """Whether an id has a name already."""
        return self._find(raw)[1] is not None

    def taken(self, stem: str, raw: str) -> None:
        """Take note that an earlier process gave a file of this stem to an id."""
        self._owners[hash(stem.casefold())] = hash(raw)

    def _find(self, raw: str) -> tuple[str, int | None]:
        """The name for an id, and its owner where it has one: this very id."""
        cleaned = self._clean(raw)
        number = 0
        while True:
            # NUL is no part of a portable name, so this one always gets a digest of its own.
            name = layout.portable_name(f"{cleaned}\0{number}" if number else cleaned)
            owner = self._owners.get(_key(name))
            if owner is None or owner == hash(raw):
                return name, owner
            number += 1


def _key(name: str) -> int:
    # As the file is called in the end: `layout` makes its own check of every name.
    return hash(layout.portable_name(name).casefold())
