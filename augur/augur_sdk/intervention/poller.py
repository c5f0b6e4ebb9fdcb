"""The task that fetches an operator's commands and carries them out.

A command takes effect when its poll returns: as an event of the run and at the gate at once, then
at the adapter's hook, which may take its time. Delivery is at least once and each
`command_id` counts once, also across reconnects.

Shutdown: `stop` cancels the poll under way; hooks that still run are left to themselves.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from urllib.parse import quote

import anyio

from augur_sdk.agent_loop import AgentLoop
from augur_sdk.intervention.command import (
    POLL_TIMEOUT,
    CommandType,
    InterventionCommand,
    read_batch,
)
from augur_sdk.intervention.events import command_event
from augur_sdk.intervention.gate import Gate
from augur_sdk.intervention.hooks import HookCall, HookLane
from augur_sdk.streaming.dsn import DSN
from augur_sdk.streaming.network import current_network
from augur_sdk.streaming.outcome import Answer, Failure, Outcome, Trouble
from augur_sdk.streaming.policy import parse_retry_after
from augur_sdk.streaming.routes import commands_path
from augur_sdk.streaming.transport import Call, Transport

__all__ = ["CommandPoller", "InterventionHost", "pause_after"]

logger: logging.Logger = logging.getLogger("augur_sdk")

MIN_GAP: Final = 1.0
"""Seconds between the starts of polls that brought nothing: a server that answers at once,
be it with an error or with nothing, must not be asked in a loop."""

MAX_GAP: Final = 5.0
"""Seconds that this grows to while errors go on; an operator's stop should not wait longer."""

GAP_JITTER: Final = 0.5
"""Seconds on top, so that agents do not ask in step."""

REMEMBERED: Final = 4096
"""Command ids kept to tell repeats; servers repeat recent commands, not those of hours ago."""

KILL_REASON: Final = "killed by the operator"


class InterventionHost(Protocol):
    """What the poller needs of a session. Called on the portal: must not wait for it."""

    def record_event(self, event: dict[str, Any]) -> None:
        """Record a decision event of the run."""

    def abort_pending_side_effects(self, reason: str) -> object:
        """Abort every side effect that was declared and not committed."""


def pause_after(
    *, elapsed: float, fresh: bool, errors: int, asked: float, rng: random.Random
) -> float:
    """Seconds to wait before the next poll; pure.

    Args:
        elapsed: How long the poll took.
        fresh: Whether it brought a command that was not seen before.
        errors: How many polls in a row went wrong, this one included.
        asked: What the server asked for with `Retry-After`, or 0.
        rng: The source of jitter.
    """
    if fresh:
        return 0.0
    gap = min(MAX_GAP, MIN_GAP * 2.0 ** min(errors - 1, 10)) if errors else MIN_GAP
    if elapsed >= gap and not asked:
        return 0.0
    return max(gap - elapsed, asked) + rng.uniform(0.0, GAP_JITTER)


class CommandPoller:
    """Polls, and dispatches what comes.

    Args:
        dsn: Where the commands are.
        run_id: The run they are for.
        gate: Where they take effect.
        host: The session that records them.
        adapter: The object with the hooks, if any.
        poll_timeout: Seconds that one poll waits.
        agent_loop: The agent's event loop, for async hooks.
        seen: Ids of commands that an earlier process of this run has carried out.
        rng: The source of jitter.
    """

    def __init__(
        self,
        dsn: DSN,
        *,
        run_id: str,
        gate: Gate,
        host: InterventionHost,
        adapter: object = None,
        poll_timeout: float = POLL_TIMEOUT,
        agent_loop: AgentLoop | None = None,
        seen: Iterable[str] = (),
        rng: random.Random | None = None,
    ) -> None:
        self.received: int = 0
        self.errors: int = 0
        # Made on the agent's thread and used on the portal: anyio's would be the agent's loop's.
        self.stopped: asyncio.Event = asyncio.Event()
        self.hooks: HookLane = HookLane(adapter, agent_loop)
        self._dsn = dsn
        self._path = commands_path(run_id)
        self._gate = gate
        self._host = host
        self._poll_timeout = poll_timeout
        self._seen: OrderedDict[str, None] = OrderedDict.fromkeys(seen)
        self._rng = rng or random.Random()  # noqa: S311 - jitter is no secret
        self._cursor: str | None = None
        self._scope: anyio.CancelScope | None = None
        self._stopped = False
        # From now on, and not from the first poll: an approval point that is reached in between
        # must wait for the operator.
        gate.attended = True

    def bind(self, adapter: object, poll_timeout: float, agent_loop: AgentLoop | None) -> None:
        """Let an adapter take part from the next command on; from any thread."""
        self.hooks = HookLane(adapter, agent_loop)
        self._poll_timeout = poll_timeout

    async def run(self) -> None:
        """Poll and dispatch until stopped."""
        try:
            with anyio.CancelScope() as self._scope:
                if self._stopped:
                    return
                with current_network().polling(self._dsn) as transport:
                    async with transport, anyio.create_task_group() as tasks:
                        while True:
                            await self._turn(transport, tasks.start_soon)
        finally:
            self._gate.attended = False
            self.stopped.set()

    def stop(self) -> None:
        """End the poll under way and poll no more; on the portal."""
        self._stopped = True
        if self._scope is not None:
            self._scope.cancel("the session is closed")

    async def _turn(self, transport: Transport, start_soon: Callable[..., object]) -> None:
        started = time.monotonic()
        outcome = await self._exchange(transport)
        elapsed = time.monotonic() - started
        commands = self._read(outcome, elapsed)
        fresh = self._accept(commands or ())
        if fresh:
            start_soon(self.hooks.run, self._calls(fresh))
        await anyio.sleep(
            pause_after(
                elapsed=elapsed,
                fresh=bool(fresh),
                errors=self.errors,
                asked=_asked(outcome),
                rng=self._rng,
            )
        )

    async def _exchange(self, transport: Transport) -> Outcome:
        query = "" if self._cursor is None else f"?cursor={quote(self._cursor, safe='')}"
        call = Call("GET", self._path + query, read_timeout=self._poll_timeout, wants_body=True)
        return await transport.exchange(call)

    def _read(self, outcome: Outcome, elapsed: float) -> list[InterventionCommand] | None:
        """The commands in an answer, repeats included; None, counted, where it is an error."""
        if outcome == Failure(Trouble.TIMED_OUT) and elapsed >= self._poll_timeout * 0.9:
            self._healthy()
            return []
        batch = None
        if isinstance(outcome, Answer) and 200 <= outcome.status < 300:
            batch = read_batch(outcome.body, self._cursor)
        if batch is None:
            self._failing(outcome)
            return None
        self._healthy()
        self._cursor = batch.cursor
        return batch.commands

    def _failing(self, outcome: Outcome) -> None:
        self.errors += 1
        if self.errors == 1:
            why = outcome.trouble if isinstance(outcome, Failure) else f"answer {outcome.status}"
            logger.warning("the operator's commands cannot be fetched (%s); trying on", why)

    def _healthy(self) -> None:
        if self.errors:
            logger.info("the operator's commands are fetched again")
        self.errors = 0

    async def poll_once(self) -> list[InterventionCommand]:
        """Ask the server once; returns what it says, repeats included. Dispatches nothing."""
        with current_network().polling(self._dsn) as transport:
            async with transport:
                started = time.monotonic()
                outcome = await self._exchange(transport)
                return self._read(outcome, time.monotonic() - started) or []

    async def dispatch(self, commands: Iterable[InterventionCommand]) -> list[InterventionCommand]:
        """Carry out commands that were not seen before, and call their hooks; returns these."""
        fresh = self._accept(commands)
        await self.hooks.run(self._calls(fresh))
        return fresh

    def _accept(self, commands: Iterable[InterventionCommand]) -> list[InterventionCommand]:
        fresh = [command for command in commands if self._is_new(command.command_id)]
        for command in fresh:
            self._carry_out(command)
        self.received += len(fresh)
        return fresh

    def _is_new(self, command_id: str) -> bool:
        if command_id in self._seen:
            self._seen.move_to_end(command_id)
            return False
        self._seen[command_id] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return True

    def _carry_out(self, command: InterventionCommand) -> None:
        # The gate comes last: a killed agent may close its session in the same instant, and
        # must find every declared effect settled and the command recorded.
        if command.type == CommandType.KILL:
            self._guarded(self._host.abort_pending_side_effects, KILL_REASON)
        self._guarded(self._host.record_event, command_event(command, datetime.now(UTC)))
        self._guarded(self._gate.apply, command)

    def _guarded(self, call: Callable[[Any], object], argument: Any) -> None:
        try:
            call(argument)
        except Exception as error:  # noqa: BLE001 - one failing part must not keep a kill from the others
            logger.warning("a command was carried out in part: %s", type(error).__name__)

    def _calls(self, commands: Sequence[InterventionCommand]) -> list[HookCall]:
        return [call for command in commands if (call := self.hooks.call_for(command))]


def _asked(outcome: Outcome) -> float:
    if not isinstance(outcome, Answer) or outcome.status < 400:
        return 0.0
    now = datetime.now(UTC)
    return parse_retry_after(outcome.retry_after, date=outcome.date, now=now) or 0.0
