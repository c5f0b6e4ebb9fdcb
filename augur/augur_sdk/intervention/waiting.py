"""Waiting at the gate: on an event loop, or on a thread of the agent's."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from augur_sdk.agent_loop import AgentLoop, running_loop
from augur_sdk.intervention.gate import Gate

if TYPE_CHECKING:
    import anyio


__all__ = ["wait", "wait_blocking"]

T = TypeVar("T")

INTERRUPTIBLE: Final = 0.5
"""Seconds; some systems only notice Ctrl-C between waits."""


async def wait(gate: Gate, ask: Callable[[], T | None], patience: float | None = None) -> T | None:
    """Ask until there is an answer, again at each change of the gate.

    Args:
        gate: What changes.
        ask: Gives the answer, or None to wait on; what it raises comes out here.
        patience: Seconds to wait at most; None waits for as long as it takes.

    Returns:
        The answer, or None when the time is over.
    """
    answer = ask()
    if answer is not None:
        return answer
    import anyio  # loaded long ago by whoever runs a loop; an agent without one needs it not

    loop = running_loop()
    with anyio.move_on_after(patience):
        while True:
            changed = anyio.Event()
            with gate.subscribed(_thread_safe(loop, changed)):
                answer = ask()
                if answer is not None:
                    return answer
                await changed.wait()
    return ask()


def _thread_safe(loop: AgentLoop, event: anyio.Event) -> Callable[[], None]:
    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone, and with it who waited
            loop.call_soon(event.set)

    return wake


def wait_blocking(
    gate: Gate, ask: Callable[[], T | None], patience: float | None = None
) -> T | None:
    """The same on the calling thread; a KeyboardInterrupt ends it."""
    answer = ask()
    if answer is not None:
        return answer
    changed = threading.Event()
    deadline = float("inf") if patience is None else time.monotonic() + patience
    with gate.subscribed(changed.set):
        while (answer := ask()) is None and time.monotonic() < deadline:
            changed.wait(min(INTERRUPTIBLE, max(0.0, deadline - time.monotonic())))
            changed.clear()
    return answer
