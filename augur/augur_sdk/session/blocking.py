# ruff: noqa: D102 - the docstrings of declared methods are the Recorder's
"""`DebugSession`: the documented blocking class."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar

from augur_sdk.agent_loop import is_on_event_loop
from augur_sdk.intervention import Checkpoint, GatePolicy, Permit
from augur_sdk.intervention.approval import Reversibility
from augur_sdk.intervention.command import POLL_TIMEOUT
from augur_sdk.intervention.waiting import wait_blocking
from augur_sdk.models import BundleManifest
from augur_sdk.recording.recorder import Recorder
from augur_sdk.recording.table import ColdStepError
from augur_sdk.session.base import ROOM_PATIENCE, SessionBase
from augur_sdk.session.methods import blocking
from augur_sdk.session.stats import SessionStats
from augur_sdk.session.step_builder import StepBuilder

if TYPE_CHECKING:
    from augur_sdk.intervention import InterventionChannel

__all__ = ["DebugSession"]

logger: logging.Logger = logging.getLogger("augur_sdk")

P = ParamSpec("P")
T = TypeVar("T")


class DebugSession(SessionBase):  # noqa: D101 - its docstring is put together below
    __doc__ = (
        (SessionBase.__doc__ or "")
        + """
    Use it with `with`; every call may come from any thread, also from one that has a running
    event loop (where `AsyncDebugSession` is the better choice).
    """
    )

    @blocking(Recorder.record_step)
    def record_step(self) -> None: ...

    @blocking(Recorder.record_step_iteration)
    def record_step_iteration(self) -> None: ...

    @blocking(Recorder.record_event)
    def record_event(self) -> None: ...

    @blocking(Recorder.attach_observation)
    def attach_observation(self) -> None: ...

    @blocking(Recorder.set_status)
    def set_status(self) -> None: ...

    @blocking(Recorder.add_tag)
    def add_tag(self) -> None: ...

    @blocking(Recorder.set_live_endpoints)
    def set_live_endpoints(self) -> None: ...

    @blocking(Recorder.set_capture_mode)
    def set_capture_mode(self) -> None: ...

    @blocking(Recorder.append_log)
    def append_log(self) -> None: ...

    @blocking(Recorder.attach_verifier)
    def attach_verifier(self) -> None: ...

    @blocking(Recorder.set_costs)
    def set_costs(self) -> None: ...

    @blocking(Recorder.set_step_costs)
    def set_step_costs(self) -> None: ...

    @blocking(Recorder.set_score)
    def set_score(self) -> None: ...

    @blocking(Recorder.record_modelio)
    def record_modelio(self) -> None: ...

    @blocking(Recorder.set_step_versions)
    def set_step_versions(self) -> None: ...

    @blocking(Recorder.attach_env_fingerprint)
    def attach_env_fingerprint(self) -> None: ...

    @blocking(Recorder.record_judge_decision)
    def record_judge_decision(self) -> None: ...

    @blocking(Recorder.mark_for_eval)
    def mark_for_eval(self) -> None: ...

    @blocking(Recorder.finalize_outcome)
    def finalize_outcome(self) -> None: ...

    @blocking(Recorder.successful_task_cost_summary)
    def successful_task_cost_summary(self) -> None: ...

    @blocking(Recorder.record_reasoning)
    def record_reasoning(self) -> None: ...

    @blocking(Recorder.declare_side_effect)
    def declare_side_effect(self) -> None: ...

    @blocking(Recorder.commit_side_effect)
    def commit_side_effect(self) -> None: ...

    @blocking(Recorder.mark_side_effect_aborted)
    def mark_side_effect_aborted(self) -> None: ...

    @blocking(Recorder.abort_pending_side_effects)
    def abort_pending_side_effects(self) -> None: ...

    @blocking(Recorder.record_subgoal_completion)
    def record_subgoal_completion(self) -> None: ...

    @blocking(Recorder.set_loop_detected)
    def set_loop_detected(self) -> None: ...

    @blocking(Recorder.save_replay_fixture)
    def save_replay_fixture(self) -> None: ...

    @blocking(Recorder.set_task_spec)
    def set_task_spec(self) -> None: ...

    @blocking(Recorder.set_task_spec_id)
    def set_task_spec_id(self) -> None: ...

    @blocking(Recorder.set_group_id)
    def set_group_id(self) -> None: ...

    def step(self, step_type: str, **fields: Any) -> StepBuilder:
        """Record a step as a block: `with session.step("click", intent="...") as step:`.

        Index, id, times, duration and status are kept by the block. An exception in it is
        recorded as a failed step and goes on.

        Args:
            step_type: What kind of step it is; also the action's type unless `step.action` says.
            **fields: Any field of a step_trace record (contract/records.md).
        """
        return StepBuilder(self, step_type, fields)

    def announce_step(self, step_index: int, sensitive: bool = False) -> None:
        """Say before a step is recorded whether it is sensitive (contract/http.md, live).

        Pictures, events, model calls and reasoning of a step that is not leave as they are
        recorded, so that an operator sees what the agent sees before it acts. Otherwise they wait
        for `record_step`, or for close. Without a server it changes nothing.

        Args:
            step_index: The step that is about to happen.
            sensitive: Whether it will be recorded with `sensitive=True`.

        Raises:
            ValueError: Not a step index.
            RuntimeError: The session is not open.
        """
        self._announce(step_index, sensitive=sensitive)

    def flush(self, timeout: float | None = None, delivered: bool = False) -> SessionStats:
        """Wait until everything recorded so far is stored.

        Args:
            timeout: Seconds to wait at most. Without one the wait is bounded too, so that a
                failing disk cannot hold the agent.
            delivered: Wait also until the server has answered for it, `flush_timeout` seconds
                where no timeout is given: for hosts that are frozen between requests. What waits
                for its step to be known (`stats.held`) is not waited for.

        Returns:
            The counts; `queued` says what is not stored yet, `pending` what is not delivered.
        """
        core = self._core
        until = time.monotonic() + (core.behaviour.flush_timeout if timeout is None else timeout)
        _wait(core.stored(), core.wait_bound if timeout is None else timeout)
        if delivered and core.delivery is not None:
            _wait(core.delivery.delivered(until), max(0.0, until - time.monotonic()))
        return core.stats

    def bind_intervention(
        self, adapter: object, *, poll_timeout: float = POLL_TIMEOUT
    ) -> InterventionChannel | None:
        """Let an operator's commands call an adapter's hooks, from now until close.

        Each command is carried out once, is an event of the run, and calls the hook that it has:
        `on_pause`, `on_resume`, `on_kill` (after every declared side effect was aborted),
        `on_inject_hint(text)`, `on_action_override(coords, provenance="human_override")`. A hook
        that is missing is skipped; one that blocks or raises harms nothing.

        Args:
            adapter: The object with the hooks. Plain ones run on a thread of their own, async ones
                on the agent's event loop where there is one.
            poll_timeout: Seconds that one poll waits for a command.

        Returns:
            The channel; None without a DSN.

        Raises:
            RuntimeError: The session is not open.
        """
        self._require_open("bind_intervention")
        from augur_sdk.intervention import InterventionChannel

        return self._core.intervention.bind(adapter, poll_timeout, InterventionChannel)

    def checkpoint(self) -> Checkpoint:
        """Let the operator have a say, between steps (docs/intervention.md).

        Returns at once in a normal run, and waits while the operator has paused it.

        Returns:
            The hints and overrides that arrived since the last checkpoint.

        Raises:
            RunKilled: The operator ended the run.
            RuntimeError: The session is not open.
        """
        self._require_open("checkpoint")
        self._core.intervention.attend()
        gate = self._core.intervention.gate
        return wait_blocking(gate, gate.take) or Checkpoint()

    def gate(
        self,
        action: Any,
        *,
        reversibility: Reversibility = "irreversible",
        step_index: int | None = None,
        key: str | None = None,
        policy: GatePolicy | None = None,
    ) -> Permit:
        """Ask whether an action may be done (docs/intervention.md, approval points).

        Goes by policy; where that says so, and an operator can answer, it waits for approve, edit
        or deny. An answer is good for this exact action, once.

        Args:
            action: What would be done; anything that JSON can hold.
            reversibility: `irreversible`, `reversible` or `compensated`.
            step_index: The step it belongs to.
            key: A name of your own for this one occasion, where the same action is asked for
                more than once.
            policy: What to do by reversibility; `GatePolicy()` unless given.

        Raises:
            RunKilled: The operator ended the run.
            ValueError: `reversibility` is none of the three.
            RuntimeError: The session is not open.
        """
        self._require_open("gate")
        point = self._core.intervention.approval(action, reversibility, step_index, key, policy)
        return point.passed_blocking()

    def close(self, status: str | None = None, *, ended_at: str | None = None) -> BundleManifest:
        """Finish the bundle: everything recorded is stored, projected and signed.

        Bounded in time whatever the disk does. A second call returns the same manifest, or
        tries again where the disk refused the first time.

        Args:
            status: The run's terminal status. Without it `running` becomes `succeeded`.
            ended_at: ISO-8601, for a run that ended some time ago; now unless given.

        Raises:
            ValueError: Not a run status, or not a time.
            RuntimeError: The session was never opened.
        """
        self._end_at(ended_at)
        return self._core.close(status)

    def __enter__(self) -> Self:
        _hint_at_async()
        self._open()
        try:
            self._replay()
        except BaseException:
            self._core.close(failed=True)
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._core.close(failed=exc is not None)
        except Exception:
            if exc is None:
                raise
            logger.exception("session %s could not be closed", self.debug_session_id)

    def _record(
        self,
        operation: Callable[Concatenate[Any, P], T],
        waits: bool,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        core = self._core
        if core.inbox.full and not core.forked:
            _wait(core.inbox.room(), ROOM_PATIENCE)
        while True:
            try:
                result = core.attempt(operation, *args, **kwargs)
                break
            except ColdStepError as cold:
                core.warm(cold)
        if waits or core.behaviour.durable:
            _wait(core.stored(), core.wait_bound)
        return result


def _wait(future: Future[None], timeout: float) -> None:
    with suppress(FutureTimeoutError):
        future.result(timeout)


_hinted = False
"""Said once a process."""


def _hint_at_async() -> None:
    global _hinted
    if not _hinted and is_on_event_loop():
        _hinted = True
        logger.info(
            "DebugSession is used on a thread with a running event loop; AsyncDebugSession "
            "records without blocking it"
        )
