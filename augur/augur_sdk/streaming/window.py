"""How many requests to one server may be in flight: pure, on a clock that is passed in.

As in TCP: the window doubles each round trip until the first sign of trouble (429, 5xx, no answer),
is halved by it, at most once a round trip, and from there grows by one each round trip. It grows
only while it is what limits: an idle sender learns nothing about the server.

Over HTTP/1.1 each request in flight takes a socket. Then the window alone does not decide: there
are `MAX_SOCKETS` of them, and more only for the end of a run, where with these few not everything
would be delivered in the time that is left, and with more it would (`hurry`).
"""

from __future__ import annotations

import logging
import math
import os
from typing import Final

__all__ = ["ENV_MAX_IN_FLIGHT", "MAX_IN_FLIGHT", "MAX_SOCKETS", "Window", "max_in_flight"]

logger: logging.Logger = logging.getLogger("augur_sdk")

MAX_SOCKETS: Final = 4
"""Sockets of one process to one server while it records; its host has other uses for them."""

MAX_IN_FLIGHT: Final = 32
"""Requests in flight at most; 300 of 150 ms then take a second and a half."""

MOST_IN_FLIGHT: Final = 256
"""What AUGUR_MAX_IN_FLIGHT may ask for; each may hold a chunk of a picture in memory."""

ENV_MAX_IN_FLIGHT: Final = "AUGUR_MAX_IN_FLIGHT"

SMOOTHING: Final = 0.2
"""The weight of the latest round trip in the mean."""

MARGIN: Final = 2.0
"""How much faster than needed: the window has to grow first, and round trips vary."""


class Window:
    """The requests in flight to one server.

    Args:
        most: The largest window.
        sockets: Requests in flight over HTTP/1.1 while nobody is in a hurry.
    """

    def __init__(self, most: int = MAX_IN_FLIGHT, sockets: int = MAX_SOCKETS) -> None:
        self.in_flight: int = 0
        self.multiplexed: bool = False
        self.round_trip: float = 0.0
        self._most = most
        self._sockets = min(sockets, most)
        self._needed = 0
        self._size = float(self._sockets)
        self._threshold = float(most)
        self._cut_at = float("-inf")

    def __repr__(self) -> str:
        return f"Window({self.in_flight} of {self.limit})"

    @property
    def sockets(self) -> int:
        """How many requests may be in flight as far as connections go."""
        return self._most if self.multiplexed else max(self._sockets, self._needed)

    @property
    def limit(self) -> int:
        """How many requests may be in flight now."""
        return max(1, min(int(self._size), self.sockets))

    @property
    def free(self) -> bool:
        """Whether one more may start."""
        return self.in_flight < self.limit

    def hurry(self, requests: int, seconds: float) -> None:
        """Take note that so many requests are to be answered in so many seconds.

        More sockets are taken only where they make the difference between some and all.
        """
        work = requests * self.round_trip
        if not requests:
            self._needed = 0
        elif self._sockets * seconds < work <= self._most * seconds:
            # What it has it keeps: towards the end the estimate says little.
            needed = min(self._most, math.ceil(MARGIN * work / seconds))
            self._needed = max(self._needed, needed)

    def begin(self) -> bool:
        """Take note that a request starts; returns whether the window is full with it."""
        self.in_flight += 1
        return self.in_flight >= self.limit

    def answered(self, began: float, now: float, *, full: bool) -> None:
        """The server did its work on a request that began at `began`."""
        self.in_flight -= 1
        took = now - began
        self.round_trip += (took - self.round_trip) * (SMOOTHING if self.round_trip else 1.0)
        if full and self._size < self._most:
            self._size += 1.0 if self._size < self._threshold else 1.0 / self._size
            self._size = min(self._size, float(self._most))

    def failed(self, began: float, now: float) -> None:
        """The server refused for lack of resources, or did not answer."""
        self.in_flight -= 1
        if began >= self._cut_at:
            self._cut_at = now
            self._size = max(1.0, min(self._size, self.limit) / 2)
            self._threshold = self._size

    def abandoned(self) -> None:
        """A request ended without saying anything about the server."""
        self.in_flight -= 1


def max_in_flight() -> int | None:
    """What AUGUR_MAX_IN_FLIGHT asks for; None where it asks for nothing that can be done."""
    said = os.environ.get(ENV_MAX_IN_FLIGHT, "").strip()
    if not said:
        return None
    if said.isdecimal() and 1 <= int(said) <= MOST_IN_FLIGHT:
        return int(said)
    logger.warning(
        "%s is %r, which is not a whole number from 1 to %d; it is %d",
        ENV_MAX_IN_FLIGHT,
        said[:20],
        MOST_IN_FLIGHT,
        MAX_IN_FLIGHT,
    )
    return None
