"""Where an agent meets its operator; pure, thread-safe, and without waiting.

| state | pause | resume | kill | hint, override | a checkpoint |
|---|---|---|---|---|---|
| running | paused | - | killed | kept | returns what was kept |
| paused | - | running | killed | kept | waits |
| killed | - | - | - | dropped | raises RunKilled |
| closed | - | - | - | dropped | returns what was kept |

Waiting is elsewhere (`waiting.py`): whoever waits subscribes, and asks again at each change.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from augur_sdk.errors import RunKilled
from augur_sdk.intervention.approval import ApprovalBook, ApprovalRequest, Permit
from augur_sdk.intervention.command import HUMAN_OVERRIDE, CommandType, InterventionCommand

__all__ = ["Checkpoint", "Gate", "GateState", "Hint", "Override"]

KEPT: Final = 256
"""Hints and overrides kept for an agent that never asks; beyond it the oldest go."""


class GateState(StrEnum):
    """What the operator has decided so far."""

    RUNNING = "running"
    PAUSED = "paused"
    KILLED = "killed"
    CLOSED = "closed"


@dataclass(frozen=True)
class Hint:
    """A text for the agent to take into account."""

    text: str
    command_id: str = ""
    operator_id: str | None = None


@dataclass(frozen=True)
class Override:
    """A point that the operator chose in place of the agent's own."""

    coordinates: dict[str, float]
    command_id: str = ""
    operator_id: str | None = None
    provenance: str = HUMAN_OVERRIDE


@dataclass(frozen=True)
class Checkpoint:
    """What arrived since the last checkpoint; false when nothing did."""

    hints: tuple[Hint, ...] = ()
    overrides: tuple[Override, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.hints or self.overrides)


_NOTHING: Final = Checkpoint()


class Gate:
    """One run's gate.

    Args:
        run_id: The run.
        secret: The key of approval hashes; the same for a run and its resumption.

    Attributes:
        attended: Whether an operator can answer.
    """

    def __init__(self, run_id: str, secret: bytes = b"") -> None:
        self.attended = False
        self._lock = threading.Lock()
        self._state = GateState.RUNNING
        self._killer: InterventionCommand | None = None
        self._hints: deque[Hint] = deque(maxlen=KEPT)
        self._overrides: deque[Override] = deque(maxlen=KEPT)
        self._book = ApprovalBook(run_id, secret)
        self._listeners: set[Callable[[], None]] = set()
        self._quiet = True

    def __repr__(self) -> str:
        return f"Gate({self._state}, attended={self.attended})"

    @property
    def state(self) -> GateState:
        """What the operator has decided so far."""
        return self._state

    @property
    def killed(self) -> bool:
        """Whether the operator ended the run."""
        return self._state is GateState.KILLED

    @property
    def pending(self) -> list[ApprovalRequest]:
        """The approvals that wait for an operator."""
        with self._lock:
            return self._book.pending

    # From the operator's side.

    def apply(self, command: InterventionCommand) -> None:
        """Take in a command, and wake whoever waits; unknown types change nothing."""
        with self._lock:
            if self._state in {GateState.KILLED, GateState.CLOSED}:
                return
            self._apply(command)
            self._quiet = False
        self._wake()

    def _apply(self, command: InterventionCommand) -> None:
        who = (command.command_id, command.operator_id)
        match command.type:
            case CommandType.PAUSE:
                self._state = GateState.PAUSED
            case CommandType.RESUME:
                self._state = GateState.RUNNING
            case CommandType.KILL:
                self._state, self._killer = GateState.KILLED, command
            case CommandType.INJECT_HINT if command.text is not None:
                self._hints.append(Hint(command.text, *who))
            case CommandType.OVERRIDE_ACTION if command.coordinates is not None:
                self._overrides.append(Override(command.coordinates, *who))
            case CommandType.APPROVE | CommandType.DENY | CommandType.EDIT:
                self._book.decide(command)

    # From the agent's side.

    def take(self) -> Checkpoint | None:
        """Pass a checkpoint: what arrived, or None while the operator has paused.

        Raises:
            RunKilled: The operator ended the run.
        """
        if self._quiet:
            return _NOTHING
        with self._lock:
            self._raise_if_killed()
            if self._state is GateState.PAUSED:
                return None
            taken = Checkpoint(tuple(self._hints), tuple(self._overrides))
            self._hints.clear()
            self._overrides.clear()
            self._quiet = True
        return taken

    def ready(self) -> Literal[True] | None:
        """True when the agent may go on; None while the operator has paused.

        Raises:
            RunKilled: The operator ended the run.
        """
        with self._lock:
            self._raise_if_killed()
            return None if self._state is GateState.PAUSED else True

    def ask(
        self, action: object, *, step_index: int | None = None, key: str | None = None
    ) -> ApprovalRequest:
        """Make the question whether an action may be done (`ApprovalBook.request`)."""
        with self._lock:
            return self._book.request(action, step_index=step_index, key=key)

    def post(self, request: ApprovalRequest) -> None:
        """Let a question wait for an operator."""
        with self._lock:
            self._book.post(request)

    def withdraw(self, request: ApprovalRequest) -> None:
        """Forget a question that nobody waits for any more."""
        with self._lock:
            self._book.withdraw(request)

    def answer(self, request: ApprovalRequest) -> Permit | None:
        """The answer to a question, once; None while there is none, or the operator has paused.

        Raises:
            RunKilled: The operator ended the run.
        """
        with self._lock:
            self._raise_if_killed()
            if self._state is GateState.CLOSED:
                return self._book.permit(request, "deny", "the session is closed")
            return None if self._state is GateState.PAUSED else self._book.take(request)

    def committed(self, approval_id: str, observed_result: object = None) -> None:
        """An effect declared under this id was committed; it is never allowed again."""
        with self._lock:
            self._book.committed(approval_id, observed_result)

    def restore_decision(self, approval_id: str, digest: str, command: InterventionCommand) -> None:
        """Bring back a decision that an earlier process received and did not hand out."""
        with self._lock:
            self._book.restore(approval_id, digest, command)

    def raise_if_killed(self) -> None:
        """Raise RunKilled if the operator ended the run."""
        with self._lock:
            self._raise_if_killed()

    def _raise_if_killed(self) -> None:
        if self._killer is not None:
            raise RunKilled(self._killer.command_id, self._killer.operator_id)

    def close(self) -> None:
        """The session is over: nobody waits any longer, and nothing more is taken in."""
        with self._lock:
            if self._state is not GateState.KILLED:
                self._state = GateState.CLOSED
        self._wake()

    @contextmanager
    def subscribed(self, listener: Callable[[], None]) -> Iterator[None]:
        """Call `listener`, on whichever thread changes something, while the block runs."""
        with self._lock:
            self._listeners.add(listener)
        try:
            yield
        finally:
            with self._lock:
                self._listeners.discard(listener)

    def _wake(self) -> None:
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()
