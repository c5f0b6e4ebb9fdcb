"""Branches: choosing the mode, and recording the parent's prefix of a replay.

The prefix is streamed: the parent's trace is read a step at a time, pictures are handed on as
files and linked by the writer, and whoever loads waits while the inbox is full. Memory does not
grow with the parent's bundle.
"""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from augur_sdk.agent_loop import is_on_event_loop
from augur_sdk.bundle import layout
from augur_sdk.errors import BundleReadError, ParentBundleError, RecordError
from augur_sdk.recording import checks
from augur_sdk.recording.branches import branch_context
from augur_sdk.recording.recorder import Recorder
from augur_sdk.session.base import ROOM_PATIENCE
from augur_sdk.session.core import SessionCore
from augur_sdk.storage import LocalFSStore
from augur_sdk.storage.reading import is_uri, local_copy, reader_from

__all__ = ["Branch", "load_prefix", "plan_branch"]

logger: logging.Logger = logging.getLogger("augur_sdk")

MODES: Final = ("replay", "sandbox", "auto")

_LEFT_BEHIND: Final = tuple(layout.PATHS[name] for name in ("events", "logs", "modelio", "schema"))

_FACTS: Final = (
    "coordinate_space",
    "viewport",
    "url",
    "title",
    "scroll",
    "hashes",
    "redaction",
    "redaction",
    "env_fingerprint",
    "media_type",
    "width",
    "height",
)


@dataclass(frozen=True)
class Branch:
    """How a session branches off another run; `parent` is the bundle to replay from, if any.

    It is a folder, or the URI of a bundle that is copied while its steps are taken over.
    """

    mode: str
    context: dict[str, Any]
    default_run_id: str
    parent: Path | str | None
    out_dir: Path

    def check(self) -> None:
        """Look at the parent's bundle; reads the file system, or asks a store.

        Raises:
            ParentBundleError: It holds no trace.
            RecordError: The branch would be written over its parent.
            StoreError: The store could not be asked.
        """
        if self.parent is None:
            return
        parent = reader_from(self.parent)
        if not parent.exists(layout.TRACE):
            raise ParentBundleError(f"{self.parent} holds no {layout.TRACE}")
        if isinstance(parent, LocalFSStore) and _same(self.out_dir, parent.root):
            raise RecordError(
                "out_dir is the parent's bundle",
                expected="a folder of its own for the branch",
            )


def plan_branch(
    *, context: dict[str, Any], mode: str, parent_bundle: str | Path | None, out_dir: str | Path
) -> Branch:
    """Check a branch's arguments and choose its mode.

    Raises:
        RecordError: An argument cannot be understood, or the mode does not go with the axis.
        ParentBundleError: A replay without a parent's bundle to replay from.
    """
    default_id = context.get("branch_id")
    if default_id is None:
        default_id = f"{context['parent_run_id']}:branch:{uuid.uuid4().hex[:8]}"
        context = {**context, "branch_id": default_id}
    checked = branch_context(context)
    resolved = _resolved(checks.choice(mode, "mode", MODES), checked["mutated_axis"])
    parent: Path | str | None = None
    if resolved == "replay":
        if parent_bundle is None:
            raise ParentBundleError("a replay was asked for without parent_bundle")
        parent = _place(parent_bundle)
    out = Path(os.path.abspath(out_dir))  # noqa: PTH100 - the same
    branch = Branch(resolved, checked, default_id, parent, out)
    if not is_on_event_loop():
        branch.check()
    return branch


def _same(out_dir: Path, parent: Path) -> bool:
    return out_dir.exists() and out_dir.samefile(parent)


def _place(bundle: str | Path) -> Path | str:
    if is_uri(bundle):
        return str(bundle)
    return Path(os.path.abspath(bundle))  # noqa: PTH100 - must not follow links


def _resolved(mode: str, axis: str) -> str:
    if mode == "auto":
        return "sandbox" if axis == "action" else "replay"
    if mode == "replay" and axis == "action":
        raise RecordError(
            "a replay with the axis action cannot be right: after another action the screen is "
            "not the one that the parent saw",
            fix='Pass mode="sandbox" (or "auto") and run against a live target.',
        )
    return mode


def load_prefix(core: SessionCore, branch: Branch, pause: Callable[[], None]) -> None:
    """Record the parent's steps before the branch point, pictures and iterations included.

    Blocks; call it from a thread. Steps that stand already (the session resumed) are left alone.

    Args:
        core: The branch's session, open.
        branch: What it branches off.
        pause: Called before each step; what it raises ends the loading.

    Raises:
        BundleReadError: The parent's trace is damaged.
        RecordError: In strict mode, a step of the parent's that is not clean.
        StoreError: The parent's bundle is behind a URI, and could not be copied.
    """
    if branch.parent is None or core.recorder.off:
        return
    branch_point: int = branch.context["branch_point_step_index"]
    with local_copy(branch.parent, only=_before(branch_point)) as folder:
        loader = _Loader(core, folder, branch_point)
        loader.load(pause)
        if isinstance(branch.parent, str):
            with suppress(FutureTimeoutError):  # the pictures are read when they are stored
                core.stored().result(core.wait_bound)
    parent_run = loader.session.get("run_id")
    if parent_run != branch.context["parent_run_id"]:
        logger.warning(
            "session %s: parent_bundle holds another run than parent_run_id says",
            core.settings.debug_session_id,
        )


def _before(branch_point: int) -> Callable[[str], bool]:
    """What of a parent's bundle is taken over."""

    def wanted(path: str) -> bool:
        index = layout.step_of(path)
        return not path.startswith(_LEFT_BEHIND) and (index is None or index < branch_point)

    return wanted


class _Loader:
    def __init__(self, core: SessionCore, parent: Path, branch_point: int) -> None:
        self._core = core
        self._parent = LocalFSStore(parent)
        self._branch_point = branch_point
        self.session: dict[str, Any] = {}

    def load(self, pause: Callable[[], None]) -> None:
        for step in self._steps():
            pause()
            index = step.get("step_index")
            if not isinstance(index, int) or not 0 <= index < self._branch_point:
                continue
            if not self._core.recorder.stands(index):
                self._adopt(index, step)

    def _steps(self) -> Iterator[dict[str, Any]]:
        from augur_sdk.bundle.trace_scan import TraceSyntaxError, trace_parts

        path = self._parent.path(layout.TRACE)
        try:
            with path.open("rb") as trace:
                for part in trace_parts(trace):
                    value = orjson.loads(part.raw)
                    if part.key == "session" and isinstance(value, dict):
                        self.session = value
                    elif part.position is not None and isinstance(value, dict):
                        yield value
        except (TraceSyntaxError, orjson.JSONDecodeError):
            raise BundleReadError(
                "the parent's trace.json is damaged",
                fix="Recover the parent's bundle, or branch off in sandbox mode.",
            ) from None

    def _adopt(self, index: int, step: dict[str, Any]) -> None:
        self._wait_for_room()
        for kind in ("pre", "post"):
            self._adopt_picture(index, kind, step)
        self._record(step)
        if step.get("step_iterations", 1) != 1:
            for iteration in self._iterations(index, step):
                self._record(iteration)

    def _record(self, step: dict[str, Any]) -> None:
        try:
            self._core.perform(Recorder.adopt_step, step)
        except RecordError as error:
            if self._core.settings.strict:
                raise
            logger.warning("a step of the parent's was left out: %s", error)

    def _adopt_picture(self, index: int, kind: str, step: dict[str, Any]) -> None:
        reference = step.get(f"observation_{kind}")
        standard = layout.screenshot_path(index, kind)
        for relpath in (reference, standard):
            if isinstance(relpath, str) and self._holds(relpath):
                step[f"observation_{kind}"] = standard
                source = str(self._parent.path(relpath))
                facts = self._facts(relpath)
                self._core.perform(Recorder.adopt_picture, index, kind, source, facts)
                return
        if isinstance(reference, str):
            step[f"observation_{kind}"] = standard
            self._core.perform(Recorder.miss_picture, index, kind)

    def _holds(self, relpath: str) -> bool:
        try:
            return self._parent.exists(relpath)
        except RecordError:
            return False

    def _facts(self, picture: str) -> dict[str, Any]:
        """What the parent's bundle says of a picture."""
        try:
            record = orjson.loads(self._parent.read_bytes(f"{picture.rpartition('.')[0]}.json"))
        except (OSError, ValueError):
            return {}
        if not isinstance(record, dict):
            return {}
        return {name: record[name] for name in _FACTS if name in record}

    def _iterations(self, index: int, canonical: dict[str, Any]) -> list[dict[str, Any]]:
        """A step's other attempts, in the order in which they began."""
        folder = layout.step_path(index).removesuffix(".json")
        found = []
        for relpath in self._parent.list_files(folder):
            with suppress(OSError, ValueError):
                record = orjson.loads(self._parent.read_bytes(relpath))
                if isinstance(record, dict) and record.get("step_id") != canonical.get("step_id"):
                    found.append({**record, "step_index": index})
        return sorted(found, key=lambda record: str(record.get("started_at", "")))

    def _wait_for_room(self) -> None:
        if self._core.inbox.full:
            with suppress(FutureTimeoutError):
                self._core.inbox.room().result(ROOM_PATIENCE)
