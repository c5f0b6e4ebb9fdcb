"""Plain calls of a user's store, in threads that hold up neither a loop nor a process's end.

A pool's threads are joined when the interpreter ends; a call that hangs in one of them would keep
the agent's process from ending. These are daemons: what they are doing then is broken off.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

import anyio

from augur_sdk.agent_loop import call_on

__all__ = ["DaemonThreads"]

P = ParamSpec("P")
T = TypeVar("T")


class DaemonThreads:
    """At most `limit` calls at a time, each in a thread of its own.

    Args:
        limit: threads; whoever comes when all are busy waits for one.
    """

    def __init__(self, limit: int) -> None:
        self._places = anyio.Semaphore(limit)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a call in a thread.

        When this is cancelled, the call goes on and keeps its place until it ends.

        Raises:
            RuntimeError: the system refuses another thread.
        """
        await self._places.acquire()
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[T] = loop.create_future()

        def tell(settle: Callable[[Any], None], value: Any) -> None:
            self._places.release()
            if not outcome.done():
                settle(value)

        def work() -> None:
            try:
                told: tuple[Callable[[Any], None], Any] = (
                    outcome.set_result,
                    function(*args, **kwargs),
                )
            except BaseException as error:  # noqa: BLE001 - raised where the call is awaited
                told = outcome.set_exception, error
            with suppress(RuntimeError):  # the loop is gone, and whoever waited with it
                call_on(loop, tell, *told)

        try:
            threading.Thread(target=work, name="augur-store", daemon=True).start()
        except RuntimeError:
            self._places.release()
            raise
        return await outcome
