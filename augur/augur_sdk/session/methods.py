"""One source for both classes: a Recorder method becomes a blocking and an awaitable method.

Signature, defaults and docstring are the Recorder method's own; type checkers see them through
the descriptor types below, and at run time each is a plain function. What is decorated is a
declaration: it gives the name its place in the class, and nothing of its body is used.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from augur_sdk.recording.settling import settles

if TYPE_CHECKING:
    from augur_sdk.session.aio import AsyncDebugSession
    from augur_sdk.session.blocking import DebugSession

__all__ = ["AsyncMethod", "BlockingMethod", "awaiting", "blocking", "declared_as"]

Owner = TypeVar("Owner")
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


class AsyncMethod(Generic[Owner, P, T]):
    """How type checkers see an awaitable method of a class, declared from a plain one."""

    if TYPE_CHECKING:

        @overload
        def __get__(
            self, instance: None, owner: type
        ) -> Callable[Concatenate[Owner, P], Awaitable[T]]: ...

        @overload
        def __get__(self, instance: Owner, owner: type) -> Callable[P, Awaitable[T]]: ...

        def __get__(self, instance: Any, owner: type) -> Any: ...


def blocking(
    operation: Callable[Concatenate[Any, P], T],
) -> Callable[[Callable[..., Any]], BlockingMethod[P, T]]:
    """Declare a name of `DebugSession` as the blocking form of a Recorder method."""
    waits = settles(operation)

    @functools.wraps(operation)
    def method(self: DebugSession, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._record(operation, waits, *args, **kwargs)

    return declared_as(method)


def awaiting(
    operation: Callable[Concatenate[Any, P], T],
) -> Callable[[Callable[..., Any]], AsyncMethod[AsyncDebugSession, P, T]]:
    """Declare a name of `AsyncDebugSession` as the awaitable form of a Recorder method."""
    waits = settles(operation)

    @functools.wraps(operation)
    async def method(self: AsyncDebugSession, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._record(operation, waits, *args, **kwargs)

    return declared_as(method)


def declared_as(method: Any) -> Callable[[Callable[..., Any]], Any]:
    """Put a method in the place of a declaration of the same name."""

    def replace(declaration: Callable[..., Any]) -> Any:
        if declaration.__name__ != method.__name__:
            raise TypeError(f"{declaration.__name__} is declared as {method.__name__}")
        method.__qualname__ = declaration.__qualname__
        method.__module__ = declaration.__module__
        return method

    return replace
