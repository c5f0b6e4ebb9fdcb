"""The event loop that the agent runs, seen from any thread: asyncio, uvloop or trio.

The package's own tasks run on a loop of their own. What reaches over to the agent's goes through
here: waking a task that waits, running an async hook there.
"""

from __future__ import annotations

import contextlib
import contextvars
import sys
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import asyncio

    import trio

__all__ = [
    "AgentLoop",
    "AsyncioLoop",
    "TrioLoop",
    "call_on",
    "ended",
    "is_on_event_loop",
    "running_loop",
    "start_on",
]

T = TypeVar("T")


class AgentLoop(Protocol):
    """A running event loop, to be used from other threads."""

    def call_soon(self, function: Callable[[], object]) -> None:
        """Call it on the loop, soon. RuntimeError when the loop is gone."""
        ...

    def start(
        self, make: Callable[[], Awaitable[Any]], context: contextvars.Context
    ) -> Future[None]:
        """Await what `make` makes, in a task of the loop. RuntimeError when the loop is gone."""
        ...


class AsyncioLoop:
    """A loop of asyncio's, or uvloop's."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def call_soon(self, function: Callable[[], object]) -> None:
        """Call it on the loop, soon. RuntimeError when the loop is gone."""
        self._loop.call_soon_threadsafe(function)

    def start(
        self, make: Callable[[], Awaitable[Any]], context: contextvars.Context
    ) -> Future[None]:
        """Await what `make` makes, in a task of the loop. RuntimeError when the loop is gone."""
        import asyncio

        body = _awaited(make)
        try:
            return context.run(asyncio.run_coroutine_threadsafe, body, self._loop)
        except RuntimeError:
            body.close()
            raise


class TrioLoop:
    """A run of trio's."""

    def __init__(self, token: trio.lowlevel.TrioToken) -> None:
        self._token = token

    def call_soon(self, function: Callable[[], object]) -> None:
        """Call it on the loop, soon. RuntimeError when the loop is gone."""
        self._token.run_sync_soon(function)

    def start(
        self, make: Callable[[], Awaitable[Any]], context: contextvars.Context
    ) -> Future[None]:
        """Await what `make` makes, in a task of the loop. RuntimeError when the loop is gone."""
        import trio

        result: Future[None] = Future()

        async def body() -> None:
            try:
                await _awaited(make)
            except trio.Cancelled:
                result.cancel()
                raise
            except BaseException as error:  # noqa: BLE001 - it would end the agent's trio run
                result.set_exception(error)
            else:
                result.set_result(None)

        spawn = partial(trio.lowlevel.spawn_system_task, body, context=context)
        self._token.run_sync_soon(spawn)
        return result


async def _awaited(make: Callable[[], Awaitable[Any]]) -> None:
    await make()


def call_on(loop: asyncio.AbstractEventLoop, function: Callable[..., object], *args: Any) -> None:
    """Call a plain function on the package's own loop, soon; from any thread.

    With an empty context: the agent's says which kind of loop it runs, and anyio goes by that.

    Raises:
        RuntimeError: The loop is gone.
    """
    loop.call_soon_threadsafe(function, *args, context=contextvars.Context())


def start_on(loop: asyncio.AbstractEventLoop, body: Coroutine[Any, Any, T]) -> Future[T]:
    """Start a task of the package's own on its loop, from any thread.

    With an empty context, as `call_on`.

    Raises:
        RuntimeError: The loop is gone.
    """
    import asyncio

    return contextvars.Context().run(asyncio.run_coroutine_threadsafe, body, loop)


def running_loop() -> AgentLoop:
    """The loop that runs on this thread.

    Raises:
        RuntimeError: None does.
    """
    if "trio" in sys.modules:
        import trio

        with contextlib.suppress(RuntimeError):
            return TrioLoop(trio.lowlevel.current_trio_token())
    import asyncio

    return AsyncioLoop(asyncio.get_running_loop())


def is_on_event_loop() -> bool:
    """Whether an event loop runs on this thread."""
    try:
        running_loop()
    except RuntimeError:
        return False
    return True


async def ended(future: Future[Any]) -> None:
    """Wait on the running loop until a future of another thread is done, however it ends."""
    import anyio

    done = anyio.Event()
    loop = running_loop()

    def wake(_: Future[Any]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone, and with it who waited
            loop.call_soon(done.set)

    future.add_done_callback(wake)
    await done.wait()
