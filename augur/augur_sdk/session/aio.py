# ruff: noqa: D102 - the docstrings of declared methods are the Recorder's
"""`AsyncDebugSession`: the same recording methods, awaited."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Concatenate, Final, ParamSpec, Self, TypeVar

import anyio
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread

from augur_sdk.agent_loop import ended, running_loop
from augur_sdk.intervention import AsyncInterventionChannel, Checkpoint, GatePolicy, Permit
from augur_sdk.intervention.approval import Reversibility
from augur_sdk.intervention.command import POLL_TIMEOUT
from augur_sdk.intervention.killable import Killable
from augur_sdk.intervention.waiting import wait
from augur_sdk.models import BundleManifest
from augur_sdk.recording.recorder import Recorder
from augur_sdk.recording.table import ColdStepError
from augur_sdk.session.base import ROOM_PATIENCE, SessionBase
from augur_sdk.session.engine import load_engine
from augur_sdk.session.methods import awaiting
from augur_sdk.session.stats import SessionStats
from augur_sdk.session.step_builder import AsyncStepBuilder

__all__ = ["AsyncDebugSession"]

logger: logging.Logger = logging.getLogger("augur_sdk")

load_engine()  # now: an event loop has no time for it later

P = ParamSpec("P")
T = TypeVar("T")

YIELD_AFTER: Final = 0.002
"""Seconds after which a burst of calls lets the loop's other tasks run."""


class AsyncDebugSession(SessionBase):  # noqa: D101 - its docstring is put together below
    __doc__ = (
        (SessionBase.__doc__ or "")
        + """
    Use it with `async with`, on asyncio, uvloop or trio. No call does I/O on the event loop.
    """
    )

    @awaiting(Recorder.record_step)
    def record_step(self) -> None: ...

    @awaiting(Recorder.record_step_iteration)
    def record_step_iteration(self) -> None: ...

    @awaiting(Recorder.record_event)
    def record_event(self) -> None: ...

    @awaiting(Recorder.attach_observation)
    def attach_observation(self) -> None: ...

    @awaiting(Recorder.set_status)
    def set_status(self) -> None: ...

    @awaiting(Recorder.add_tag)
    def add_tag(self) -> None: ...

    @awaiting(Recorder.set_live_endpoints)
    def set_live_endpoints(self) -> None: ...

    @awaiting(Recorder.set_capture_mode)
    def set_capture_mode(self) -> None: ...

    @awaiting(Recorder.append_log)
    def append_log(self) -> None: ...

    @awaiting(Recorder.attach_verifier)
    def attach_verifier(self) -> None: ...

    @awaiting(Recorder.set_costs)
    def set_costs(self) -> None: ...

    @awaiting(Recorder.set_step_costs)
    def set_step_costs(self) -> None: ...

    @awaiting(Recorder.set_score)
    def set_score(self) -> None: ...

    @awaiting(Recorder.record_modelio)
    def record_modelio(self) -> None: ...

    @awaiting(Recorder.set_step_versions)
    def set_step_versions(self) -> None: ...

    @awaiting(Recorder.attach_env_fingerprint)
    def attach_env_fingerprint(self) -> None: ...

    @awaiting(Recorder.record_judge_decision)
    def record_judge_decision(self) -> None: ...

    @awaiting(Recorder.mark_for_eval)
    def mark_for_eval(self) -> None: ...

    @awaiting(Recorder.finalize_outcome)
    def finalize_outcome(self) -> None: ...

    @awaiting(Recorder.successful_task_cost_summary)
    def successful_task_cost_summary(self) -> None: ...

    @awaiting(Recorder.record_reasoning)
    def record_reasoning(self) -> None: ...

    @awaiting(Recorder.declare_side_effect)
    def declare_side_effect(self) -> None: ...

    @awaiting(Recorder.commit_side_effect)
    def commit_side_effect(self) -> None: ...

    @awaiting(Recorder.mark_side_effect_aborted)
    def mark_side_effect_aborted(self) -> None: ...

    @awaiting(Recorder.abort_pending_side_effects)
    def abort_pending_side_effects(self) -> None: ...

    @awaiting(Recorder.record_subgoal_completion)
    def record_subgoal_completion(self) -> None: ...

    @awaiting(Recorder.set_loop_detected)
    def set_loop_detected(self) -> None: ...

    @awaiting(Recorder.save_replay_fixture)
    def save_replay_fixture(self) -> None: ...

    @awaiting(Recorder.set_task_spec)
    def set_task_spec(self) -> None: ...

    @awaiting(Recorder.set_task_spec_id)
    def set_task_spec_id(self) -> None: ...

    @awaiting(Recorder.set_group_id)
    def set_group_id(self) -> None: ...

    _yielded_at = 0.0

    def step(self, step_type: str, **fields: Any) -> AsyncStepBuilder:
        """Record a step as a block: `async with session.step("click", intent="...") as step:`.

        Index, id, times, duration and status are kept by the block. An exception in it is
        recorded as a failed step and goes on.

        Args:
            step_type: What kind of step it is; also the action's type unless `step.action` says.
            **fields: Any field of a step_trace record (contract/records.md).
        """
        return AsyncStepBuilder(self, step_type, fields)

    async def announce_step(self, step_index: int, sensitive: bool = False) -> None:
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

    async def flush(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - documented
        delivered: bool = False,
    ) -> SessionStats:
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
        await _wait(core.stored(), core.wait_bound if timeout is None else timeout)
        if delivered and core.delivery is not None:
            await _wait(core.delivery.delivered(until), max(0.0, until - time.monotonic()))
        return core.stats

    def bind_intervention(
        self, adapter: object, *, poll_timeout: float = POLL_TIMEOUT
    ) -> AsyncInterventionChannel | None:
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
        return self._core.intervention.bind(
            adapter, poll_timeout, AsyncInterventionChannel, running_loop()
        )

    async def checkpoint(self) -> Checkpoint:
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
        return await wait(gate, gate.take) or Checkpoint()

    async def gate(
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
        return await point.passed()

    def killable(self) -> Killable:
        """A scope that a kill cancels at once: `async with session.killable(): ...`.

        Side effects that were declared are aborted first. In place of the cancellation comes
        `RunKilled`; let it out of the session, and the bundle closes as `halted`.

        Raises:
            RuntimeError: The session is not open.
        """
        self._require_open("killable")
        self._core.intervention.attend()
        return Killable(self._core.intervention.gate)

    async def close(
        self, status: str | None = None, *, ended_at: str | None = None
    ) -> BundleManifest:
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
        return await _shielded(self._core.close, status)

    async def __aenter__(self) -> Self:
        await _shielded(self._open)
        try:
            if self._has_prefix:
                pause = anyio.from_thread.check_cancelled
                await anyio.to_thread.run_sync(lambda: self._replay(pause))
        except BaseException:
            await _shielded(lambda: self._core.close(failed=True))
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await _shielded(lambda: self._core.close(failed=exc is not None))
        except Exception:
            if exc is None:
                raise
            logger.exception("session %s could not be closed", self.debug_session_id)

    async def _record(
        self,
        operation: Callable[Concatenate[Any, P], T],
        waits: bool,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        core = self._core
        await self._room()
        while True:
            try:
                result = core.attempt(operation, *args, **kwargs)
                break
            except ColdStepError as cold:
                await _shielded(core.warm, cold)
        await self._pace(stored=waits)
        return result

    async def _room(self) -> None:
        """Wait where records come faster than the disk takes them."""
        core = self._core
        if core.inbox.full and not core.forked:
            await _wait(core.inbox.room(), ROOM_PATIENCE)

    async def _pace(self, *, stored: bool = False) -> None:
        """After a record: wait until it is stored where that is asked for, and be a good guest."""
        core = self._core
        if stored or core.behaviour.durable:
            await _wait(core.stored(), core.wait_bound)
        elif time.monotonic() - self._yielded_at > YIELD_AFTER:
            await anyio.lowlevel.checkpoint()
            self._yielded_at = time.monotonic()


async def _wait(future: Future[None], seconds: float) -> None:
    with anyio.move_on_after(seconds):
        await ended(future)


async def _shielded(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a plain call of bounded length in a worker thread, whatever is cancelled meanwhile."""
    with anyio.CancelScope(shield=True):
        return await anyio.to_thread.run_sync(lambda: function(*args, **kwargs))
    raise AssertionError("a shielded scope that nobody cancels swallows nothing")
