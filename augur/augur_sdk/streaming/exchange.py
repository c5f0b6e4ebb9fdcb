"""One exchange for one record or several, and what follows from it for each."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from augur_sdk.streaming.content import prepare
from augur_sdk.streaming.envelope import AROUND_ITEM, MEDIA_TYPE, Letter, answers_in, packed
from augur_sdk.streaming.network import Host
from augur_sdk.streaming.outbox import Parcel
from augur_sdk.streaming.outcome import Answer, Outcome
from augur_sdk.streaming.policy import Decision, Delivered, Reason, Refused, Retry, decide
from augur_sdk.streaming.routes import ADDS_UP, Wire, compose, envelope_path, route
from augur_sdk.streaming.transport import Call, Transport

__all__ = ["Exchange", "Outcomes"]

_TAKES_NONE: Final = frozenset({400, 404, 405, 413, 415, 422, 501})
"""What says that the server takes no such envelope after all: its records go one by one."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What follows for each record, and what it says about the server."""

    each: list[Decision]
    of_host: Decision


class Exchange:
    """Makes requests of parcels, and decisions of answers.

    Args:
        run_id: The run that the records belong to.
        session_id: Makes the idempotency keys unique, with the records' numbers.
        rng: The source of jitter.
    """

    def __init__(self, run_id: str, session_id: str, rng: random.Random) -> None:
        self.requests: int = 0
        self._run_id = run_id
        self._session_id = session_id
        self._rng = rng

    async def send(self, parcels: list[Parcel], host: Host, transport: Transport) -> Outcomes:
        """Send parcels in one request; raises nothing but cancellation."""
        if len(parcels) > 1:
            return await self._send_together(parcels, host, transport)
        decision = await self._send_one(parcels[0], host, transport)
        return Outcomes([decision], decision)

    async def _send_one(self, parcel: Parcel, host: Host, transport: Transport) -> Decision:
        try:
            call = await self._call(parcel)
        except Exception:  # noqa: BLE001 - whatever keeps one record from being read, others go on
            return Refused(Reason.UNREADABLE)
        if call is None:
            return Delivered()
        self.requests += 1
        return self._decide(parcel, await transport.exchange(call), host)

    def _decide(self, parcel: Parcel, outcome: Outcome, host: Host) -> Decision:
        return decide(
            outcome,
            attempt=1 + max(parcel.attempts, host.hold.streak),
            now=datetime.now(UTC),
            rng=self._rng,
            optional_channel=parcel.kind is Wire.MODELIO,
        )

    async def _call(self, parcel: Parcel) -> Call | None:
        item = parcel.item
        target = route(item.kind, self._run_id, step_index=item.step_index, name=item.name)
        content = await item.load()
        if isinstance(content, bytes) and item.kind is not Wire.SCREENSHOT:
            body = compose(item.kind, content, step_index=item.step_index, name=item.name)
            if body is None:
                return None
            content = body
        return Call(
            target.method,
            target.path,
            content,
            picture=item.kind is Wire.SCREENSHOT,
            idempotency_key=f"{self._session_id}:{item.seq}" if item.kind in ADDS_UP else "",
        )

    # Several at once.

    async def _send_together(
        self, parcels: list[Parcel], host: Host, transport: Transport
    ) -> Outcomes:
        each: dict[Parcel, Decision] = dict.fromkeys(parcels, Retry(0.0))  # what finds no room
        letters: dict[Parcel, Letter] = {}
        room = host.capabilities.envelope_bytes
        for parcel in parcels:
            try:
                letter = await self._letter(parcel, transport)
            except Exception:  # noqa: BLE001 - as above
                each[parcel] = Refused(Reason.UNREADABLE)
                continue
            if letter is None:
                each[parcel] = Delivered()
                continue
            room -= len(letter.body) + AROUND_ITEM
            if letters and room < 0:
                break
            letters[parcel] = letter
        of_host: Decision = Refused(Reason.UNREADABLE)
        if len(letters) == 1:
            [parcel] = letters
            of_host = each[parcel] = await self._send_one(parcel, host, transport)
        elif letters:
            outcome = await self._post(letters, transport)
            of_host = self._decide(next(iter(letters)), outcome, host)
            each |= self._taken_apart(letters, outcome, of_host, host)
            if isinstance(of_host, Refused) and of_host.status in _TAKES_NONE:
                of_host = Delivered()  # it answered, and nothing is wrong with it
        return Outcomes([each[parcel] for parcel in parcels], of_host)

    async def _letter(self, parcel: Parcel, transport: Transport) -> Letter | None:
        call = await self._call(parcel)
        if call is None or call.body is None:
            return None
        content = await prepare(call.body, picture=call.picture, executor=transport.executor)
        body = b"".join([chunk async for chunk in content])
        return Letter(call.method, call.path, content.media_type, body, call.idempotency_key)

    async def _post(self, letters: dict[Parcel, Letter], transport: Transport) -> Outcome:
        self.requests += 1
        body = packed(letters.values(), self._run_id)
        path = envelope_path(self._run_id)
        return await transport.exchange(
            Call("POST", path, body, media_type=MEDIA_TYPE, wants_body=True)
        )

    def _taken_apart(
        self,
        letters: dict[Parcel, Letter],
        outcome: Outcome,
        of_host: Decision,
        host: Host,
    ) -> dict[Parcel, Decision]:
        """What follows for each; all share it where the request as a whole came to nothing."""
        if isinstance(of_host, Delivered) and isinstance(outcome, Answer):
            answers = answers_in(outcome.body, len(letters))
            if answers is not None:
                return {
                    parcel: self._decide(parcel, answer, host)
                    for parcel, answer in zip(letters, answers, strict=True)
                }
        elif not (isinstance(of_host, Refused) and of_host.status in _TAKES_NONE):
            return dict.fromkeys(letters, of_host)
        host.capabilities = replace(host.capabilities, envelope_bytes=0)
        return dict.fromkeys(letters, Retry(0.0))
