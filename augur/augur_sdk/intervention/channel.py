"""The channel that `bind_intervention` returns: the poller, from the agent's side."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from augur_sdk.agent_loop import call_on, ended, start_on
from augur_sdk.intervention.command import InterventionCommand
from augur_sdk.intervention.poller import CommandPoller

__all__ = ["AsyncInterventionChannel", "InterventionChannel"]

T = TypeVar("T")


class _Channel:
    def __init__(self, poller: CommandPoller, loop: asyncio.AbstractEventLoop) -> None:
        self._poller = poller
        self._loop = loop

    def __repr__(self) -> str:
        return f"{type(self).__name__}(received={self.received}, errors={self.errors})"

    @property
    def received(self) -> int:
        """Commands carried out, each once."""
        return self._poller.received

    @property
    def errors(self) -> int:
        """Polls in a row that went wrong; 0 when the channel is healthy."""
        return self._poller.errors

    def stop(self) -> None:
        """Stop to poll; closing the session does so too. From any thread, at once."""
        with contextlib.suppress(RuntimeError):  # the loop is gone, and with it the poll
            call_on(self._loop, self._poller.stop)


class InterventionChannel(_Channel):
    """The operator's line to a `DebugSession`; polls by itself in the background."""

    def poll_once(self) -> list[InterventionCommand]:
        """Ask the server once, besides the polling in the background.

        Blocks until the server answers or the poll timeout ends. Never raises for the server's
        sake: an error is an empty list.

        Returns:
            What the server said, repeats included, to be passed to `dispatch`.
        """
        return self._run(self._poller.poll_once())

    def dispatch(self, commands: Iterable[InterventionCommand]) -> list[InterventionCommand]:
        """Carry out commands, as if they had come from the server.

        Each `command_id` counts once. Returns when the hooks have ended; one that blocks is
        waited for briefly and left to itself.

        Returns:
            Those that were carried out, without repeats.
        """
        return self._run(self._poller.dispatch(list(commands)))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return start_on(self._loop, work).result()


class AsyncInterventionChannel(_Channel):
    """The operator's line to an `AsyncDebugSession`; polls by itself in the background."""

    async def poll_once(self) -> list[InterventionCommand]:
        """Ask the server once (`InterventionChannel.poll_once`), without blocking the loop."""
        return await self._run(self._poller.poll_once())

    async def dispatch(self, commands: Iterable[InterventionCommand]) -> list[InterventionCommand]:
        """Carry out commands (`InterventionChannel.dispatch`), without blocking the loop."""
        return await self._run(self._poller.dispatch(list(commands)))

    async def _run(self, work: Coroutine[Any, Any, T]) -> T:
        future = start_on(self._loop, work)
        try:
            await ended(future)
        except BaseException:
            future.cancel()
            raise
        return future.result()
