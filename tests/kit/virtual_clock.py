"""An event loop whose time passes only when nothing else is left to do."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

__all__ = ["AtOnce", "run_in_virtual_time"]

P = ParamSpec("P")
T = TypeVar("T")


class _Selector(selectors.SelectSelector):
    """Waiting for a timer takes no time: the clock is put forward instead."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout is not None else None)
        if not ready and timeout is not None and timeout > 0:
            self.now += timeout
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


class AtOnce(Executor):
    """Does what it is given at once, so that no thread is waited for while time stands still."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - the future's holder sees it
            future.set_exception(error)
        return future


def run_in_virtual_time(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end; its sleeps and timeouts pass at once, in their order."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(main())
