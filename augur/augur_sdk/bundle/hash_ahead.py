"""Which pictures' perceptual hashes are computed before their turn to be projected comes.

Hashing is what costs most of a picture, and it runs without the interpreter lock: a thread with
nothing else to do takes the next picture from here and leaves the answer in the memory of
`images.hashing`, where the projection finds it.
"""

from __future__ import annotations

import threading
from typing import Final

__all__ = ["FAR_AHEAD", "MAX_PIXELS_AHEAD", "HashAhead"]

FAR_AHEAD: Final = 32
"""Pictures hashed and not yet projected: half of what `images.hashing` remembers."""

MAX_PIXELS_AHEAD: Final = 1 << 21
"""Full HD takes some 20 ms, and the writer may wait that long for a worker; larger pictures are
hashed when they are projected."""


class HashAhead:
    """The pictures that wait for their projection, each given away once; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, None] = {}
        self._ahead: set[str] = set()

    def expect(self, path: str) -> None:
        """A picture waits for its projection."""
        with self._lock:
            self._waiting[path] = None

    def take(self) -> str | None:
        """The picture that has waited longest; None when there is none, or enough are ahead."""
        with self._lock:
            if not self._waiting or len(self._ahead) >= FAR_AHEAD:
                return None
            path = next(iter(self._waiting))
            del self._waiting[path]
            self._ahead.add(path)
            return path

    def arrived(self, path: str) -> None:
        """The projection has come to a picture."""
        with self._lock:
            self._waiting.pop(path, None)
            self._ahead.discard(path)
