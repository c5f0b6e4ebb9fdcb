"""One source for both classes: a Recorder method becomes a blocking and an awaitable method.

Signature, defaults and docstring are the Recorder method's own; type checkers see them through
the descriptor types below, and at run time each is a plain function.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, cast, overload

if TYPE_CHECKING:
    from augur_sdk.session.aio import AsyncDebugSession
    from augur_sdk.session.blocking import DebugSession

__all__ = ["AsyncMethod", "BlockingMethod", "awaiting", "blocking"]

P = ParamSpec("P")
T = TypeVar("T")


class BlockingMethod(Generic[P, T]):
    """How type checkers see a recording method of `DebugSession`."""

    if TYPE_CHECKING:

        @overload
        def __get__(
            self, session: None, owner: type
        ) -> Callable[Concatenate[DebugSession, P], T]: ...

        @overload
        def __get__(self, session: DebugSession, owner: type) -> Callable[P, T]: ...

        def __get__(self, session: Any, owner: type) -> Any: ...


class AsyncMethod(Generic[P, T]):
    """How type checkers see a recording method of `AsyncDebugSession`."""

    if TYPE_CHECKING:

        @overload
        def __get__(
            self, session: None, owner: type
        ) -> Callable[Concatenate[AsyncDebugSession, P], Awaitable[T]]: ...

        @overload
        def __get__(self, session: AsyncDebugSession, owner: type) -> Callable[P, Awaitable[T]]: ...

        def __get__(self, session: Any, owner: type) -> Any: ...


def blocking(operation: Callable[Concatenate[Any, P], T]) -> BlockingMethod[P, T]:
    """The blocking method for a Recorder method."""

    @functools.wraps(operation)
    def method(self: DebugSession, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._record(operation, *args, **kwargs)

    return cast("BlockingMethod[P, T]", _as_declared(method))


def awaiting(operation: Callable[Concatenate[Any, P], T]) -> AsyncMethod[P, T]:
    """The awaitable method for a Recorder method."""

    @functools.wraps(operation)
    async def method(self: AsyncDebugSession, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._record(operation, *args, **kwargs)

    return cast("AsyncMethod[P, T]", _as_declared(method))


def _as_declared(method: Any) -> Any:
    method.__qualname__ = method.__name__
    return method
