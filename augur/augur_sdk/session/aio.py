"""`AsyncDebugSession`: the same recording methods, awaited."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Concatenate, Final, ParamSpec, Self, TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread

from augur_sdk.models import BundleManifest
from augur_sdk.recording.recorder import Recorder
from augur_sdk.recording.settling import settles
from augur_sdk.recording.table import ColdStepError
from augur_sdk.session.base import SessionBase
from augur_sdk.session.core import ROOM_PATIENCE
from augur_sdk.session.methods import awaiting
from augur_sdk.session.stats import SessionStats
from augur_sdk.session.step_builder import AsyncStepBuilder

__all__ = ["AsyncDebugSession"]

logger = logging.getLogger("augur_sdk")

P = ParamSpec("P")
T = TypeVar("T")

YIELD_AFTER: Final = 0.002
"""Seconds after which a burst of calls lets the loop's other tasks run."""


class AsyncDebugSession(SessionBase):  # noqa: D101 - its docstring is put together below
    __doc__ = (
        (SessionBase.__doc__ or "")
        + """
    Use it with `async with`, on asyncio or uvloop. No call does I/O on the event loop.
    """
    )

    record_step = awaiting(Recorder.record_step)
    record_step_iteration = awaiting(Recorder.record_step_iteration)
    record_event = awaiting(Recorder.record_event)
    attach_observation = awaiting(Recorder.attach_observation)
    set_status = awaiting(Recorder.set_status)
    add_tag = awaiting(Recorder.add_tag)
    set_live_endpoints = awaiting(Recorder.set_live_endpoints)
    set_capture_mode = awaiting(Recorder.set_capture_mode)
    append_log = awaiting(Recorder.append_log)
    attach_verifier = awaiting(Recorder.attach_verifier)
    set_costs = awaiting(Recorder.set_costs)
    set_step_costs = awaiting(Recorder.set_step_costs)
    set_score = awaiting(Recorder.set_score)
    record_modelio = awaiting(Recorder.record_modelio)
    set_step_versions = awaiting(Recorder.set_step_versions)
    attach_env_fingerprint = awaiting(Recorder.attach_env_fingerprint)
    record_judge_decision = awaiting(Recorder.record_judge_decision)
    mark_for_eval = awaiting(Recorder.mark_for_eval)
    finalize_outcome = awaiting(Recorder.finalize_outcome)
    successful_task_cost_summary = awaiting(Recorder.successful_task_cost_summary)
    record_reasoning = awaiting(Recorder.record_reasoning)
    declare_side_effect = awaiting(Recorder.declare_side_effect)
    commit_side_effect = awaiting(Recorder.commit_side_effect)
    mark_side_effect_aborted = awaiting(Recorder.mark_side_effect_aborted)
    abort_pending_side_effects = awaiting(Recorder.abort_pending_side_effects)
    record_subgoal_completion = awaiting(Recorder.record_subgoal_completion)
    set_loop_detected = awaiting(Recorder.set_loop_detected)
    set_task_spec = awaiting(Recorder.set_task_spec)
    set_task_spec_id = awaiting(Recorder.set_task_spec_id)
    set_group_id = awaiting(Recorder.set_group_id)

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

    async def flush(self, timeout: float | None = None) -> SessionStats:  # noqa: ASYNC109 - documented
        """Wait until everything recorded so far is stored.

        Args:
            timeout: Seconds to wait at most. Without one the wait is bounded too, so that a
                failing disk cannot hold the agent.

        Returns:
            The counts; `queued` says what is not stored yet, `pending` what is not delivered.
        """
        core = self._core
        await _wait(core.stored(), core.wait_bound if timeout is None else timeout)
        return core.stats

    async def close(self, status: str | None = None) -> BundleManifest:
        """Finish the bundle: everything recorded is stored, projected and signed.

        Bounded in time whatever the disk does. A second call returns the same manifest, or
        tries again where the disk refused the first time.

        Args:
            status: The run's terminal status. Without it `running` becomes `succeeded`.

        Raises:
            ValueError: Not a run status.
            RuntimeError: The session was never opened.
        """
        return await _shielded(self._core.close, status)

    async def __aenter__(self) -> Self:
        await _shielded(self._open)
        if self._has_prefix:
            pause = anyio.from_thread.check_cancelled
            await anyio.to_thread.run_sync(lambda: self._replay(pause))
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
        self, operation: Callable[Concatenate[Any, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        core = self._core
        if core.inbox.full and not core.forked:
            await _wait(core.inbox.room(), ROOM_PATIENCE)
        while True:
            try:
                result = core.attempt(operation, *args, **kwargs)
                break
            except ColdStepError as cold:
                await _shielded(core.warm, cold)
        core.after_call()
        if core.behaviour.durable or settles(operation):
            await _wait(core.stored(), core.wait_bound)
        elif time.monotonic() - self._yielded_at > YIELD_AFTER:
            await asyncio.sleep(0)
            self._yielded_at = time.monotonic()
        return result


async def _wait(future: Future[None], seconds: float) -> None:
    with anyio.move_on_after(seconds):
        await asyncio.wrap_future(future)


async def _shielded(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a plain call of bounded length in a worker thread, whatever is cancelled meanwhile."""
    with anyio.CancelScope(shield=True):
        return await anyio.to_thread.run_sync(lambda: function(*args, **kwargs))
    raise AssertionError("a shielded scope that nobody cancels swallows nothing")
