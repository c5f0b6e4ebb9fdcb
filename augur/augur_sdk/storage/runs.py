"""Many runs at a glance: what their manifests say, read concurrently, a few at a time."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import anyio
import anyio.to_thread
import orjson

from augur_sdk.bundle.layout import MANIFEST, PATHS, TRACE
from augur_sdk.storage.asynchronous import as_async
from augur_sdk.storage.failures import StoreError
from augur_sdk.storage.protocol import AsyncStore, Store
from augur_sdk.storage.uris import store_from_uri

__all__ = ["RunSummary", "list_runs", "session_of"]

RUNS_AT_ONCE: Final = 32
"""Manifests in memory at a time: what bounds it, however many runs there are."""

MAX_DEPTH: Final = 6
"""Folders of folders of runs: by project, by day, by hour, ... and an end to hostile nesting."""

_HEADS: Final = (4 << 10, 64 << 10)
"""How much of a trace is read for its session: enough for nearly all, then enough for the rest."""

_BUNDLE_FOLDERS: Final = frozenset(p.rstrip("/") for p in PATHS.values() if p.endswith("/"))
_SESSION_FIRST = re.compile(r'\s*\{\s*"session"\s*:\s*')


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run, as its manifest tells it.

    Attributes:
        path: the run's folder below the store's root; empty when the root is the run.
        uri: the run's own URI.
        complete: whether there is a manifest. Without one only `path` and `uri` are known.
        status: from the head of the trace; None where that does not tell.
        steps: how many.
        total_usd: what the run cost, None where nobody said.
        fingerprint: of its trajectory.
        fault: why the manifest could not be read, None when it could.
    """

    path: str
    uri: str
    complete: bool = True
    run_id: str | None = None
    debug_session_id: str | None = None
    client: str | None = None
    capture_mode: str | None = None
    created_at: str | None = None
    status: str | None = None
    steps: int | None = None
    total_usd: float | None = None
    costs: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str | None = None
    fault: str | None = None


async def list_runs(
    store: str | Store | AsyncStore,
    prefix: str = "",
    *,
    with_status: bool = True,
    progress: Callable[[int, int], object] | None = None,
) -> AsyncIterator[RunSummary]:
    """The runs below a prefix, in the order of their paths, as they are read.

    A folder with a manifest is a run; one with a bundle's folders but without a manifest is an
    unfinished run; any other is looked into. One manifest and, for the status, the first bytes of
    one trace are read a run; at most 32 runs are in memory.

    Args:
        store: where the runs are, as a URI, a folder or a store that can list.
        prefix: the folder below its root to look in.
        with_status: whether to read the status too, at the price of a second request a run.
        progress: called with (folders done, folders known) as they are read.

    Raises:
        StoreError: the store could not be listed. One run that cannot be read has a `fault`.
    """
    if isinstance(store, str):
        store = await anyio.to_thread.run_sync(store_from_uri, store)
    look = _Look(as_async(store), with_status, progress or _quietly)
    own = await look.read(prefix)
    if own is not None:
        yield own
        return
    async for run in look.below(prefix, 1):
        yield run


@dataclass
class _Look:
    """One walk through a store."""

    remote: AsyncStore
    with_status: bool
    progress: Callable[[int, int], object]
    done: int = 0
    known: int = 0

    async def below(self, prefix: str, depth: int) -> AsyncIterator[RunSummary]:
        folders = await self.remote.afolders(prefix)
        self.known += len(folders)
        for some in _batches(folders, RUNS_AT_ONCE):
            found = await self._summaries(some)
            for folder in some:
                run = found[folder] or await self._unfinished(folder)
                if run is not None:
                    yield run
                elif depth < MAX_DEPTH:
                    async for deeper in self.below(folder, depth + 1):
                        yield deeper

    async def read(self, path: str) -> RunSummary | None:
        """The run at this path; None when there is no manifest. StoreError as the store has it."""
        try:
            manifest = orjson.loads(await self.remote.aread_bytes(_in(path, MANIFEST)))
            status = await self._status(path) if self.with_status else None
            return _summary(path, self._uri(path), manifest, status)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, AttributeError):
            return RunSummary(path, self._uri(path), fault="unreadable")

    async def summary(self, path: str) -> RunSummary | None:
        """The same of one run among many, whose failure is its own."""
        try:
            return await self.read(path)
        except StoreError as error:
            return RunSummary(path, self._uri(path), fault=error.reason)

    def _uri(self, path: str) -> str:
        return f"{self.remote.root_uri}/{path}" if path else self.remote.root_uri

    async def _summaries(self, folders: list[str]) -> dict[str, RunSummary | None]:
        found: dict[str, RunSummary | None] = {}

        async def read(folder: str) -> None:
            found[folder] = await self.summary(folder)
            self.done += 1
            self.progress(self.done, self.known)

        async with anyio.create_task_group() as group:
            for folder in folders:
                group.start_soon(read, folder)
        return found

    async def _unfinished(self, folder: str) -> RunSummary | None:
        inside = {path.rpartition("/")[2] for path in await self.remote.afolders(folder)}
        if not inside & _BUNDLE_FOLDERS:
            return None
        return RunSummary(folder, self._uri(folder), complete=False)

    async def _status(self, path: str) -> str | None:
        for length in _HEADS:
            try:
                head = await self.remote.aread_bytes(_in(path, TRACE), start=0, length=length)
            except FileNotFoundError:
                return None
            session = session_of(head)
            if session is not None or len(head) < length:
                return _text((session or {}).get("status"))
        return None


def session_of(head: bytes) -> dict[str, Any] | None:
    """The session record at the head of a trace; None when the head does not hold all of it."""
    text = head.decode("utf-8", "ignore")
    first = _SESSION_FIRST.match(text)
    try:
        if first is not None:
            session = json.JSONDecoder().raw_decode(text, first.end())[0]
        else:  # another producer's order of keys: only a trace that is here in full can tell
            session = orjson.loads(head)["session"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return session if isinstance(session, dict) else None


def _summary(path: str, uri: str, manifest: dict[str, Any], status: str | None) -> RunSummary:
    costs = manifest.get("costs") or {}
    steps, total = manifest.get("step_count"), costs.get("total_usd")
    return RunSummary(
        path=path,
        uri=uri,
        run_id=_text(manifest.get("run_id")),
        debug_session_id=_text(manifest.get("debug_session_id")),
        client=_text((manifest.get("client") or {}).get("name")),
        capture_mode=_text(manifest.get("capture_mode")),
        created_at=_text(manifest.get("created_at")),
        status=status,
        steps=steps if isinstance(steps, int) else None,
        total_usd=float(total) if isinstance(total, (int, float)) else None,
        costs=costs,
        fingerprint=_text(manifest.get("trajectory_fingerprint")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _in(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _batches(items: list[str], size: int) -> list[list[str]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _quietly(_: int, __: int) -> None: ...
