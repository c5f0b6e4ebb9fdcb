"""A session's operator: the gate, and the poller that feeds it.

The poller starts with the first use of any of the means to take part (`bind_intervention`,
`checkpoint`, `gate`, `killable`): a run that uses none costs the server no connection.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

import orjson

from augur_sdk.agent_loop import AgentLoop, call_on, start_on
from augur_sdk.entry import Kind
from augur_sdk.intervention.approval import GatePolicy, Reversibility
from augur_sdk.intervention.approval_point import ApprovalPoint
from augur_sdk.intervention.command import POLL_TIMEOUT
from augur_sdk.intervention.events import restore
from augur_sdk.intervention.gate import Gate
from augur_sdk.recording.recorder import Recorder

if TYPE_CHECKING:
    from augur_sdk.intervention.channel import AsyncInterventionChannel, InterventionChannel
    from augur_sdk.intervention.poller import CommandPoller
    from augur_sdk.session.core import SessionCore

__all__ = ["Intervention"]

STOP_GRACE: Final = 0.4
"""Seconds to wait for a poll that was broken off; polling ends within half a second of close."""

C = TypeVar("C", "InterventionChannel", "AsyncInterventionChannel")


class Intervention:
    """One session's gate and poller; every method may be called from any thread.

    Args:
        core: The session.
    """

    def __init__(self, core: SessionCore) -> None:
        self._core = core
        self.gate: Gate = Gate(core.settings.run_id, _secret(core))
        self._lock = threading.Lock()
        self._poller: CommandPoller | None = None
        self._polling: Future[None] | None = None
        self._attended = False
        self._seen: list[str] = []

    # What the poller needs of a session.

    def record_event(self, event: dict[str, Any]) -> None:
        """Record a decision event of the run."""
        self._core.perform(Recorder.record_event, event)  # type: ignore[arg-type]  # built in intervention.events

    def abort_pending_side_effects(self, reason: str) -> object:
        """Abort every side effect that was declared and not committed."""
        return self._core.perform(Recorder.abort_pending_side_effects, reason)

    def effect(self, body: bytes) -> None:
        """A side effect's record: one that was committed is never allowed again."""
        record = orjson.loads(body)
        key = record.get("idempotency_key")
        if record.get("status") == "committed" and isinstance(key, str):
            self.gate.committed(key, record.get("observed_result"))

    # The agent's side.

    def bind(
        self,
        adapter: object,
        poll_timeout: float,
        channel: type[C],
        agent_loop: AgentLoop | None = None,
    ) -> C | None:
        """Let an adapter's hooks take part; None without a DSN."""
        poller = self.attend(adapter, poll_timeout, agent_loop)
        delivery = self._core.delivery
        if poller is None or delivery is None or delivery.loop is None:
            return None
        if adapter is not None:
            poller.bind(adapter, poll_timeout, agent_loop)
        return channel(poller, delivery.loop)

    def attend(
        self,
        adapter: object = None,
        poll_timeout: float = POLL_TIMEOUT,
        agent_loop: AgentLoop | None = None,
    ) -> CommandPoller | None:
        """See that commands are polled for; does not wait. None without a DSN."""
        if self._poller is not None:
            return self._poller
        delivery = self._core.delivery
        if delivery is None or self._core.forked:
            return None
        # With a DSN these are loaded when the session is made; without one nobody needs them.
        from augur_sdk.intervention.poller import CommandPoller

        with self._lock:
            loop = delivery.loop
            if not self._attended and loop is not None:
                self._attended = True
                poller = CommandPoller(
                    delivery.dsn,
                    run_id=delivery.run_id,
                    gate=self.gate,
                    host=self,
                    adapter=adapter,
                    poll_timeout=poll_timeout,
                    agent_loop=agent_loop,
                    seen=self._seen,
                )
                # Not through the portal: that waits, and this may be an agent's event loop.
                self._polling = start_on(loop, poller.run())
                self._poller = poller
            return self._poller

    def approval(
        self,
        action: Any,
        reversibility: Reversibility,
        step_index: int | None,
        key: str | None,
        policy: GatePolicy | None,
    ) -> ApprovalPoint:
        """The approval point of one action."""
        self.attend()
        return ApprovalPoint(
            self.gate,
            policy or GatePolicy(),
            self._record_approval,
            action,
            reversibility=reversibility,
            step_index=step_index,
            key=key,
        )

    def _record_approval(self, event: dict[str, Any]) -> None:
        # What waits for an operator must reach the server now; the events of a step are held
        # back until the step is stored.
        step_index = event.pop("step_index", None)
        approval = event["detail"]["approval"]
        if step_index is not None:
            approval["step_index"] = step_index
        self.record_event(event)

    # The session's side.

    def restore(self, lines: list[tuple[str, str, bytes]]) -> None:
        """Bring back what an earlier process of this session had heard.

        Args:
            lines: Kind, path and data of the journal's events and side effects, in order.
        """
        effects = {path: data for kind, path, data in lines if kind == Kind.SIDE_EFFECT}
        restored = restore(self.gate, _events(lines), map(orjson.loads, effects.values()))
        self._seen = restored.seen

    def hush(self) -> None:
        """The session is closing: nobody waits any longer. At once."""
        self.gate.close()
        delivery, poller = self._core.delivery, self._poller
        if poller is not None and delivery is not None and delivery.greeting.loop is not None:
            with suppress(RuntimeError):  # the loop is gone, and with it the poll
                call_on(delivery.greeting.loop, poller.stop)

    def end(self) -> None:
        """Wait for the poll that was broken off; not on the portal."""
        if self._polling is not None:
            with suppress(Exception):
                self._polling.result(STOP_GRACE)


def _events(lines: list[tuple[str, str, bytes]]) -> Iterator[dict[str, Any]]:
    for kind, _, data in lines:
        if kind == Kind.EVENT:
            yield orjson.loads(data)


def _secret(core: SessionCore) -> bytes:
    """The key of approval hashes: the same when the run is resumed, and not on disk with a DSN."""
    token = core.delivery.dsn.token if core.delivery is not None else ""
    name = core.settings.debug_session_id.encode()
    return hmac.new(token.encode(), name, hashlib.sha256).digest()
