"""What both session classes share: the constructor and the attributes."""

from __future__ import annotations

import logging
import os
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from augur_sdk.capture import CAPTURE_MODE_VARIABLE, CaptureMode, resolve_capture_mode
from augur_sdk.errors import RecordError
from augur_sdk.models import BundleManifest
from augur_sdk.recording import checks
from augur_sdk.recording.state import Settings
from augur_sdk.redaction import DefaultRedactionPolicy, RedactionPolicy
from augur_sdk.session.clock import utc_now
from augur_sdk.session.core import Behaviour, SessionCore
from augur_sdk.session.stats import SessionStats
from augur_sdk.storage import LocalFSStore, Store

__all__ = ["SessionBase"]

logger = logging.getLogger("augur_sdk")

STRICT_VARIABLE: Final = "AUGUR_STRICT"
_SESSION_ID = re.compile(r"dbg_[A-Za-z0-9_\-]+")


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
        strict: Raise on what is otherwise repaired or stored with a warning; else AUGUR_STRICT.
        durable: Each call returns only once what it recorded survives a power cut.
        flush_timeout: Seconds that closing gives the delivery.

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
        strict: bool | None = None,
        durable: bool = False,
        flush_timeout: float = 5.0,
    ) -> None:
        mode = resolve_capture_mode(capture_mode)
        policy = redaction_policy if redaction_policy is not None else DefaultRedactionPolicy()
        self._out_dir = Path(os.path.abspath(out_dir))  # noqa: PTH100 - must not follow links
        self._store = store if store is not None else LocalFSStore(self._out_dir)
        settings = Settings(
            run_id=checks.text(run_id, "run_id"),
            debug_session_id=_session_id(debug_session_id),
            client=_client(client_name, client_version, client_git_sha),
            capture_mode=mode,
            started_at=checks.text(started_at, "started_at") if started_at else utc_now(),
            policy_id=policy.id,
            tags=_tags(tags),
            strict=_strict(strict),
        )
        self._policy = policy
        self._core = SessionCore(
            settings, self._out_dir, policy, Behaviour(durable, float(flush_timeout))
        )
        _say_when_off(mode, capture_mode)

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
    def stats(self) -> SessionStats:
        """What became of the records so far."""
        return self._core.stats

    def __repr__(self) -> str:
        state = self._core.recorder.lifecycle.value
        return f"<{type(self).__name__} {self.debug_session_id} {state} mode={self.capture_mode}>"


def _session_id(given: str | None) -> str:
    if given is None:
        return f"dbg_{uuid.uuid4().hex[:12]}"
    if isinstance(given, str) and _SESSION_ID.fullmatch(given):
        return given
    raise RecordError(
        "debug_session_id is malformed", expected="dbg_ and letters, digits, _ or -"
    )


def _client(name: str, version: str | None, git_sha: str | None) -> dict[str, str]:
    optional = {"version": version, "git_sha": git_sha}
    return {
        "name": checks.text(name, "client_name"),
        **{key: str(value) for key, value in optional.items() if value is not None},
    }


def _tags(tags: Mapping[str, Any] | None) -> dict[str, str]:
    given = checks.mapping(tags, "tags") if tags is not None else {}
    return {str(key): str(value) for key, value in given.items()}


def _strict(given: bool | None) -> bool:
    if given is not None:
        return given
    return os.environ.get(STRICT_VARIABLE, "").strip().lower() in {"1", "true", "yes", "on"}


_said_off = False
"""Said once a process: nobody reads the same hint twice."""


def _say_when_off(mode: CaptureMode, chosen: CaptureMode | str | None) -> None:
    global _said_off
    nobody_chose = chosen is None and not os.environ.get(CAPTURE_MODE_VARIABLE, "").strip()
    if mode is CaptureMode.OFF and nobody_chose and not _said_off:
        _said_off = True
        logger.warning(
            "capture_mode is off because nobody chose one: this session records nothing. Pass "
            "capture_mode='screenshots' (or another mode), or set %s.",
            CAPTURE_MODE_VARIABLE,
        )
