"""Calling an adapter's hooks, which may be plain or async, slow, or broken.

Hooks are called one after the other, in the order of the commands. One that takes longer than
`PATIENCE` goes on by itself and the next one starts: an `on_pause` that blocks until `on_resume`
must not keep `on_resume` from being called.

A plain hook runs on a thread of its own, so that it may block. An async one runs on the agent's
event loop where there is one, otherwise on the portal's. What a hook raises is logged.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import anyio

from augur_sdk.agent_loop import AgentLoop, running_loop
from augur_sdk.intervention.command import HUMAN_OVERRIDE, CommandType, InterventionCommand

__all__ = ["HOOKS", "HookCall", "HookLane"]

logger: logging.Logger = logging.getLogger("augur_sdk")

PATIENCE: Final = 0.25
"""Seconds that the next hook waits for the one before it."""

HOOKS: Final[Mapping[str, str]] = {
    CommandType.PAUSE: "on_pause",
    CommandType.RESUME: "on_resume",
    CommandType.KILL: "on_kill",
    CommandType.INJECT_HINT: "on_inject_hint",
    CommandType.OVERRIDE_ACTION: "on_action_override",
}
"""Which hook a command calls; an adapter without it ignores the command."""


@dataclass(frozen=True)
class HookCall:
    """A hook and what it is called with."""

    name: str
    hook: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


class HookLane:
    """The hooks of one adapter.

    Args:
        adapter: The object with the hooks; None has none.
        agent_loop: The agent's event loop, for async hooks.
    """

    def __init__(self, adapter: object, agent_loop: AgentLoop | None) -> None:
        self.failed: int = 0
        self._adapter = adapter
        self._agent_loop = agent_loop
        self._context = contextvars.copy_context()
        # Made on the agent's thread and used on the portal: anyio's would be the agent's loop's.
        self._turn = asyncio.Lock()

    def call_for(self, command: InterventionCommand) -> HookCall | None:
        """The call that a command asks for; None where the adapter or the command has nothing."""
        name = HOOKS.get(command.type, "")
        hook = getattr(self._adapter, name, None) if name else None
        if not callable(hook):
            return None
        match command.type:
            case CommandType.INJECT_HINT:
                return HookCall(name, hook, (command.text,)) if command.text else None
            case CommandType.OVERRIDE_ACTION:
                point = command.coordinates
                given = {"provenance": HUMAN_OVERRIDE}
                return HookCall(name, hook, (point,), given) if point else None
        return HookCall(name, hook)

    async def run(self, calls: list[HookCall]) -> None:
        """Call hooks in order; returns once each has ended or was left to itself."""
        async with self._turn:
            for call in calls:
                ended = anyio.Event()
                self._start(call, _setter(ended))
                with anyio.move_on_after(PATIENCE):
                    await ended.wait()

    def _start(self, call: HookCall, ended: Callable[[], None]) -> None:
        loop = self._agent_loop or running_loop()
        if inspect.iscoroutinefunction(call.hook):
            self._start_async(call.name, partial(call.hook, *call.args, **call.kwargs), loop, ended)
            return
        body = partial(self._call_plain, call, loop, ended)
        context = self._context.copy()
        try:
            # A daemon: a hook that never returns must not keep the process from ending.
            threading.Thread(
                target=context.run, args=(body,), name=f"augur-{call.name}", daemon=True
            ).start()
        except RuntimeError:
            self._failed(call.name, "no thread could be started")
            ended()

    def _call_plain(self, call: HookCall, loop: AgentLoop, ended: Callable[[], None]) -> None:
        try:
            result = call.hook(*call.args, **call.kwargs)
        except BaseException as error:  # noqa: BLE001 - the agent's own code must not end the thread loudly
            self._failed(call.name, type(error).__name__)
            ended()
            return
        if inspect.isawaitable(result):
            self._start_async(call.name, lambda: result, loop, ended)
        else:
            ended()

    def _start_async(
        self,
        name: str,
        make: Callable[[], Awaitable[Any]],
        loop: AgentLoop,
        ended: Callable[[], None],
    ) -> None:
        def done(future: Future[None]) -> None:
            error = None if future.cancelled() else future.exception()
            if error is not None:
                self._failed(name, type(error).__name__)
            ended()

        try:
            loop.start(make, self._context.copy()).add_done_callback(done)
        except RuntimeError:
            self._failed(name, "the agent's event loop is closed")
            ended()

    def _failed(self, name: str, why: str) -> None:
        self.failed += 1
        logger.warning("the adapter's %s failed: %s; the run goes on", name, why)


def _setter(event: anyio.Event) -> Callable[[], None]:
    """Sets an event of this loop from any thread."""
    loop = running_loop()

    def set_event() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone, and with it who waited
            loop.call_soon(event.set)

    return set_event
