"""Noticing loops while the run goes on: behind the run, from what the journal holds.

The watch hears of every stored record in the journal's order, on the thread that projects. A step
is judged once the next one has begun, or the run is over, and once its picture's hash is there. So
the same calls give the same stamps, however fast the disk and the hashing are. A step that got its
picture or its action only after the next one had begun has the whole run judged again at the end.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from augur_sdk.bundle import layout
from augur_sdk.bundle.archive import Archive
from augur_sdk.bundle.catalog import Target
from augur_sdk.entry import Kind
from augur_sdk.images.loops import LoopDetector
from augur_sdk.recording.table import ColdStepError

if TYPE_CHECKING:
    from augur_sdk.session.core import SessionCore

__all__ = ["LoopWatch", "watch_loops"]

logger: logging.Logger = logging.getLogger("augur_sdk")

LOCK_PATIENCE: Final = 1.0
"""Seconds to wait for the Recorder: at interpreter exit a thread that is gone may hold it."""


@dataclass(slots=True)
class _Seen:
    """A step as the journal has it so far; `pictured` is settled when the step is over."""

    index: int
    step_id: str
    action: Any
    pictured: bool = False


class LoopWatch:
    """Stamps the steps with which a run has gone round in circles.

    Everything runs on the one thread that projects at the moment; nothing here raises, except a
    failing disk out of `conclude`.

    Args:
        archive: The run's journal and bundle.
        stamp: Marks a step, once.
        store: Stores what that has recorded; for the end, when nobody else does.
    """

    def __init__(
        self, archive: Archive, stamp: Callable[[int], None], store: Callable[[], None]
    ) -> None:
        self._archive = archive
        self._stamp_step = stamp
        self._store = store
        self._detector = LoopDetector()
        self._current: _Seen | None = None
        self._over: deque[_Seen] = deque()
        self._known: set[int] = set()
        self._pictured: set[int] = set()
        self._incomplete: set[int] = set()
        self._judge_again = False
        self._recalled = False
        self._stamped = False

    def follow(self, kind: Kind, data: bytes) -> None:
        """Take in a record that the journal holds."""
        try:
            self._recall()
            self._take(kind, data)
            self._judge()
        except Exception:
            logger.exception("a record was not looked at for loops")

    def conclude(self) -> bool:
        """The run is over and projected: judge what is left; whether there is more to project.

        Raises:
            OSError: What was stamped could not be stored yet; the call can be repeated.
        """
        try:
            self._recall()
            self._end_step()
            self._judge()
            if self._judge_again:
                self._judge_all()
        except Exception:
            logger.exception("the end of the run was not looked at for loops")
        stamped, self._stamped = self._stamped, False
        if stamped:
            self._store()
        return stamped

    def _recall(self) -> None:
        """Take in what an earlier process of this session recorded."""
        if self._recalled:
            return
        self._recalled = True
        found = self._archive.scanned
        if found.intact:
            for line in self._archive.lines():
                if line.seq > found.last_seq:
                    return
                self._take(Kind(line.kind), line.data)

    # What is told, in the journal's order.

    def _take(self, kind: Kind, data: bytes) -> None:
        # A record that redaction had to replace whole says too little.
        with suppress(KeyError, TypeError):
            if kind is Kind.STEP:
                self._take_step(orjson.loads(data))
            elif kind is Kind.SCREENSHOT:
                self._take_picture(orjson.loads(data)["artifact"])

    def _take_step(self, record: Mapping[str, Any]) -> None:
        index, step_id = record["step_index"], record["step_id"]
        now = self._current
        if now is not None and now.index == index:
            if now.step_id == step_id:  # not another iteration of it
                now.action = record.get("action")
        elif index in self._known:
            self._judge_again |= index in self._incomplete
        else:
            self._end_step()
            self._known.add(index)
            self._current = _Seen(index, step_id, record.get("action"))

    def _take_picture(self, path: str) -> None:
        index = layout.step_of(path)
        if index is None or path != layout.screenshot_path(index, "pre"):
            return
        if index in self._incomplete:
            self._judge_again = True
        else:
            self._pictured.add(index)

    def _end_step(self) -> None:
        step, self._current = self._current, None
        if step is None:
            return
        step.pictured = step.index in self._pictured
        self._pictured.discard(step.index)
        if not (step.pictured and step.action):
            self._incomplete.add(step.index)
        self._over.append(step)

    # Judging.

    def _judge(self) -> None:
        while self._over and not self._is_waiting(self._over[0]):
            step = self._over.popleft()
            picture = self._hash(step.index) if step.pictured else None
            if self._detector.feed(step.index, step.action, picture):
                self._stamp(step.index)

    def _judge_all(self) -> None:
        """Judge the run as it stands in the end; what was stamped before stays so."""
        self._judge_again = False
        detector = LoopDetector()
        for step in self._archive.projection.canonical_steps():
            index = step["step_index"]
            if detector.feed(index, step.get("action"), self._hash(index)):
                self._stamp(index)

    def _stamp(self, index: int) -> None:
        self._stamped = True
        self._stamp_step(index)

    def _is_waiting(self, step: _Seen) -> bool:
        """Whether the step's picture is yet to be hashed."""
        path = layout.screenshot_path(step.index, "pre")
        return Target(Kind.SCREENSHOT, path, step.index) in self._archive.catalog.dirty

    def _hash(self, index: int) -> str | None:
        """What stands for the picture before a step: perceptual where there is one, or exact."""
        ref = self._archive.catalog.pictures.get(layout.screenshot_path(index, "pre"))
        if ref is None:
            return None
        path = layout.observation_path(index, "pre")
        if path in self._archive.projection.digests:
            facts = orjson.loads(self._archive.files.read_bytes(path))
        else:  # no picture that can be read
            facts = orjson.loads(self._archive.journal.read(ref))
        hashes: dict[str, str] = facts["hashes"]
        return hashes.get("phash_64") or hashes["sha256"]


def watch_loops(core: SessionCore) -> None:
    """Have a session's loops noticed; before it is opened."""

    def stamp(step_index: int) -> None:
        if core.recorder.lock.acquire(timeout=LOCK_PATIENCE):
            try:
                _stamp_here(core, step_index)
            finally:
                core.recorder.lock.release()

    watch = LoopWatch(core.archive, stamp, core.intake.store_all)
    core.inspector.follower = watch.follow
    core.archive.conclude = watch.conclude


def _stamp_here(core: SessionCore, step_index: int) -> None:
    """Record the stamp, and nothing else: the caller is in the middle of projecting."""
    while True:
        try:
            core.recorder.stamp_loop(step_index)
        except ColdStepError as cold:
            core.warm(cold)
        else:
            return
