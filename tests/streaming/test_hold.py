from __future__ import annotations

import math

from augur_sdk.streaming.policy import Hold, Retry


def test_an_untroubled_host_takes_everybody() -> None:
    hold = Hold()
    for _ in range(4):
        assert hold.wait(0.0) == 0
        hold.begin()


def test_a_failure_holds_everybody_for_its_time() -> None:
    hold = Hold()
    hold.failed(hold.begin(), Retry(after=2.0), now=10.0)
    assert hold.wait(10.5) == 1.5
    assert hold.wait(12.0) == 0


def test_one_probe_at_a_time_once_the_time_has_passed() -> None:
    hold = Hold()
    hold.failed(hold.begin(), Retry(after=2.0), now=10.0)
    probe = hold.begin()
    assert hold.wait(12.5) == math.inf
    hold.answered(probe, now=13.0)
    assert hold.wait(13.0) == 0
    assert hold.streak == 0


def test_a_failed_probe_starts_the_next_interval() -> None:
    hold = Hold()
    hold.failed(hold.begin(), Retry(after=2.0), now=10.0)
    hold.failed(hold.begin(), Retry(after=3.0), now=12.5)
    assert hold.streak == 2
    assert hold.wait(12.5) == 3.0


def test_failures_that_were_on_their_way_together_count_once() -> None:
    hold = Hold()
    tickets = [hold.begin() for _ in range(4)]
    for ticket in tickets:
        hold.failed(ticket, Retry(after=1.0), now=10.0)
    assert hold.streak == 1


ASKED = Retry(after=61.0, asked=60.0)


def test_one_request_that_is_told_to_wait_holds_nobody() -> None:
    hold = Hold()
    together = [hold.begin() for _ in range(4)]
    for ticket in together:
        hold.failed(ticket, ASKED, now=0.0)
    assert hold.wait(0.0) == 0
    hold.answered(hold.begin(), now=1.0)
    hold.failed(hold.begin(), ASKED, now=2.0)
    assert hold.wait(2.0) == 0


def told_twice() -> Hold:
    hold = Hold()
    hold.failed(hold.begin(), ASKED, now=0.0)
    hold.failed(hold.begin(), ASKED, now=0.0)
    return hold


def test_when_the_next_one_is_told_so_too_everybody_waits() -> None:
    assert told_twice().wait(0.0) == 61.0


def test_a_success_opens_a_backoff_but_not_what_the_server_asked_for() -> None:
    hold = told_twice()
    hold.answered(hold.begin(), now=1.0)
    assert hold.wait(1.0) == 60.0
    assert hold.asked_wait(1.0) == 60.0
    assert hold.wait(61.0) == 0


def test_a_shorter_answer_does_not_cut_a_longer_hold() -> None:
    hold = told_twice()
    hold.failed(hold.begin(), Retry(after=0.1), now=0.0)
    assert hold.wait(0.0) == 61.0


def test_an_abandoned_probe_lets_the_next_one_go() -> None:
    hold = Hold()
    hold.failed(hold.begin(), Retry(after=1.0), now=0.0)
    probe = hold.begin()
    hold.abandoned(probe)
    assert hold.wait(1.0) == 0


def test_the_outcome_of_a_straggler_does_not_end_the_probe() -> None:
    hold = Hold()
    straggler = hold.begin()
    hold.failed(hold.begin(), Retry(after=1.0), now=0.0)
    hold.begin()
    hold.failed(straggler, Retry(after=1.0), now=0.5)
    assert hold.wait(5.0) == math.inf


def test_a_success_opens_even_while_another_attempt_is_taken_for_the_probe() -> None:
    hold = Hold()
    hold.failed(hold.begin(), Retry(after=1.0), now=0.0)
    probe, heartbeat = hold.begin(), hold.begin()
    assert hold.wait(1.0) == math.inf
    hold.answered(probe, now=1.0)
    assert hold.wait(1.0) == 0
    hold.answered(heartbeat, now=1.1)
    assert hold.wait(1.1) == 0
