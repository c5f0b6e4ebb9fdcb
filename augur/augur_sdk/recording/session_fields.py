"""Recording what is true of the whole run."""

from __future__ import annotations

from typing import get_args

from augur_sdk.capture import CaptureMode, resolve_capture_mode
from augur_sdk.models import RunStatus
from augur_sdk.recording import checks
from augur_sdk.recording.state import RecorderState

__all__ = ["SessionFields"]


class SessionFields(RecorderState):
    """The methods that change the session record."""

    def set_status(self, status: str) -> None:
        """Set the run's status; it stands at close unless `close(status=...)` says otherwise.

        Args:
            status: `running`, `succeeded`, `failed`, `cancelled` or `halted`.

        Raises:
            ValueError: Not one of these.
            RuntimeError: The session is not open.
        """
        self._require_open("set_status")
        self._session["status"] = checks.choice(status, "status", get_args(RunStatus))
        self._emit_session()

    def add_tag(self, key: str, value: str) -> None:
        """Add or replace one of the run's tags.

        Args:
            key: The tag's name.
            value: Its value; anything but a string is stored as its text.

        Raises:
            ValueError: The key is not a string, or empty.
            RuntimeError: The session is not open.
        """
        self._require_open("add_tag")
        name = checks.text(key, "the tag's key")
        self._session["tags"] = {**self._session["tags"], name: str(value)}
        self._emit_session()

    def set_live_endpoints(
        self,
        *,
        status_url: str | None = None,
        video_url: str | None = None,
        reasoning_url: str | None = None,
    ) -> None:
        """Say where the run can be watched live; unset arguments keep their value.

        Args:
            status_url: A page with the run's state.
            video_url: A video stream of the screen.
            reasoning_url: A stream of the agent's reasoning.

        Raises:
            RuntimeError: The session is not open.
        """
        self._require_open("set_live_endpoints")
        given = {
            "status_url": status_url,
            "video_url": video_url,
            "reasoning_url": reasoning_url,
        }
        live = {name: checks.text(url, name) for name, url in given.items() if url is not None}
        self._session["live"] = {**(self._session.get("live") or {}), **live}
        self._emit_session()

    def set_capture_mode(self, mode: str | CaptureMode) -> None:
        """Stamp `capture_mode` on every step recorded from now on.

        The manifest keeps the session's own mode, and a step that says its own mode keeps it.
        Use it to upgrade a run in the middle, for example after a failed verdict.

        Args:
            mode: A capture mode, or its name.

        Raises:
            ValueError: Not the name of a mode.
            RuntimeError: The session is not open.
        """
        self._require_open("set_capture_mode")
        self._mode_override = resolve_capture_mode(mode)
