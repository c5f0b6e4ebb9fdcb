"""A store as a user would write it: the documented protocol, synchronous, and no more."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

__all__ = ["UsersStore"]


class UsersStore:
    """Keeps files in a dict; remembers which threads called it, and fails when told to."""

    def __init__(self, fails: Callable[[int], bool] = lambda _: False) -> None:
        self.files: dict[str, bytes] = {}
        self.written: list[str] = []
        self.threads: set[str] = set()
        self.calls = 0
        self.fails = fails
        self.blocked: threading.Event | None = None

    @property
    def root_uri(self) -> str:
        return "vault://runs/1"

    def signed_url(self, relpath: str, *, ttl_seconds: int = 3600) -> str:
        return f"vault://runs/1/{relpath}?ttl={ttl_seconds}"

    @contextmanager
    def open_write_binary(self, relpath: str) -> Iterator[IO[bytes]]:
        self._called()
        buffer = io.BytesIO()
        yield buffer
        self.files[relpath] = buffer.getvalue()
        self.written.append(relpath)

    @contextmanager
    def open_write_text(self, relpath: str) -> Iterator[IO[str]]:
        with self.open_write_binary(relpath) as raw:
            text = io.TextIOWrapper(raw, encoding="utf-8", newline="\n")
            yield text
            text.flush()
            text.detach()

    def exists(self, relpath: str) -> bool:
        self._called()
        return relpath in self.files

    def read_text(self, relpath: str) -> str:
        return self.read_bytes(relpath).decode("utf-8")

    def read_bytes(self, relpath: str) -> bytes:
        self._called()
        if relpath not in self.files:
            raise FileNotFoundError(relpath)
        return self.files[relpath]

    def _called(self) -> None:
        self.calls += 1
        self.threads.add(threading.current_thread().name)
        if self.blocked is not None:
            self.blocked.wait(60)
        if self.fails(self.calls):
            raise ConnectionError("the vault is closed: token=canary-secret")
