"""The guard around every hook: what a hook raises never reaches the framework that called it."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

__all__ = ["Guard"]

logger: logging.Logger = logging.getLogger("augur_sdk")

P = ParamSpec("P")
T = TypeVar("T")


class Guard:
    """Calls hooks so that an `Exception` in one is logged once a hook and counted, never raised.

    Cancellation and exits (`BaseException`) pass through: they belong to the framework.

    Attributes:
        failures: How often each hook failed, by its name.
    """

    def __init__(self, framework: str) -> None:
        self.framework = framework
        self.failures: dict[str, int] = {}

    def call(self, hook: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """The hook's result, or None when it raised."""
        try:
            return hook(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  a hook may fail in any way; the run goes on
            self._failed(hook, error)
            return None

    async def await_call(self, hook: Callable[..., Any], *args: Any) -> None:
        """Call a hook and await what it returns, if that can be awaited."""
        try:
            result = hook(*args)
            if inspect.isawaitable(result):
                await result
        except Exception as error:  # noqa: BLE001  a hook may fail in any way; the run goes on
            self._failed(hook, error)

    def _failed(self, hook: Callable[..., Any], error: Exception) -> None:
        name = getattr(hook, "__name__", repr(hook))
        self.failures[name] = self.failures.get(name, 0) + 1
        if self.failures[name] == 1:
            logger.warning(
                "%s: the hook %s failed (%s); the run goes on without what it would have recorded",
                self.framework,
                name,
                type(error).__name__,
            )
