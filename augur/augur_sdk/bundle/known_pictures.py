"""The pictures that were stored lately, so that one that comes again is linked."""

from __future__ import annotations

from typing import Final

__all__ = ["REMEMBERED", "KnownPictures"]

REMEMBERED: Final = 4096
"""Pictures at most, some hundred bytes each; an older one that comes again is stored again."""


class KnownPictures:
    """Which picture each of the latest paths shows, and where each picture is."""

    def __init__(self) -> None:
        self._digests: dict[str, bytes] = {}
        self._paths: dict[bytes, str] = {}

    def path_of(self, digest: bytes) -> str | None:
        """A path that shows the picture with this sha256, if one is known."""
        return self._paths.get(digest)

    def remember(self, path: str, digest: bytes) -> None:
        """A path shows this picture from now on."""
        self._forget(path)
        self._digests[path] = digest
        self._paths[digest] = path
        if len(self._digests) > REMEMBERED:
            self._forget(next(iter(self._digests)))

    def clear(self) -> None:
        """Forget all of them: the folder is another one."""
        self._digests.clear()
        self._paths.clear()

    def _forget(self, path: str) -> None:
        digest = self._digests.pop(path, None)
        if digest is not None and self._paths.get(digest) == path:
            del self._paths[digest]
