"""A scope that a kill cancels at once, even in the middle of a model call."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self

import anyio

from augur_sdk.agent_loop import AgentLoop, running_loop
from augur_sdk.intervention.gate import Gate

__all__ = ["Killable"]


class Killable(AbstractAsyncContextManager["Killable"]):
    """Cancels its body when the operator kills the run, and raises `RunKilled` in its place.

    Enter it in the task that is to be cancelled. An exception of the body's own comes out as it
    is. A body that had ended, or that swallowed the cancellation, gets `RunKilled` as well.

    Raises:
        RunKilled: On entering or leaving, when the operator has ended the run.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._scope = anyio.CancelScope()
        self._stack = contextlib.ExitStack()

    async def __aenter__(self) -> Self:
        self._gate.raise_if_killed()
        loop = running_loop()
        self._scope.__enter__()
        self._stack.enter_context(self._gate.subscribed(self._on_change(loop)))
        # A kill between the first look and the subscription told nobody.
        self._cancel_if_killed()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self._stack.close()
        handled = bool(self._scope.__exit__(kind, error, traceback))
        if error is None or handled:
            self._gate.raise_if_killed()
        return handled

    def _on_change(self, loop: AgentLoop) -> Callable[[], None]:
        def changed() -> None:
            if self._gate.killed:
                with contextlib.suppress(RuntimeError):  # the loop is gone, and with it the body
                    loop.call_soon(self._scope.cancel)

        return changed

    def _cancel_if_killed(self) -> None:
        if self._gate.killed:
            self._scope.cancel("the operator ended the run")
