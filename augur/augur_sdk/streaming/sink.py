"""The documented sink, for callers that stream without a session.

It is the session's delivery without the session's journal: the same routes, order, retries and
limits, fed from a bounded queue in memory. What does not fit, or is undelivered when `end` has
used up its time, is lost and counted in `stats`.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, Concatenate, Final, ParamSpec

import anyio
from anyio.from_thread import BlockingPortal, BlockingPortalProvider
from anyio.lowlevel import RunVar

from augur_sdk.models import DecisionEvent, StepTrace
from augur_sdk.streaming.dsn import DSN
from augur_sdk.streaming.heartbeat import Heartbeat
from augur_sdk.streaming.memory import MemorySource
from augur_sdk.streaming.network import current_network
from augur_sdk.streaming.routes import Wire
from augur_sdk.streaming.sender import Sender

__all__ = ["FLUSH_TIMEOUT", "StreamingSink"]

logger: logging.Logger = logging.getLogger("augur_sdk")

FLUSH_TIMEOUT: Final = 5.0
"""Seconds that `end` gives to what is still on its way; the session's default."""

END_MARGIN: Final = 0.5
"""Seconds beyond it in which everything stops."""

P = ParamSpec("P")
Redact = Callable[[str, bytes], bytes]
Lease = Callable[[], AbstractContextManager[BlockingPortal]]

_provider = BlockingPortalProvider()
"""One a process: however many sinks are open, they share one event loop on one thread."""


_OF_A_STEP: Final = frozenset({Wire.STEP, Wire.SCREENSHOT, Wire.JUDGE_DECISION})


def _index(value: Any) -> int:
    """A step index as it may stand in a path."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("not a step index")
    return int(value)


def _never_raising(
    method: Callable[Concatenate[StreamingSink, P], None],
) -> Callable[Concatenate[StreamingSink, P], None]:
    """What a call cannot use is counted and said at debug level; an agent goes on."""

    @functools.wraps(method)
    def guarded(self: StreamingSink, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            method(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the documented promise of every call
            self._unusable_call(method.__name__, error)

    return guarded


class StreamingSink:
    """Streams records as they come. Every call returns at once and none raises.

    Nothing is sent before `begin` or after `end`. `end` is the one call that waits: at most
    `flush_timeout` seconds, and only while something is on its way.

    Args:
        dsn: Where to.
        client_name: The producer's name, for the heartbeat.
        client_version: Its version.
        redact: Turns a record's kind and JSON into the JSON that may leave the process; the
            default policy (docs/concepts/redaction.md) unless given.
        flush_timeout: Seconds that `end` waits at most.
        lease: Lends the event loop on a thread to run on; one shared by all sinks by default.
    """

    def __init__(
        self,
        dsn: DSN,
        *,
        client_name: str,
        client_version: str | None,
        redact: Redact | None = None,
        flush_timeout: float = FLUSH_TIMEOUT,
        lease: Lease | None = None,
    ) -> None:
        self._dsn = dsn
        self._client = {"client_name": client_name, "client_version": client_version}
        self._redact = redact
        self._flush_timeout = flush_timeout
        self._lease = lease or _shared_loop
        self._source = MemorySource(self._prepare)
        self._stack = contextlib.ExitStack()
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._unusable = 0
        self._pid = os.getpid()

    @property
    def stats(self) -> dict[str, Any]:
        """What became of the records: accepted, delivered, pending, refused, dropped."""
        source, running = self._source, self._running
        return {
            "accepted": source.accepted,
            "delivered": source.delivered,
            "superseded": source.superseded,
            "pending": source.pending,
            "refused": source.refused,
            "refused_by_reason": dict(running.sender.stats.refused) if running else {},
            "dropped": source.dropped + self._unusable,
        }

    @_never_raising
    def begin(self, *, run_id: str, capture_mode: str) -> None:
        """Start to stream a run: heartbeat at once, records as they come. Once a sink.

        Args:
            run_id: The run that all records belong to.
            capture_mode: Told to the server with each heartbeat.
        """
        with self._lock:
            if self._running is None:
                # Told now and not by the first request: a run id that is no text names no run.
                if not isinstance(run_id, str):
                    raise TypeError("the run id is not text")
                session_id = uuid.uuid4().hex
                beat = {"client_id": session_id, "run_id": run_id, "capture_mode": capture_mode}
                self._running = _Running(
                    Sender(self._source, self._dsn, run_id=run_id, session_id=session_id),
                    Heartbeat(self._dsn, lambda: {**self._client, **beat}),
                )
                self._running.start(self._stack.enter_context(self._lease()))

    @_never_raising
    def end(self) -> None:
        """Send what is on its way, within `flush_timeout`, and stop."""
        self._source.end()
        with self._lock:
            if self._running is not None and self._pid == os.getpid():
                self._running.stop(self._flush_timeout)
                self._stack.close()

    @_never_raising
    def post_manifest(self, manifest: dict[str, Any]) -> None:
        """Send the run's manifest."""
        self._put(Wire.MANIFEST, manifest)

    @_never_raising
    def put_trace(self, trace: dict[str, Any]) -> None:
        """Send the trace; with no steps it says that the run exists."""
        self._put(Wire.TRACE, trace)

    @_never_raising
    def put_step(self, step: StepTrace) -> None:
        """Send a step; of several for one `step_index` the latest wins."""
        self._put(Wire.STEP, step, step_index=step.get("step_index"))

    @_never_raising
    def put_session_costs(self, costs: dict[str, Any]) -> None:
        """Send the run's cumulative costs."""
        self._put(Wire.COSTS, costs)

    @_never_raising
    def post_events(self, events: list[DecisionEvent], *, step_index: int | None) -> None:
        """Send decision events of a step, or of the run."""
        for event in events:
            self._put(Wire.EVENT, event, step_index=step_index)

    @_never_raising
    def post_screenshot(self, step_index: int, kind: str, png_bytes: bytes) -> None:
        """Send a picture; `kind` is pre, post, target or diff."""
        picture = bytes(memoryview(png_bytes))
        self._source.put(Wire.SCREENSHOT, picture, step_index=_index(step_index), name=str(kind))

    @_never_raising
    def post_modelio(self, relpath: str, record: dict[str, Any]) -> None:
        """Send a model call under its bundle-relative path.

        Where the tenant has not opted in (403), this one and all later ones are refused.
        """
        self._put(Wire.MODELIO, record, name=relpath)

    @_never_raising
    def post_logs(self, *, text: str, name: str = "run", step_index: int | None = None) -> None:
        """Send a chunk of a log."""
        self._put(Wire.LOG, {"text": text}, step_index=step_index, name=name)

    @_never_raising
    def post_side_effect(self, record: dict[str, Any]) -> None:
        """Send a state of a side effect."""
        self._put(Wire.SIDE_EFFECT, record, name=str(record.get("side_effect_id")))

    @_never_raising
    def post_reasoning(self, trace: dict[str, Any]) -> None:
        """Send a reasoning trace."""
        self._put(Wire.REASONING, trace, step_index=trace.get("step_index"))

    @_never_raising
    def post_outcome(self, outcome: dict[str, Any]) -> None:
        """Send an outcome record."""
        self._put(Wire.OUTCOME, outcome, step_index=outcome.get("step_index"))

    @_never_raising
    def post_eval_candidate(self, candidate: dict[str, Any]) -> None:
        """Send an eval candidate; of several for one step the latest wins."""
        index = candidate.get("step_index")
        self._put(Wire.EVAL_CANDIDATE, candidate, step_index=index)

    @_never_raising
    def post_judge_decision(self, step_index: int, decision: dict[str, Any]) -> None:
        """Send a judge's decision on a step."""
        self._put(Wire.JUDGE_DECISION, decision, step_index=step_index)

    def _put(self, kind: Wire, record: Any, *, step_index: Any = None, name: str = "") -> None:
        from augur_sdk.recording.snapshot import snapshot

        if not isinstance(record, Mapping):
            raise TypeError("not a record")
        index = _index(step_index) if kind in _OF_A_STEP or step_index is not None else None
        # Encoding is the snapshot: what the caller changes later is not sent.
        body, _ = snapshot(record)
        self._source.put(kind, body, step_index=index, name=str(name))

    def _unusable_call(self, call: str, error: Exception) -> None:
        self._unusable += 1
        logger.debug("StreamingSink.%s: %s", call, type(error).__name__)

    async def _prepare(self, kind: Wire, body: bytes) -> bytes:
        if kind is Wire.SCREENSHOT:
            return body
        loop = asyncio.get_running_loop()
        executor = current_network().executor
        return await loop.run_in_executor(executor, self._redacted, str(kind), body)

    def _redacted(self, kind: str, body: bytes) -> bytes:
        if self._redact is None:
            self._redact = _default_redaction()
        return self._redact(kind, body)


class _Running:
    """The tasks of one run on the event loop."""

    def __init__(self, sender: Sender, heartbeat: Heartbeat) -> None:
        self.sender = sender
        self.heartbeat = heartbeat
        self._portal: BlockingPortal | None = None
        self._tasks: list[Future[None]] = []

    def start(self, portal: BlockingPortal) -> None:
        self._portal = portal
        self._tasks = [
            portal.start_task_soon(self.heartbeat.run),
            portal.start_task_soon(self.sender.run),
        ]

    def stop(self, budget: float) -> None:
        portal, self._portal = self._portal, None
        if portal is None:
            return
        ended = portal.start_task_soon(self._stop, budget)
        ended.result(budget + 2 * END_MARGIN)

    async def _stop(self, budget: float) -> None:
        with anyio.move_on_after(budget + END_MARGIN):
            await self.sender.drain(budget)
            await self.heartbeat.stop()


@contextlib.contextmanager
def _shared_loop() -> Iterator[BlockingPortal]:
    with _provider as portal:
        portal.call(_use_one_worker)
        yield portal


_has_one_worker: RunVar[bool] = RunVar("augur_sdk_sink_has_one_worker", default=False)


def _use_one_worker() -> None:
    """Redaction, certificates and host names share one thread instead of the loop's six."""
    if not _has_one_worker.get():
        _has_one_worker.set(True)
        worker = ThreadPoolExecutor(1, thread_name_prefix="augur-sink")
        asyncio.get_running_loop().set_default_executor(worker)


def _default_redaction() -> Redact:
    from augur_sdk.redaction import DefaultRedactionPolicy, RedactionDoor

    return RedactionDoor(DefaultRedactionPolicy()).record


def _forget_after_fork() -> None:
    global _provider
    _provider = BlockingPortalProvider()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
