"""The core that both session classes stand on: a Recorder, an inbox, and the pipeline behind."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar

from augur_sdk.bundle.archive import Archive
from augur_sdk.bundle.picture_masking import PictureMasking
from augur_sdk.bundle.takeover import make_room
from augur_sdk.entry import Entry, Kind
from augur_sdk.errors import RecordError, SessionStateError
from augur_sdk.models import BundleManifest
from augur_sdk.pipeline.inbox import Inbox
from augur_sdk.pipeline.inspection import Inspector
from augur_sdk.pipeline.intake import Intake
from augur_sdk.pipeline.losses import Losses, Reason
from augur_sdk.pipeline.pipeline import Pipeline
from augur_sdk.pipeline.portal import Runtime, lease, release
from augur_sdk.pipeline.progress import Progress
from augur_sdk.pipeline.projector import hash_in_workers
from augur_sdk.recording.recorder import Recorder
from augur_sdk.recording.state import Lifecycle, Settings
from augur_sdk.recording.table import ColdStepError
from augur_sdk.redaction import RedactionDoor
from augur_sdk.session import live
from augur_sdk.session.behaviour import Behaviour
from augur_sdk.session.intervening import Intervention
from augur_sdk.session.manifests import as_manifest, unwritten_manifest
from augur_sdk.session.refusals import Refusals
from augur_sdk.session.stats import SessionStats, counted
from augur_sdk.storage import LocalFSStore, Store
from augur_sdk.times import utc_now

if TYPE_CHECKING:
    from augur_sdk.pipeline.delivering import Delivery
    from augur_sdk.pipeline.mirroring import Mirroring
    from augur_sdk.storage.upload_queue import UploadState

__all__ = ["SessionCore"]

logger: logging.Logger = logging.getLogger("augur_sdk")

P = ParamSpec("P")
T = TypeVar("T")

DISK_PATIENCE: Final = 2.0
"""Seconds that closing insists on a failing disk; closing can be repeated."""

STOP_PATIENCE: Final = 10.0
"""Seconds to wait for the work in hand of the pipeline: a batch and a slice of projection."""


class SessionCore:
    """One session's engine; every method may be called from any thread."""

    def __init__(
        self,
        settings: Settings,
        root: Path,
        door: RedactionDoor,
        behaviour: Behaviour,
        store: Store,
        delivery: Delivery | None = None,
    ) -> None:
        self.settings = settings
        self.behaviour = behaviour
        self.root = root
        self.store = store
        self.losses: Losses = Losses(f"session {settings.debug_session_id}")
        self.refusals: Refusals = Refusals(settings.debug_session_id)
        self.progress: Progress = Progress()
        self.inbox: Inbox = Inbox(self._ring, self.losses)
        self.door = door
        self.recorder: Recorder = Recorder(settings, self, utc_now, self.door)
        self.inspector: Inspector = Inspector(settings.debug_session_id)
        self.archive: Archive = Archive(
            root,
            self.door,
            policy_id=settings.policy_id,
            inspect=self.inspector.inspect,
            masking=PictureMasking(behaviour.screenshot_redactor),
            report=self.door.report if behaviour.redaction_report else None,
            perceptual_hashes=behaviour.perceptual_hashes,
            fingerprint=behaviour.fingerprint,
        )
        self.intake: Intake = Intake(self.archive, self.inbox, self.losses, self.progress)
        self.delivery = delivery
        if delivery is not None:
            self.intake.on_stored, self.intake.notes = delivery.stored, delivery.notes
        self.manifest: BundleManifest | None = None
        self.forked: bool = False
        self.intervention: Intervention = Intervention(self)
        self._runtime: Runtime | None = None
        self._pipeline: Pipeline | None = None
        self._mirroring: Mirroring | None = None
        self._tasks: Future[None] | None = None
        self._closing = threading.RLock()
        self._finished = False

    # The Recorder's outlet.

    def push(self, entry: Entry) -> None:
        """Take an entry from the Recorder."""
        if self.forked:
            self.losses.drop(Reason.FORKED)
        else:
            self.inbox.push(entry)
            if entry.kind is Kind.SIDE_EFFECT:
                self.intervention.effect(entry.body)

    def stored_seq(self) -> int:
        """The number of the last entry that the journal holds."""
        return self.progress.seq

    def _ring(self) -> None:
        if self._pipeline is not None:
            self._pipeline.ring()

    # Recording.

    def perform(
        self, operation: Callable[Concatenate[Any, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a Recorder method under its lock, bringing back a step that left memory."""
        while True:
            try:
                return self.attempt(operation, *args, **kwargs)
            except ColdStepError as cold:
                self.warm(cold)

    def attempt(
        self, operation: Callable[Concatenate[Any, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a Recorder method under its lock.

        Raises:
            ColdStepError: It needs a step that left memory; `warm` it and repeat.
        """
        try:
            with self.recorder.lock:
                result = operation(self.recorder, *args, **kwargs)
        except (RecordError, SessionStateError) as error:
            self.refusals.add(operation.__name__, error)
            raise
        if self._pipeline is None:
            self._store_here()
        return result

    def warm(self, cold: ColdStepError) -> None:
        """Read a step back from the journal for the Recorder."""
        raw = self.archive.load_step(cold.step_index)
        with self.recorder.lock:
            self.recorder.warm(cold.step_index, cold.seq, raw)

    def _store_here(self) -> None:
        """Without threads, the caller's own stores what was recorded."""
        if not (self.forked or self._finished):
            with suppress(OSError):  # counted and said by the intake; the next call tries again
                self.intake.store_all()
                if self.behaviour.durable:
                    self.archive.sync()
                self.archive.project(0.0)

    def stored(self) -> Future[None]:
        """A future that is done once everything recorded so far is stored."""
        if self.forked:
            return self.progress.when(0)
        if self._pipeline is not None:
            self._pipeline.hurry()
        return self.progress.when(self.inbox.last_seq)

    @property
    def wait_bound(self) -> float:
        """Seconds that a wait for storage without a timeout of its own may take."""
        return self.behaviour.flush_timeout if self.losses.failing else STOP_PATIENCE

    @property
    def stats(self) -> SessionStats:
        """What became of the records so far."""
        return counted(self)

    @property
    def uploads(self) -> UploadState | None:
        """Where the copy in the store stands; None when the bundle's folder is the store."""
        return self._mirroring.state if self._mirroring is not None else None

    # Opening.

    def open(self) -> None:
        """Open the bundle and start the pipeline; blocks for some milliseconds.

        A disk that refuses does not keep the session from opening: records wait in memory.

        Raises:
            RuntimeError: Opened before, or another live session writes to the same folder.
        """
        with self.recorder.lock:
            self.recorder.require_new()
            try:
                make_room(self.root, self.settings.debug_session_id)
                self.archive.open()
                self._resume()
            except OSError as error:
                self.intake.failed(error)
            self.recorder.open()
        self._start()
        live.add(self)

    def _resume(self) -> None:
        """Go on where an earlier process left this very session unfinished."""
        if self.archive.catalog.session is not None:
            self.recorder.restore(self.archive.projection.read_session(), self.archive.lines())
            heard = (Kind.EVENT, Kind.SIDE_EFFECT)
            self.intervention.restore(
                [
                    (line.kind, line.path, line.data)
                    for line in self.archive.lines()
                    if line.kind in heard
                ]
            )
            if self.delivery is not None:
                self.delivery.restore(self.archive)

    def _start(self) -> None:
        self._mirroring = self._mirror()
        try:
            self._runtime = lease()
        except RuntimeError:
            logger.warning(
                "session %s: the system refuses threads; records are stored on the calling thread",
                self.settings.debug_session_id,
            )
            self._store_here()
            return
        if self.delivery is not None:
            self.delivery.start(self.archive, self._ring)
        self._pipeline = Pipeline(self._runtime, self.intake, durable=self.behaviour.durable)
        self._tasks, _ = self._runtime.portal.start_task(self._pipeline.run)
        if self._mirroring is not None:
            self._mirroring.start(self._runtime)

    def _mirror(self) -> Mirroring | None:
        if isinstance(self.store, LocalFSStore) and self.store.root == self.root:
            return None
        from augur_sdk.pipeline.mirroring import mirroring_to

        return mirroring_to(self.store, self.archive, self.door.text)

    # Closing.

    def close(self, status: str | None = None, *, failed: bool = False) -> BundleManifest:
        """Store and project what is left, and finish the bundle; bounded in time.

        Raises:
            RuntimeError: The session was never opened.
        """
        with self._closing:
            if self.manifest is not None and self._finished:
                return self.manifest
            with self.recorder.lock:
                self.recorder.shut(status, failed=failed)
            self.intervention.hush()
            if not self.forked:
                deliver_until = time.monotonic() + self.behaviour.flush_timeout
                if self.delivery is not None:
                    self.delivery.hush(deliver_until)
                self._stop_pipeline()
                try:
                    self._finish(time.monotonic() + DISK_PATIENCE, deliver_until)
                finally:
                    self._stop_deliveries()
            if self.manifest is None:
                self.manifest = unwritten_manifest(self.archive, self.door, self.recorder)
            return self.manifest

    def _stop_pipeline(self) -> None:
        if self._pipeline is not None and self._tasks is not None:
            self._pipeline.stop()
            try:
                self._tasks.result(STOP_PATIENCE)
            except Exception:
                logger.exception("session %s: the pipeline failed", self.settings.debug_session_id)
            self._pipeline = None

    def _deliver(self, deadline: float) -> bool:
        """Give what goes elsewhere the time that is left; the bundle is complete here.

        Returns:
            Whether the journal is still needed.
        """
        if self.delivery is not None:
            self.delivery.conclude(self.root, deadline)
        if self._mirroring is not None:
            self._mirroring.finish(deadline - time.monotonic())
        return self.delivery is not None and self.delivery.finish(self.archive, deadline)

    def _stop_deliveries(self) -> None:
        self.intervention.end()
        if self.delivery is not None:
            self.delivery.end()
        if self._mirroring is not None:
            self._mirroring.leave()
        if self._runtime is not None:
            runtime, self._runtime = self._runtime, None
            if self._mirroring is None or self._mirroring.ended:  # else stopping it would hang
                release(runtime)

    def _finish(self, deadline: float, deliver_until: float) -> None:
        self.intake.take_over()
        delay = 0.05
        while True:
            try:
                self.intake.store_all()
                if self._runtime is not None:
                    hash_in_workers(self._runtime, self.archive)
                self.manifest = as_manifest(self.archive.finish())
            except OSError as error:
                self.intake.failed(error)
            except Exception:
                logger.exception(
                    "session %s could not be finished; `augur recover %s` can",
                    self.settings.debug_session_id,
                    self.root,
                )
                return
            else:
                self._finished = True
                self.losses.healed()
                self._leave(deliver_until)
                return
            if time.monotonic() + delay > deadline:
                return
            time.sleep(delay)
            delay *= 2

    def _leave(self, deliver_until: float) -> None:
        """Deliver and tidy up; the bundle is complete, and nothing here can cost the agent."""
        live.discard(self)
        needed = True
        try:
            needed = self._deliver(deliver_until)
        except Exception:
            logger.exception("session %s: the delivery failed", self.settings.debug_session_id)
        try:
            self.archive.dispose(keep_journal=needed)
        except OSError as error:
            logger.warning(
                "session %s: %s was left behind (%s)",
                self.settings.debug_session_id,
                self.archive.journal.path,
                type(error).__name__,
            )

    # The ends that nobody chooses.

    def finish_at_exit(self) -> None:
        """Finish the bundle on this thread, with plain calls: the interpreter is going down."""
        if self._finished or self.forked:
            return
        if self.recorder.lock.acquire(timeout=1.0):
            try:
                if self.recorder.lifecycle is Lifecycle.OPEN:
                    self.recorder.shut(None, failed=True)
            finally:
                self.recorder.lock.release()
        if self._mirroring is not None:
            self._mirroring.break_off()
        if self.delivery is not None:
            self.delivery.silence()
        now = time.monotonic()
        self._finish(now, deliver_until=now)

    def abandon(self) -> None:
        """In a forked child: touch nothing of the parent's, and hold no lock of its threads."""
        self.forked = True
        self.recorder.lock = threading.RLock()
        self.losses = Losses(f"session {self.settings.debug_session_id} in a forked child")
        self.progress = Progress()
        self._closing = threading.RLock()
        self._pipeline = self._tasks = self._runtime = self._mirroring = None
        self.delivery = None
        self.archive.journal.close()
