"""Times of an imported run: the log's own, and made-up but repeatable ones where it has none."""

from __future__ import annotations

import datetime
from typing import Final

from augur_sdk.times import utc_text

__all__ = ["EPOCH", "LogClock"]

EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
"""Where a run without any time begins: recognizably not a real one, and the same everywhere."""

TICK: Final = datetime.timedelta(seconds=1)
"""Messages without a time follow each other a second apart, which keeps their order."""


class LogClock:
    """Gives each message of a log a time; the same log always gives the same times."""

    def __init__(self, start: datetime.datetime | None) -> None:
        self._now = start or EPOCH
        self._started = False
        self.synthetic: bool = start is None
        """Whether no time so far came from the log."""

    def advance(self, at: datetime.datetime | None) -> str:
        """The time of the next message: its own, else one tick after the one before."""
        if at is not None:
            self._now, self.synthetic = at, False
        elif self._started:
            self._now += TICK
        self._started = True
        return self.now

    @property
    def now(self) -> str:
        """The time of the latest message."""
        return utc_text(self._now)
