from __future__ import annotations

import heapq

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augur_sdk.streaming.window import (
    MAX_IN_FLIGHT,
    MAX_SOCKETS,
    Window,
    max_in_flight,
)


class Link:
    """A server on a virtual clock: each answer takes `delay`; beyond `capacity` it says 429."""

    def __init__(self, window: Window, delay: float, capacity: int = 10_000) -> None:
        self.window, self.delay, self.capacity = window, delay, capacity
        self.now = 0.0
        self.refused = 0
        self.peak = 0
        self._flying: list[tuple[float, float, bool, bool]] = []

    def deliver(self, requests: int) -> float:
        """Seconds until all are answered; what was refused goes again."""
        start = self.now
        while requests or self._flying:
            while requests and self.window.free:
                requests -= 1
                ok = self.window.in_flight < self.capacity
                full = self.window.begin()
                heapq.heappush(self._flying, (self.now + self.delay, self.now, full, ok))
            self.peak = max(self.peak, self.window.in_flight)
            self.now, began, full, ok = heapq.heappop(self._flying)
            if ok:
                self.window.answered(began, self.now, full=full)
            else:
                self.refused += 1
                requests += 1
                self.window.failed(began, self.now)
        return self.now - start


def multiplexed() -> Window:
    window = Window()
    window.multiplexed = True
    return window


def test_a_slow_link_is_filled_within_a_few_round_trips() -> None:
    link = Link(multiplexed(), delay=0.15)
    assert link.deliver(600) < 0.15 * (600 / MAX_IN_FLIGHT + 5)
    assert link.peak == MAX_IN_FLIGHT


def test_a_server_that_takes_few_at_once_is_not_flooded() -> None:
    link = Link(multiplexed(), delay=0.1, capacity=8)
    link.deliver(500)
    assert link.refused < 60
    assert link.window.limit <= 9


def test_trouble_that_was_on_its_way_together_halves_once() -> None:
    window = multiplexed()
    for _ in range(4):
        window.begin()
    for _ in range(4):
        window.failed(began=0.0, now=1.0)
    assert window.limit == 2


def test_an_idle_sender_learns_nothing() -> None:
    window = multiplexed()
    for now in range(100):
        full = window.begin()
        window.answered(now, now + 0.1, full=full)
    assert window.limit == MAX_SOCKETS


def test_over_single_connections_four_are_in_flight() -> None:
    link = Link(Window(), delay=0.2)
    link.deliver(200)
    assert link.peak == MAX_SOCKETS


def test_at_the_end_more_are_taken_where_they_deliver_everything() -> None:
    link = Link(Window(), delay=0.15)
    link.deliver(4)
    link.window.hurry(600, 5.0)
    assert link.deliver(600) < 5.0
    assert link.peak == MAX_IN_FLIGHT


@pytest.mark.parametrize(("requests", "seconds"), [(10, 5.0), (6000, 5.0), (100, 0.0)])
def test_at_the_end_no_more_are_taken_than_help(requests: int, seconds: float) -> None:
    link = Link(Window(), delay=0.2)
    link.deliver(4)
    link.window.hurry(requests, seconds)
    assert link.window.sockets == MAX_SOCKETS


@given(st.lists(st.sampled_from(["begin", "answered", "failed", "abandoned"]), max_size=200))
def test_the_window_stays_between_one_and_the_most(events: list[str]) -> None:
    window, flying, now = multiplexed(), list[tuple[float, bool]](), 0.0
    for event in events:
        now += 0.01
        if event == "begin":
            if window.free:
                flying.append((now, window.begin()))
        elif flying:
            began, full = flying.pop(0)
            if event == "answered":
                window.answered(began, now, full=full)
            elif event == "failed":
                window.failed(began, now)
            else:
                window.abandoned()
        assert 1 <= window.limit <= MAX_IN_FLIGHT
        assert window.in_flight == len(flying)


@pytest.mark.parametrize(
    ("said", "meant"), [("", None), ("8", 8), ("0", None), ("many", None), ("100000", None)]
)
def test_the_environment_bounds_the_window(
    said: str, meant: int | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AUGUR_MAX_IN_FLIGHT", said)
    assert max_in_flight() == meant
    assert bool(caplog.records) == (bool(said) and meant is None)
