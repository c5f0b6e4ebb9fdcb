"""What to do after each attempt to deliver a record; pure, and a table.

| outcome | decision |
|---|---|
| 2xx | delivered |
| 400, 404, 413, 415, 422, any other 4xx | refused: settled, the bundle keeps it |
| 401, 403 | waits; settled as refused once the same credential is accepted for another record |
| 403 on modelio | the modelio channel closes: settled as refused, with all that would follow |
| 408, 425, 429, 502, 503, 504, 3xx, no answer | again; the host is in trouble, all wait |
| 407 | again; the proxy's trouble |
| other 5xx | again; the host's trouble or the record's own, so others get their turn as well |
| the file cannot be read | waits for a push: there is nothing to send |

The wait is exponential with full jitter. `Retry-After` is never undercut: the jitter comes on
top of it. A redirect counts as trouble because following one would hand out the token.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

from augur_sdk.streaming.outcome import Answer, Failure, Outcome, Trouble

__all__ = [
    "BACKOFF_BASE",
    "BACKOFF_CAP",
    "RETRY_AFTER_CAP",
    "Blame",
    "Closed",
    "Decision",
    "Delivered",
    "Hold",
    "HoldTicket",
    "Reason",
    "Refused",
    "Retry",
    "backoff_ceiling",
    "decide",
    "parse_retry_after",
]

BACKOFF_BASE: Final = 0.25
"""Seconds: the most that the first retry waits; a blip costs a viewer nothing."""

BACKOFF_CAP: Final = 3.0
"""Seconds: what the wait grows to. With the read timeout it keeps catching up within 10 s of a
server's recovery; one probe in that time, from each process, is no load."""

BACKOFF_FLOOR: Final = 0.05
"""Seconds: full jitter may come out at nothing, and a retry in the same instant is no retry."""

RETRY_AFTER_CAP: Final = 3600.0
"""Seconds: longer requests are taken for a mistake (1e9 would mean never)."""

RETRY_AFTER_JITTER_CAP: Final = 30.0
"""Seconds: enough to spread a fleet after a long maintenance."""

_SECONDS = re.compile(r"\+?[0-9]{1,400}(\.[0-9]{0,400})?([eE]\+?[0-9]{1,4})?")
_HOST_STATUS: Final = frozenset({407, 408, 425, 429, 502, 503, 504})


class Reason(StrEnum):
    """Why a record will not be sent again by this session; a closed set, used in counts."""

    BAD_REQUEST = "bad_request"
    CREDENTIAL = "credential"
    UNKNOWN = "unknown"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    UNPROCESSABLE = "unprocessable"
    REJECTED = "rejected"
    CHANNEL_CLOSED = "channel_closed"
    UNREADABLE = "unreadable"

    @property
    def may_pass_later(self) -> bool:
        """Whether the same record could be accepted once something outside has changed."""
        return self in {Reason.CREDENTIAL, Reason.UNREADABLE}


_REFUSALS: Final = {
    400: Reason.BAD_REQUEST,
    401: Reason.CREDENTIAL,
    403: Reason.CREDENTIAL,
    404: Reason.UNKNOWN,
    413: Reason.TOO_LARGE,
    415: Reason.UNSUPPORTED,
    422: Reason.UNPROCESSABLE,
}


class Blame(StrEnum):
    """Whose trouble a failed attempt shows."""

    HOST = "host"
    UNCLEAR = "unclear"
    """An internal error: the host's, or of this one record."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The server has it."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Send it again, `after` seconds from now at the earliest.

    `asked` is how long the server asked for (0 when it did not).
    """

    after: float
    asked: float = 0.0
    blame: Blame = Blame.HOST


@dataclass(frozen=True, slots=True)
class Refused:
    """Do not send it again; `status` is 0 when nothing was sent."""

    reason: Reason
    status: int = 0


@dataclass(frozen=True, slots=True)
class Closed:
    """The server wants no records of this kind from this session."""

    status: int


Decision = Delivered | Retry | Refused | Closed


def decide(
    outcome: Outcome,
    *,
    attempt: int,
    now: datetime,
    rng: random.Random,
    optional_channel: bool = False,
) -> Decision:
    """Decide what follows from an attempt.

    Args:
        outcome: What came of it.
        attempt: How many attempts in a row have failed, this one included; from 1.
        now: The wall clock, timezone-aware, for a `Retry-After` date.
        rng: The source of jitter.
        optional_channel: Whether a 403 speaks about the kind of record (modelio).
    """
    if isinstance(outcome, Failure):
        return _after_failure(outcome.trouble, attempt, rng)
    status = outcome.status
    if 200 <= status < 300:
        return Delivered()
    if status == 403 and optional_channel:
        return Closed(status)
    if 400 <= status < 500 and status not in _HOST_STATUS:
        return Refused(_REFUSALS.get(status, Reason.REJECTED), status)
    return _after_answer(outcome, attempt, now, rng)


def _after_failure(trouble: Trouble, attempt: int, rng: random.Random) -> Decision:
    if trouble is Trouble.UNREADABLE:
        return Refused(Reason.UNREADABLE)
    return Retry(_jittered(backoff_ceiling(attempt), rng))


def _after_answer(answer: Answer, attempt: int, now: datetime, rng: random.Random) -> Retry:
    ceiling = backoff_ceiling(attempt)
    asked = parse_retry_after(answer.retry_after, date=answer.date, now=now)
    if asked is not None:
        spread = min(max(ceiling, asked / 10), RETRY_AFTER_JITTER_CAP)
        return Retry(asked + _jittered(spread, rng), asked=asked)
    of_host = answer.status in _HOST_STATUS or answer.status < 500
    return Retry(_jittered(ceiling, rng), blame=Blame.HOST if of_host else Blame.UNCLEAR)


def backoff_ceiling(attempt: int) -> float:
    """The longest wait after `attempt` failures in a row, in seconds."""
    return min(BACKOFF_CAP, BACKOFF_BASE * 2.0 ** min(attempt - 1, 30))


def _jittered(ceiling: float, rng: random.Random) -> float:
    return max(BACKOFF_FLOOR, rng.uniform(0.0, ceiling))


def parse_retry_after(text: str, *, date: str = "", now: datetime) -> float | None:
    """Read a `Retry-After` header: seconds to wait, or None where it says nothing usable.

    A date is measured against the answer's own `Date` header, so that a wrong clock on either
    side does not matter; without one, against `now`.
    """
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), RETRY_AFTER_CAP)
    when = _http_date(text)
    if when is None:
        return None
    return min(max((when - (_http_date(date) or now)).total_seconds(), 0.0), RETRY_AFTER_CAP)


def _http_date(text: str) -> datetime | None:
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class HoldTicket:
    """An attempt under way; they are numbered in the order in which they started."""

    number: int


class Hold:
    """When the senders of one host may send; shared by all of them.

    | state | a sender may start | ends |
    |---|---|---|
    | open | yes | a failure |
    | in doubt | yes; a `Retry-After` may be about one record | an acceptance, or another one |
    | held | no | its time has passed |
    | probing | one, the others wait for what comes of it | the probe's outcome |

    A `Retry-After` delays what it was said of. Only when the next that is sent gets one as well
    is it the host that wants nothing, and everybody waits. A success opens it again, except that
    a time the server asked everybody for is always waited out. Times are of one monotonic clock,
    in seconds.
    """

    def __init__(self) -> None:
        self.streak: int = 0
        self._until = float("-inf")
        self._asked_until = float("-inf")
        self._probe: HoldTicket | None = None
        self._started = 0
        self._doubtful_from: int | None = None

    def __repr__(self) -> str:
        return f"Hold(streak={self.streak}, probing={self._probe is not None})"

    def wait(self, now: float) -> float:
        """Seconds until a sender may start: 0 is now, infinity until a probe's outcome is known."""
        if now < self._until:
            return self._until - now
        return float("inf") if self._probe is not None and self.streak else 0.0

    def asked_wait(self, now: float) -> float:
        """Seconds left of what the server itself asked for."""
        return max(0.0, self._asked_until - now)

    def begin(self) -> HoldTicket:
        """Take note that a sender starts; returns its ticket."""
        self._started += 1
        ticket = HoldTicket(self._started)
        if self.streak:
            self._probe = ticket
        return ticket

    def answered(self, ticket: HoldTicket, now: float) -> None:
        """The host did its work, be it an acceptance or a refusal."""
        self.abandoned(ticket)
        self.streak = 0
        self._doubtful_from = None
        self._until = self._asked_until if self._asked_until > now else float("-inf")

    def failed(self, ticket: HoldTicket, retry: Retry, now: float) -> None:
        """The host is in trouble.

        Attempts that were on their way together count as one failure, or four senders would
        reach the longest wait four times as fast.
        """
        self.abandoned(ticket)
        if retry.asked and self._may_be_the_records(ticket):
            return
        if now >= self._until:
            self.streak += 1
        self._until = max(self._until, now + retry.after)
        if retry.asked:
            self._asked_until = max(self._asked_until, now + retry.after)

    def _may_be_the_records(self, ticket: HoldTicket) -> bool:
        """Whether nobody has been told to wait who started after the first that was told so."""
        if self.streak:
            return False
        if self._doubtful_from is None:
            self._doubtful_from = self._started
        return ticket.number <= self._doubtful_from

    def abandoned(self, ticket: HoldTicket) -> None:
        """The attempt ended without saying anything about the host."""
        if self._probe is ticket:
            self._probe = None
