"""Recording what is true of the whole run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from augur_sdk.capture import CaptureMode, resolve_capture_mode
from augur_sdk.entry import Kind
from augur_sdk.recording import checks, tasks
from augur_sdk.recording.state import RecorderState

__all__ = ["SessionFields"]


class SessionFields(RecorderState):
    """The methods that change the session record."""

    def set_status(self, status: str) -> None:
        """Set the run's status; it stands at close unless `close(status=...)` says otherwise.

        Args:
            status: `running`, `succeeded`, `failed`, `cancelled` or `halted`; another word is
                kept as given, and counted.

        Raises:
            ValueError: Not a string; in strict mode also a word that the schema does not know.
            RuntimeError: The session is not open.
        """
        self._require_open("set_status")
        self._set_session(status=checks.string(status, "status"))

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
        self._set_session(tags={**self._session["tags"], name: str(value)})

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
            ValueError: Not a string.
            RuntimeError: The session is not open.
        """
        self._require_open("set_live_endpoints")
        live = self.leniency.given(
            status_url=status_url, video_url=video_url, reasoning_url=reasoning_url
        )
        self._set_session(live={**(self._session.get("live") or {}), **live})

    def set_capture_mode(self, mode: str | CaptureMode | None) -> None:
        """Stamp `capture_mode` on every step recorded from now on.

        The manifest keeps the session's own mode, and a step that says its own mode keeps it.
        Use it to upgrade a run in the middle, for example after a failed verdict. In a session
        that enforces its mode, it also changes what is kept from now on.

        Args:
            mode: A capture mode, or its name; None stamps no further steps.

        Raises:
            ValueError: Not the name of a mode.
            RuntimeError: The session is not open.
        """
        self._require_open("set_capture_mode")
        chosen = None
        if mode is not None:
            chosen = resolve_capture_mode(checks.text(mode, "the capture mode"))
        self._mode_override = chosen
        if self.settings.enforce:
            self._hold_to(chosen or self.settings.capture_mode)

    def set_costs(
        self,
        *,
        total_usd: float | None = None,
        model_usd: float | None = None,
        gpu_usd: float | None = None,
        proxy_usd: float | None = None,
        tokens_in: int | None = None,
        tokens_out: int | None = None,
        cache_hit_tokens: int | None = None,
    ) -> None:
        """Set what the run has cost so far; it appears on the session and in the manifest.

        Calls merge: arguments that are not given keep the value of an earlier call.

        Args:
            total_usd: All costs, in US dollars.
            model_usd: Model calls, in US dollars.
            gpu_usd: GPU time, in US dollars.
            proxy_usd: Network proxies, in US dollars.
            tokens_in: Prompt tokens.
            tokens_out: Completion tokens.
            cache_hit_tokens: Prompt tokens that came from a cache.

        Raises:
            ValueError: Not a number.
            RuntimeError: The session is not open.
        """
        self._require_open("set_costs")
        costs = self.leniency.given(
            total_usd=total_usd,
            model_usd=model_usd,
            gpu_usd=gpu_usd,
            proxy_usd=proxy_usd,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            cache_hit_tokens=cache_hit_tokens,
        )
        if costs:
            self._set_session(costs={**self._session.get("costs", {}), **costs})
            if self.settings.streaming:
                self._emit(Kind.COSTS, self._encode(self._session["costs"]))

    def set_task_spec(self, spec: Mapping[str, Any] | None) -> None:
        """Say what task the run is to solve; it appears on the session.

        Args:
            spec: A task_spec record (contract/records.md); None takes it back.

        Raises:
            ValueError: No `instruction`, or a `subgoal_id` that is missing or given twice.
            RuntimeError: The session is not open.
        """
        self._require_open("set_task_spec")
        checked = None if spec is None else tasks.task_spec(spec)
        self._set_session(task_spec=self._plain("task_spec", checked))

    def set_task_spec_id(self, task_spec_id: str | None) -> None:
        """Say which task the run is to solve, where its spec is kept elsewhere.

        Args:
            task_spec_id: The task's id; None takes it back.

        Raises:
            ValueError: Not a string.
            RuntimeError: The session is not open.
        """
        self._require_open("set_task_spec_id")
        given = self.leniency.given(task_spec_id=task_spec_id)
        self._set_session(task_spec_id=given.get("task_spec_id"))

    def set_group_id(self, group_id: str | None) -> None:
        """Tie the steps recorded from now on to a group, such as one batch of rollouts.

        A step that says its own `group_id` keeps it.

        Args:
            group_id: The group's id; None ties no further steps.

        Raises:
            ValueError: Not a string.
            RuntimeError: The session is not open.
        """
        self._require_open("set_group_id")
        self._group_id = self.leniency.given(group_id=group_id).get("group_id")

    def _set_session(self, **fields: Any) -> None:
        """Change the session record and hand it on; in strict mode only if it keeps its schema."""
        changed = {**self._session, **fields}
        if self.settings.strict:
            self._encode(changed, "debug_session")
        self._session = changed
        self._emit_session()
