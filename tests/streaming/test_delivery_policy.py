"""What follows from each outcome: read the tables as the specification."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augur_sdk.streaming.outcome import Answer, Failure, Trouble
from augur_sdk.streaming.policy import (
    BACKOFF_CAP,
    BACKOFF_FLOOR,
    RETRY_AFTER_CAP,
    Blame,
    Closed,
    Decision,
    Delivered,
    Reason,
    Refused,
    Retry,
    backoff_ceiling,
    decide,
    parse_retry_after,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
LATER = "Sun, 01 Mar 2026 12:00:30 GMT"
EARLIER = "Sun, 01 Mar 2026 11:59:00 GMT"


def jitter(seed: int = 0) -> random.Random:
    return random.Random(seed)  # noqa: S311 - jitter is no secret


def after(
    status: int, *, retry_after: str = "", attempt: int = 1, modelio: bool = False
) -> Decision:
    return decide(
        Answer(status, retry_after=retry_after),
        attempt=attempt,
        now=NOW,
        rng=jitter(),
        optional_channel=modelio,
    )


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_accepted(status: int) -> None:
    assert after(status) == Delivered()


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, Reason.BAD_REQUEST),
        (401, Reason.CREDENTIAL),
        (403, Reason.CREDENTIAL),
        (404, Reason.UNKNOWN),
        (405, Reason.REJECTED),
        (409, Reason.REJECTED),
        (410, Reason.REJECTED),
        (413, Reason.TOO_LARGE),
        (415, Reason.UNSUPPORTED),
        (422, Reason.UNPROCESSABLE),
        (451, Reason.REJECTED),
    ],
)
def test_refused_for_good_whatever_the_attempt(status: int, reason: Reason) -> None:
    for attempt in (1, 2, 50):
        assert after(status, attempt=attempt, retry_after="1") == Refused(reason, status)


def test_only_what_may_change_outside_is_worth_a_later_push() -> None:
    assert {reason for reason in Reason if reason.may_pass_later} == {
        Reason.CREDENTIAL,
        Reason.UNREADABLE,
    }


def test_a_403_on_modelio_closes_that_channel() -> None:
    assert after(403, modelio=True) == Closed(403)
    assert after(401, modelio=True) == Refused(Reason.CREDENTIAL, 401)


@pytest.mark.parametrize(
    ("status", "blame"),
    [
        (301, Blame.HOST),
        (302, Blame.HOST),
        (307, Blame.HOST),
        (308, Blame.HOST),
        (407, Blame.HOST),
        (408, Blame.HOST),
        (425, Blame.HOST),
        (429, Blame.HOST),
        (500, Blame.UNCLEAR),
        (501, Blame.UNCLEAR),
        (502, Blame.HOST),
        (503, Blame.HOST),
        (504, Blame.HOST),
        (599, Blame.UNCLEAR),
    ],
)
def test_tried_again(status: int, blame: Blame) -> None:
    decision = after(status)
    assert isinstance(decision, Retry)
    assert decision.blame is blame
    assert decision.asked == 0


@pytest.mark.parametrize("trouble", [t for t in Trouble if t is not Trouble.UNREADABLE])
def test_no_answer_is_the_hosts_trouble(trouble: Trouble) -> None:
    decision = decide(Failure(trouble), attempt=1, now=NOW, rng=jitter())
    assert isinstance(decision, Retry)
    assert decision.blame is Blame.HOST


def test_a_file_that_is_gone_is_refused() -> None:
    decision = decide(Failure(Trouble.UNREADABLE), attempt=1, now=NOW, rng=jitter())
    assert decision == Refused(Reason.UNREADABLE)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("1", 1.0),
        (" 60 ", 60.0),
        ("1.5", 1.5),
        ("+3", 3.0),
        ("1e9", RETRY_AFTER_CAP),
        ("1000000000", RETRY_AFTER_CAP),
        ("9" * 400, RETRY_AFTER_CAP),
        (LATER, 30.0),
        (EARLIER, 0.0),
        ("Sun, 01 Mar 2099 12:00:30 GMT", RETRY_AFTER_CAP),
        ("", None),
        ("-1", None),
        ("-1e9", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("1_000", None),
        ("1 2", None),
        ("0x10", None),
        ("\uff19", None),
        ("Sun, 99 Zzz 2026 12:00:30 GMT", None),
        ("\x00", None),
    ],
)
def test_retry_after_is_read(text: str, seconds: float | None) -> None:
    assert parse_retry_after(text, now=NOW) == seconds


def test_a_date_is_measured_against_the_servers_own_clock() -> None:
    skewed = "Sun, 01 Mar 2026 12:00:20 GMT"
    assert parse_retry_after(LATER, date=skewed, now=NOW) == 10.0
    assert parse_retry_after(LATER, date="no date", now=NOW) == 30.0


@pytest.mark.parametrize("status", [429, 503, 500, 307])
@pytest.mark.parametrize("asked", ["0", "1", "60", LATER, "1e9"])
@pytest.mark.parametrize("attempt", [1, 5])
def test_never_earlier_than_asked_and_jitter_on_top(status: int, asked: str, attempt: int) -> None:
    seconds = parse_retry_after(asked, now=NOW)
    assert seconds is not None
    waits = set()
    for seed in range(20):
        decision = decide(
            Answer(status, retry_after=asked), attempt=attempt, now=NOW, rng=jitter(seed)
        )
        assert isinstance(decision, Retry)
        assert decision.asked == seconds
        assert decision.after >= seconds + BACKOFF_FLOOR
        assert decision.after <= seconds + max(BACKOFF_CAP, min(seconds / 10, 30))
        waits.add(decision.after)
    assert len(waits) > 10


@pytest.mark.parametrize("junk", ["-1", "soon", "nan"])
def test_junk_falls_back_to_backoff(junk: str) -> None:
    decision = after(429, retry_after=junk)
    assert isinstance(decision, Retry)
    assert decision.asked == 0
    assert BACKOFF_FLOOR <= decision.after <= backoff_ceiling(1)


def test_the_ceiling_doubles_up_to_the_cap() -> None:
    assert [backoff_ceiling(n) for n in range(1, 7)] == [0.25, 0.5, 1.0, 2.0, 3.0, 3.0]
    assert backoff_ceiling(10_000) == BACKOFF_CAP


@given(
    status=st.integers(0, 999),
    retry_after=st.text(max_size=40),
    date=st.text(max_size=40),
    attempt=st.integers(1, 10**6),
    seed=st.integers(0, 2**32),
)
def test_every_answer_has_a_decision_with_a_bounded_wait(
    status: int, retry_after: str, date: str, attempt: int, seed: int
) -> None:
    decision = decide(Answer(status, retry_after, date), attempt=attempt, now=NOW, rng=jitter(seed))
    if isinstance(decision, Retry):
        assert BACKOFF_FLOOR <= decision.after <= RETRY_AFTER_CAP + 30
        assert decision.after > decision.asked
