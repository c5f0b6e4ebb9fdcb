"""Both session classes behind one blocking face, so that one test holds for both."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from anyio.from_thread import BlockingPortal

from augur_sdk import AsyncDebugSession

Open = Callable[..., Any]


class Awaited:
    """An `AsyncDebugSession` whose calls are awaited on an event loop of their own."""

    def __init__(self, portal: BlockingPortal, session: AsyncDebugSession) -> None:
        self._portal = portal
        self._session = session

    def __enter__(self) -> Self:
        self._portal.call(self._session.__aenter__)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._portal.call(self._session.__aexit__, exc_type, exc, traceback)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._session, name)
        if not inspect.iscoroutinefunction(value):
            return value
        return lambda *args, **kwargs: self._portal.call(functools.partial(value, *args, **kwargs))


def faced(portal: BlockingPortal, session: Any) -> Any:
    """A session of either class, to be used with `with`."""
    return Awaited(portal, session) if isinstance(session, AsyncDebugSession) else session
