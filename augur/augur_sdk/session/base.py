"""What both session classes share: the constructor and the attributes."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from augur_sdk.bundle.picture_masking import ScreenshotRedactor
from augur_sdk.capture import CaptureMode, resolve_capture_mode
from augur_sdk.models import BundleManifest, TaskSpec
from augur_sdk.pipeline import fork_gate
from augur_sdk.recording import checks, tasks
from augur_sdk.recording.bounds import ORCHESTRATOR_TAG_KEY, ORCHESTRATOR_TAG_VALUE
from augur_sdk.recording.branches import branch_context as checked_context
from augur_sdk.recording.state import Settings
from augur_sdk.redaction import DefaultRedactionPolicy, RedactionPolicy
from augur_sdk.session import arguments, engine
from augur_sdk.session.behaviour import Behaviour
from augur_sdk.session.stats import SessionStats
from augur_sdk.storage import LocalFSStore, Store
from augur_sdk.streaming.dsn import DSN
from augur_sdk.times import utc_now

if TYPE_CHECKING:
    from augur_sdk.pipeline.delivering import Delivery
    from augur_sdk.session.branching import Branch
    from augur_sdk.session.core import SessionCore

__all__ = ["ROOM_PATIENCE", "SessionBase"]

logger: logging.Logger = logging.getLogger("augur_sdk")

ROOM_PATIENCE: Final = 5.0
"""Seconds a recording call waits for room in a full inbox: the disk is slow, but works."""

STRICT_VARIABLE: Final = "AUGUR_STRICT"
ENFORCE_VARIABLE: Final = "AUGUR_ENFORCE_CAPTURE_MODE"


class SessionBase:
    """Captures one run into a bundle.

    Guarantees, whatever the agent and the machine do (contract/behaviour.md):

    - A recording call checks, snapshots and returns; redaction, files and network come behind.
    - A record is in the operating system's hands at most 100 ms after its call returned; when
      `flush()` returns, everything before it is. Through a power cut at most 500 ms are lost,
      or none with `durable=True`; when `close()` returns, the whole bundle is safe.
    - Errors of disk and network never reach the agent; what was lost is counted in `stats`.
    - An exception of the agent's leaves the `with` block unchanged.

    Args:
        run_id: The adapter's id of the run; in every record.
        client_name: The agent or runtime.
        out_dir: The folder of the bundle. One that holds another run's bundle is moved aside.
        client_version: Free form.
        client_git_sha: The commit that runs.
        capture_mode: How much to keep; else AUGUR_CAPTURE_MODE, else `off`.
        debug_session_id: `dbg_` and letters, digits, `_`, `-`. The id of an unfinished session
            in the same `out_dir` resumes it.
        redaction_policy: `DefaultRedactionPolicy()` unless given.
        store: Where the finished bundle goes besides `out_dir`.
        tags: Free-form key and value strings.
        started_at: ISO-8601; now unless given.
        dsn: The server to stream to; else AUGUR_DSN; without one nothing is sent.
        branch_context: Labels the run as a replay branch: `parent_run_id`,
            `branch_point_step_index`, `mutated_axis`, `mutation`, perhaps `branch_id`. The whole
            is on the session record; every step carries it without the mutation.
        capture_logprobs: Tells adapters to ask for log probabilities; none are kept as `[]`.
        task_spec: What the run is to solve, a task_spec record.
        task_spec_id: The task's id, where its spec is kept elsewhere.
        group_id: Ties the steps to a group, such as one batch of rollouts.
        enforce_capture_mode: Let the capture mode also bound what is kept: below `screenshots`
            no image, below `model_io` no model I/O, reasoning or log probabilities, in `metadata`
            only ids, status, type of action, failure class, costs and latency; else
            AUGUR_ENFORCE_CAPTURE_MODE.
        strict: Raise on what is otherwise repaired or stored with a warning; else AUGUR_STRICT.
        durable: Each call returns only once what it recorded survives a power cut.
        flush_timeout: Seconds that closing gives the delivery.
        screenshot_redactor: `(picture bytes, step index, "pre" or "post") -> boxes`, a plain
            function that says what to fill with black; it is called in a worker thread. When it
            raises, or returns anything but boxes, the picture is not kept.
        redaction_report: Write `redaction_report.json` at the end: how much each rule redacted,
            by file.
        perceptual_hashes: Compute `phash_64` of each picture. It is what pictures cost most (some
            10 ms of processor time each, behind the agent); without it closing a run of many
            pictures is faster, and `augur diagnose` and `augur diff` compute what they need.
        fingerprint: The algorithm of `manifest.trajectory_fingerprint`, by entry point name.
        live: `at_once` sends pictures, events and model calls of a step before the step says
            whether it is sensitive; see `announce_step`.
        auto_detect_loops: Set `loop_detected` on the steps with which the run has gone round the
            same sequence of actions and pictures three times. Noticed behind the agent, one step
            later; what `set_loop_detected` or the step's own record says wins.

    Raises:
        ValueError: An argument that cannot be understood.
    """

    def __init__(
        self,
        *,
        run_id: str,
        client_name: str,
        out_dir: str | Path,
        client_version: str | None = None,
        client_git_sha: str | None = None,
        capture_mode: CaptureMode | str | None = None,
        debug_session_id: str | None = None,
        redaction_policy: RedactionPolicy | None = None,
        store: Store | None = None,
        tags: dict[str, str] | None = None,
        started_at: str | None = None,
        dsn: str | None = None,
        branch_context: dict[str, Any] | None = None,
        capture_logprobs: bool = False,
        task_spec: TaskSpec | dict[str, Any] | None = None,
        task_spec_id: str | None = None,
        group_id: str | None = None,
        strict: bool | None = None,
        durable: bool = False,
        flush_timeout: float = 5.0,
        enforce_capture_mode: bool | None = None,
        screenshot_redactor: ScreenshotRedactor | None = None,
        redaction_report: bool = False,
        perceptual_hashes: bool = True,
        fingerprint: str = "cua_v1",
        auto_detect_loops: bool = False,
        live: str | None = None,
    ) -> None:
        mode = resolve_capture_mode(capture_mode)
        policy = redaction_policy if redaction_policy is not None else DefaultRedactionPolicy()
        self._out_dir = Path(os.path.abspath(out_dir))  # noqa: PTH100 - must not follow links
        self._store = store if store is not None else LocalFSStore(self._out_dir)
        server = DSN.from_env(dsn)
        engine.load_engine(
            streaming=server is not None, mirroring=store is not None, loops=auto_detect_loops
        )
        sends = server is not None and mode is not CaptureMode.OFF
        settings = Settings(
            streaming=sends,
            destination=engine.destination(server) if server is not None and sends else "",
            run_id=checks.text(run_id, "run_id"),
            debug_session_id=arguments.session_id(debug_session_id),
            client=arguments.client(client_name, client_version, client_git_sha),
            capture_mode=mode,
            started_at=checks.text(started_at, "started_at") if started_at else utc_now(),
            policy_id=policy.id,
            tags=arguments.tags(tags),
            strict=arguments.switch(strict, STRICT_VARIABLE),
            enforce=arguments.switch(enforce_capture_mode, ENFORCE_VARIABLE),
            orchestrator=arguments.tags(tags).get(ORCHESTRATOR_TAG_KEY) == ORCHESTRATOR_TAG_VALUE,
            branch_context=None if branch_context is None else checked_context(branch_context),
            task_spec=None if task_spec is None else tasks.task_spec(task_spec),
            task_spec_id=arguments.optional(task_spec_id, "task_spec_id"),
            group_id=arguments.optional(group_id, "group_id"),
            capture_logprobs=bool(capture_logprobs),
        )
        self._branch: Branch | None = None
        self._policy = policy
        door = engine.door(policy, server)
        self._core: SessionCore = engine.core(
            settings,
            self._out_dir,
            door,
            Behaviour(
                durable=bool(durable),
                flush_timeout=float(flush_timeout),
                screenshot_redactor=screenshot_redactor,
                redaction_report=bool(redaction_report),
                perceptual_hashes=bool(perceptual_hashes),
                fingerprint=checks.text(fingerprint, "fingerprint"),
            ),
            self._store,
            None if server is None else engine.delivery(server, settings, door.text, live),
            loops=auto_detect_loops,
        )
        arguments.say_when_off(mode, capture_mode)

    @classmethod
    def branch_from(
        cls,
        *,
        parent_run_id: str,
        branch_point_step_index: int,
        mutated_axis: str,
        mutation: dict[str, Any],
        client_name: str,
        out_dir: str | Path,
        mode: str = "auto",
        parent_bundle: str | Path | None = None,
        branch_id: str | None = None,
        run_id: str | None = None,
        **session_kwargs: Any,
    ) -> Self:
        """A session that starts from another run, with one of its inputs changed.

        In mode `replay` the parent's steps before the branch point are recorded when the session
        is opened, with their screenshots (hard-linked where the file system can), and the agent
        goes on at the branch point. In mode `sandbox` the agent starts from step 0 itself. `auto`
        is `sandbox` for the axis `action`, and `replay` for the others. A replay for which nobody
        chose a capture mode is captured in mode `replay`.

        Args:
            parent_run_id: The run that is rewound.
            branch_point_step_index: The first step that is executed anew.
            mutated_axis: What is changed: `model`, `prompt`, `action`, `grounder` or
                `tool_description`.
            mutation: What it is changed to.
            client_name: The agent or runtime.
            out_dir: The folder of the branch's own bundle.
            mode: `replay`, `sandbox` or `auto`.
            parent_bundle: The folder of the parent's bundle, or its URI; a replay needs it.
            branch_id: `<parent_run_id>:branch:<short id>` unless given.
            run_id: The same unless given.
            **session_kwargs: Any other argument of the constructor.

        Raises:
            ValueError: An argument cannot be understood, or a replay is asked for with the axis
                `action`: what the parent saw is not what the changed agent will see.
            FileNotFoundError: A replay without a parent bundle that holds a `trace.json`; on a
                running event loop the file is looked for when the session is opened.
        """
        with fork_gate.job():
            from augur_sdk.session.branching import plan_branch

        branch = plan_branch(
            context={
                "parent_run_id": parent_run_id,
                "branch_point_step_index": branch_point_step_index,
                "mutated_axis": mutated_axis,
                "mutation": mutation,
                "branch_id": branch_id,
            },
            mode=mode,
            parent_bundle=parent_bundle,
            out_dir=out_dir,
        )
        if branch.mode == "replay" and not arguments.mode_chosen(
            session_kwargs.get("capture_mode")
        ):
            session_kwargs["capture_mode"] = CaptureMode.REPLAY
        session = cls(
            run_id=run_id if run_id is not None else branch.default_run_id,
            client_name=client_name,
            out_dir=out_dir,
            branch_context=branch.context,
            **session_kwargs,
        )
        session._branch = branch
        return session

    @classmethod
    def open_orchestrator(
        cls,
        run_id: str,
        client_name: str,
        out_dir: str | Path,
        session_name: str | None = None,
        tenant_id: str | None = None,
        tags: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> Self:
        """The parent session of a fan-out: costs, tags and outcomes, but no steps of its own.

        Args:
            run_id: The id of the fan-out.
            client_name: The agent or runtime.
            out_dir: The folder of the bundle.
            session_name: A name for people; becomes the tag `session_name`.
            tenant_id: Whose run it is; becomes the tag `tenant_id`.
            tags: Free-form key and value strings; these win over the two above.
            **kwargs: Any other argument of the constructor.

        Raises:
            ValueError: An argument that cannot be understood.
        """
        named = {"session_name": session_name, "tenant_id": tenant_id}
        all_tags = {name: text for name, text in named.items() if text is not None}
        all_tags |= arguments.tags(tags)
        all_tags[ORCHESTRATOR_TAG_KEY] = ORCHESTRATOR_TAG_VALUE
        return cls(run_id=run_id, client_name=client_name, out_dir=out_dir, tags=all_tags, **kwargs)

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._core.settings.run_id

    @property
    def debug_session_id(self) -> str:
        """This session's id, `dbg_` and twelve hex digits unless given."""
        return self._core.settings.debug_session_id

    @property
    def capture_mode(self) -> CaptureMode:
        """The session's mode; `set_capture_mode` does not change it."""
        return self._core.settings.capture_mode

    @property
    def redaction_policy(self) -> RedactionPolicy:
        """The policy that everything passes."""
        return self._policy

    @property
    def manifest(self) -> BundleManifest | None:
        """The manifest; None before the session is closed."""
        return self._core.manifest

    @property
    def store(self) -> Store:
        """Where the bundle goes."""
        return self._store

    @property
    def out_dir(self) -> Path:
        """The local folder of the bundle, absolute."""
        return self._out_dir

    @property
    def branch_mode(self) -> str | None:
        """`replay` or `sandbox` for a session that `branch_from` made; None for any other."""
        return self._branch.mode if self._branch is not None else None

    @property
    def is_orchestrator(self) -> bool:
        """Whether this is the parent session of a fan-out, which has no steps of its own."""
        return self._core.settings.orchestrator

    @property
    def capture_logprobs(self) -> bool:
        """Whether adapters should ask their model for log probabilities."""
        return self._core.settings.capture_logprobs

    @property
    def stats(self) -> SessionStats:
        """What became of the records so far."""
        return self._core.stats

    @property
    def _stream(self) -> Delivery | None:
        """What streams the records, or None; kept for clients of the published package."""
        return self._core.delivery

    def _session_record(self) -> dict[str, Any]:
        """The session record as it is now; kept for clients of the published package."""
        with self._core.recorder.lock:
            return self._core.recorder.session_record()

    def _require_open(self, call: str) -> None:
        with self._core.recorder.lock:
            self._core.recorder.require_open(call)

    def _announce(self, step_index: int, *, sensitive: bool) -> None:
        self._require_open("announce_step")
        index = checks.step_index(step_index)
        if self._core.delivery is not None and not sensitive:
            self._core.delivery.announce(index)

    def _end_at(self, ended_at: str | None) -> None:
        with self._core.recorder.lock:
            self._core.recorder.end_at(ended_at)

    def register_secret(self, value: str, name: str | None = None) -> bool:
        """Mask a value wherever it appears from now on (docs/concepts/redaction.md).

        Plain, escaped, URL-encoded, in base64, spelled out. Nothing of it is written; it may be
        called before the session is opened. No I/O: the same for both classes, never awaited.

        Args:
            value: The secret, of five characters or more (six if all are digits).
            name: What the marker calls it.

        Returns:
            Whether it is masked from now on. False, with a `SecretWarning`, for a value that
            cannot be told apart from ordinary text.
        """
        return self._core.door.secrets.register(value, name)

    def _open(self) -> None:
        if self._branch is not None:
            self._branch.check()
        engine.load_for(self._core.settings.capture_mode, self._core.door)
        self._core.open()

    @property
    def _has_prefix(self) -> bool:
        return self._branch is not None and self._branch.parent is not None

    def _replay(self, pause: Callable[[], None] = lambda: None) -> None:
        if self._branch is not None:
            from augur_sdk.session.branching import load_prefix

            load_prefix(self._core, self._branch, pause)

    def __repr__(self) -> str:
        state = self._core.recorder.lifecycle.value
        return f"<{type(self).__name__} {self.debug_session_id} {state} mode={self.capture_mode}>"
