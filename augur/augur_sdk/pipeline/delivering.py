"""One session's part in the network: its heartbeat, its sender, and what earlier runs left.

The heartbeat begins with the session's construction, everything else when it is opened. Closing
stops the heartbeat first, gives the sender what is left of the flush timeout, and writes down
what is undelivered then: in the journal, which is kept, and in `delivery.json`.

Nothing here reaches the agent: whatever fails stays pending.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import anyio

from augur_sdk.agent_loop import call_on, start_on
from augur_sdk.bundle.acknowledged import Ends
from augur_sdk.bundle.archive import Archive
from augur_sdk.bundle.delivery_log import DeliveryLog
from augur_sdk.bundle.delivery_note import remove_note, write_note
from augur_sdk.bundle.journal import Line, Ref
from augur_sdk.entry import Kind
from augur_sdk.pipeline.journal_source import JournalSource
from augur_sdk.pipeline.leftovers import Leftovers
from augur_sdk.pipeline.portal import LookupThreads, Runtime, lease, release
from augur_sdk.streaming.dsn import DSN
from augur_sdk.streaming.heartbeat import Heartbeat
from augur_sdk.streaming.network import current_network
from augur_sdk.streaming.other_files import send_files
from augur_sdk.streaming.sender import Sender

__all__ = ["Delivery", "Greeting", "destination_of"]

logger: logging.Logger = logging.getLogger("augur_sdk")

NOTE_INTERVAL: Final = 0.25
"""Seconds between acknowledgements in the journal: what was sent within the last interval before
a crash is sent again, and told from a new record by its key."""

HOP: Final = 0.4
"""Seconds beyond its budget that an end may take: cancelling, and closing the connections."""


def destination_of(dsn: DSN) -> str:
    """What a journal says of where it goes: no token, and the same after a new token."""
    return hashlib.sha256(f"{dsn.base_url}\n{dsn.tenant}".encode()).hexdigest()[:16]


class Greeting:
    """The heartbeat, from construction on; started from a thread of a moment's length.

    Starting the portal takes milliseconds, which a constructor on an event loop does not have.
    """

    def __init__(self, dsn: DSN, describe: Callable[[], Mapping[str, Any]]) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self._describe = describe
        self._described: Mapping[str, Any] = {}
        self._heartbeat = Heartbeat(dsn, lambda: self._described)
        self._ready: Future[Runtime | None] = Future()
        self._beating: Future[None] | None = None
        self._pid = os.getpid()
        self._ended = False
        self._lock = threading.Lock()
        try:
            threading.Thread(target=self._begin, name="augur-open", daemon=True).start()
        except RuntimeError:
            self._ready.set_result(None)

    def describe(self) -> None:
        """Say anew what heartbeats say; not on an event loop, because it is redacted here."""
        self._described = self._describe()

    def _begin(self) -> None:
        try:
            self.describe()
            runtime = lease()
            self.loop = runtime.portal.call(_prepare_loop, runtime)
            self._beating = runtime.portal.start_task_soon(self._heartbeat.run)
        except Exception:  # noqa: BLE001 - a session without a heartbeat still records
            self._ready.set_result(None)
        else:
            self._ready.set_result(runtime)

    def runtime(self) -> Runtime | None:
        """The runtime on which it beats; None where the system refuses threads. Waits."""
        if self._pid != os.getpid():
            return None
        return self._ready.result()

    def hush(self) -> None:
        """Stop to beat; does not wait."""
        if self._ready.done() and self.loop is not None and self._pid == os.getpid():
            _spawn(self.loop, self._heartbeat.stop())

    def end(self) -> None:
        """Stop to beat, and give back the lease; not on the portal."""
        with self._lock:
            ended, self._ended = self._ended, True
        runtime = None if ended else self.runtime()
        if runtime is None:
            return
        self.hush()
        if self._beating is not None:
            with suppress(Exception):
                self._beating.result(2 * HOP)
        release(runtime)

    def end_elsewhere(self) -> None:
        """The same on a thread of its own, for a session that nobody opened."""
        with suppress(RuntimeError):
            threading.Thread(target=self.end, name="augur-end", daemon=True).start()


class Delivery:
    """Sends one session's records while it runs, and keeps count.

    Args:
        dsn: Where to.
        describe: What heartbeats say of the session, redacted: client, run, capture mode.
        session_id: The session, in the keys of requests.
        run_id: The run, redacted, in their paths.
        records: Whether records are sent, or heartbeats only.
        at_once: Whether nothing waits for its step to say whether it is sensitive.
    """

    def __init__(
        self,
        dsn: DSN,
        describe: Callable[[], Mapping[str, Any]],
        *,
        session_id: str,
        run_id: Callable[[], str],
        records: bool,
        at_once: bool = False,
    ) -> None:
        self.dsn = dsn
        self.destination: str = destination_of(dsn)
        self.greeting: Greeting = Greeting(dsn, describe)
        self._abandoned = weakref.finalize(self, self.greeting.end_elsewhere)
        self._abandoned.atexit = False
        self._session_id, self._run_id = session_id, run_id
        self.records = records
        self._at_once = at_once
        self._log = DeliveryLog(self.destination, at_once=at_once)
        self._source: JournalSource | None = None
        self._sender: Sender | None = None
        self._sending: Future[None] | None = None
        self._leftovers: Leftovers | None = None
        self._picking_up: Future[None] | None = None
        self._ring: Callable[[], None] = lambda: None
        self._noting = False
        self._drained: Future[Any] | None = None
        self._silent = False

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The portal's event loop; None where there is none."""
        return self.greeting.loop if self.greeting.runtime() is not None else None

    @property
    def pending(self) -> int:
        """Records of this process that the journal holds and the server has not."""
        return self._log.own_pending

    @property
    def held(self) -> int:
        """How many of these wait for their step to say whether it is sensitive."""
        return self._log.held

    @property
    def ends(self) -> Ends:
        """How the records of this process ended."""
        return self._log.own_ends

    def delivered(self, until: float) -> Future[None]:
        """A future that is done once everything stored so far has ended.

        Args:
            until: When the caller gives up, on the monotonic clock.
        """
        if self._source is not None and self._sender is not None:
            self._hurry(until)
            return self._source.delivered()
        done: Future[None] = Future()
        done.set_result(None)  # nothing is sent here that could be waited for
        return done

    def _hurry(self, deadline: float, *, closing: bool = False) -> None:
        if self._sender is not None and self.greeting.loop is not None:
            with suppress(RuntimeError):  # a loop that is gone sends nothing
                call_on(self.greeting.loop, self._sender.hurry, deadline, closing)

    def announce(self, step_index: int) -> None:
        """What belongs to a step leaves as it is recorded; from any thread."""
        self._log.announce(step_index)
        if self._source is not None:
            self._source.wake()

    # Opening.

    def restore(self, archive: Archive) -> None:
        """Go on where an earlier process of this session stood; before anything is recorded."""
        if not self.records:
            return
        acks = [line.data for line in archive.lines() if line.kind == Kind.ACK]
        self._log = DeliveryLog(self.destination, acks, at_once=self._at_once)
        for line in archive.lines():
            self._log.add(line)

    @property
    def run_id(self) -> str:
        """The run as requests name it."""
        return self._run_id()

    def start(self, archive: Archive, ring: Callable[[], None]) -> None:
        """Begin to send; from any thread but the portal's.

        Args:
            archive: The journal and the pictures.
            ring: Tells the writer that there is something to note.
        """
        self._log.begin()
        runtime = self.greeting.runtime()
        self.greeting.describe()
        if runtime is None or not self.records:
            return
        self._ring = ring

        async def read(ref: Ref) -> bytes:
            return await runtime.in_worker(archive.journal.read, ref)

        self._source = JournalSource(self._log, archive.root, read, self._note_soon)
        self._sender = Sender(
            self._source, self.dsn, run_id=self._run_id(), session_id=self._session_id
        )
        self._leftovers = Leftovers(self.dsn, self.destination, archive.root, runtime.in_worker)
        self._sending = runtime.portal.start_task_soon(self._sender.run)
        self._picking_up = runtime.portal.start_task_soon(self._pick_up)

    async def _pick_up(self) -> None:
        # Only once the server is known to take records, and behind this run's own first ones.
        if self._source is not None and self._leftovers is not None:
            await self._source.accepted.wait()
            await self._leftovers.run()

    def stored(self, lines: list[Line]) -> None:
        """The journal holds these; from any thread."""
        if not self.records:
            return
        for line in lines:
            self._log.add(line)
        if self._source is not None:
            self._source.wake()

    def _note_soon(self) -> None:
        if not self._noting:
            self._noting = True
            asyncio.get_running_loop().call_later(NOTE_INTERVAL, self._note)

    def _note(self) -> None:
        self._noting = False
        self._ring()

    def notes(self) -> bytes:
        """What the journal is to say of delivery, where that is news."""
        return self._log.ack_line() if self._log.changed else b""

    def _submit(self, work: Coroutine[Any, Any, Any]) -> Future[Any] | None:
        loop = self.greeting.loop
        if loop is not None:
            return _spawn(loop, work)
        work.close()
        return None

    # Closing.

    def hush(self, deadline: float) -> None:
        """The session is closing: no more heartbeats, and nothing of earlier runs. At once.

        Args:
            deadline: Until when it will wait for what is left, on the monotonic clock.
        """
        self.greeting.hush()
        self._log.close_soon()
        self._hurry(deadline, closing=True)
        if self._picking_up is not None and self._leftovers is not None:
            self._submit(self._leftovers.stop())
            if self._source is not None and not self._source.accepted.is_set():
                self._picking_up.cancel()

    def conclude(self, root: Path, deadline: float) -> None:
        """The bundle in `root` is finished: send what is left until `deadline`; does not wait."""
        if not self.records:
            return
        self._log.end(bundle=True)
        if self._source is not None and self._sender is not None and not self._silent:
            self._source.end()
            self._drained = self._submit(self._drain(self._sender, root, deadline))

    async def _drain(self, sender: Sender, root: Path, deadline: float) -> None:
        if await sender.drain(max(0.0, deadline - time.monotonic())):
            with anyio.move_on_after(deadline - time.monotonic()):
                await send_files(self.dsn, self.run_id, root)

    def finish(self, archive: Archive, deadline: float) -> bool:
        """Wait for what is sent until `deadline`, and write down what is not sent then.

        Args:
            archive: The finished bundle.
            deadline: When to stop, on the monotonic clock.

        Returns:
            Whether the journal is still needed.
        """
        if not self.records:
            return False
        if self._drained is not None and self._sending is not None:
            try:
                self._drained.result(max(0.0, deadline - time.monotonic()) + HOP)
                self._sending.result(HOP)
            except Exception as error:  # noqa: BLE001 - what was not sent is pending, whatever the reason
                logger.debug("delivery ended with %s", type(error).__name__)
        return self._leave(archive)

    def _leave(self, archive: Archive) -> bool:
        self._log.settle_covered()
        if not self._log.pending:
            remove_note(archive.root)
            return False
        try:
            archive.journal.append(self._log.ack_line())
            write_note(archive.root, self._log, self.dsn.base_url)
        except OSError:
            logger.debug("the state of delivery could not be written")
        logger.warning(
            "%d records of %s are not delivered and wait in its journal; the next session with "
            "the same DSN sends them, or `augur push`",
            self._log.pending,
            archive.root,
        )
        return True

    def silence(self) -> None:
        """Send nothing more, wait for nothing: the interpreter is going down."""
        self._silent = True
        self._abandoned.detach()

    def end(self) -> None:
        """Nothing of it runs on the portal any more; not on the portal."""
        self._abandoned.detach()
        if self._sender is not None and self._sending is not None and not self._sending.done():
            self._submit(self._sender.drain(0.0))
        for task in (self._picking_up, self._sending):
            if task is not None and not task.done():
                with suppress(Exception):
                    task.result(HOP)
        self.greeting.end()


async def _prepare_loop(runtime: Runtime) -> asyncio.AbstractEventLoop:
    """Let reads and certificates share the runtime's workers; host names wait for themselves."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(LookupThreads())
    current_network(runtime.workers)
    return loop


def _spawn(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any]) -> Future[Any] | None:
    try:
        return start_on(loop, work)
    except RuntimeError:
        work.close()  # the loop is gone, and with it what was to be done
        return None
