from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augur_sdk.storage.upload_queue import Pace, UploadQueue, next_streak

LAST = "manifest.json"


def queue(*marked: str, limit: int = 100) -> UploadQueue:
    made = UploadQueue(LAST, limit=limit)
    for relpath in marked:
        made.mark(relpath)
    return made


def test_files_go_in_the_order_in_which_they_were_marked() -> None:
    assert queue("c", "a", "b").take(2) == ["c", "a"]


def test_a_file_marked_many_times_goes_once() -> None:
    made = queue("a", "b", "a", "a")
    assert made.take(9) == ["a", "b"]
    assert made.take(9) == []


def test_a_file_marked_while_it_is_in_flight_goes_again_afterwards() -> None:
    made = queue("a")
    assert made.take(1) == ["a"]
    made.mark("a")
    assert made.take(1) == []
    made.done("a", "1")
    assert made.take(1) == ["a"]


def test_the_last_file_waits_for_all_others() -> None:
    made = queue(LAST, "a")
    assert made.take(9) == ["a"]
    assert made.take(9) == []
    made.done("a", "1")
    assert made.take(9) == [LAST]
    made.done(LAST, "1")
    assert made.state("s").complete


def test_the_last_file_does_not_go_while_one_is_refused() -> None:
    made = queue("a", LAST)
    made.take(9)
    made.failed("a", "refused")
    assert made.take(9) == []
    state = made.state("s")
    assert (state.complete, state.failed, state.pending) == (False, {"refused": 1}, (LAST, "a"))
    made.mark("a")
    assert made.take(9) == ["a"]


def test_a_failed_file_comes_first_again() -> None:
    made = queue("a", "b", "c")
    made.take(1)
    made.failed("a", "unavailable")
    assert made.take(2) == ["a", "b"]
    assert made.state("s").failed == {"unavailable": 1}
    made.done("a", "1")
    assert made.state("s").failed == {}


def test_what_was_broken_off_is_pending_again() -> None:
    made = queue("a", "b")
    made.take(2)
    made.done("b", "1")
    made.released("a")
    made.released("b")
    assert made.state("s").pending == ("a",)


def test_a_file_that_vanished_is_forgotten() -> None:
    made = queue("a", LAST)
    made.take(1)
    made.vanished("a")
    assert made.take(9) == [LAST]


def test_beyond_its_limit_it_only_remembers_that_there_is_more() -> None:
    made = queue("a", "b", "c", LAST, limit=2)
    assert made.take(9) == ["a", "b"]
    made.done("a", "1")
    made.done("b", "1")
    assert made.take(9) == []
    assert not made.state("s").complete
    assert made.take_overflow()
    assert not made.take_overflow()


def test_marking_tells_whether_somebody_waits() -> None:
    made = queue()
    assert not made.mark("a")
    made.take(1)
    assert made.take(1) == []
    assert made.mark("b")
    assert not made.mark("c")


@given(
    st.lists(
        st.tuples(st.sampled_from(["mark", "take", "done", "fail", "release"]), st.integers(0, 5)),
        max_size=60,
    )
)
def test_no_marked_file_is_ever_lost(moves: list[tuple[str, int]]) -> None:
    made, wanted, flying = queue(), dict[str, int](), dict[str, int]()
    for move, number in moves:
        relpath = LAST if number == 5 else str(number)
        if move == "mark":
            made.mark(relpath)
            wanted[relpath] = wanted.get(relpath, 0) + 1
        elif move == "take":
            for taken in made.take(number):
                assert taken not in flying
                assert taken != LAST or not set(wanted) - {LAST}
                flying[taken] = wanted[taken]
        elif relpath in flying:
            version = flying.pop(relpath)
            if move == "done":
                made.done(relpath, "1")
                if wanted[relpath] == version:
                    del wanted[relpath]
            elif move == "fail":
                made.failed(relpath, "timeout")
            else:
                made.released(relpath)
        assert set(made.state("s").pending) == set(wanted)


@pytest.mark.parametrize(
    ("streak", "random", "seconds"),
    [
        (1, 1.0, 0.5),
        (1, 0.0, 0.25),
        (2, 1.0, 1.0),
        (5, 1.0, 8.0),
        (7, 1.0, 30.0),
        (10_000, 1.0, 30),
    ],
)
def test_waits_double_up_to_a_ceiling(streak: int, random: float, seconds: float) -> None:
    assert Pace().delay(streak, random) == seconds


@pytest.mark.parametrize(
    ("streak", "succeeded", "failed", "expected"),
    [(0, 3, 0, 0), (4, 1, 0, 0), (0, 0, 2, 1), (4, 0, 1, 5), (4, 1, 1, 1), (3, 0, 0, 0)],
)
def test_rounds_that_fail_in_a_row_are_counted(
    streak: int, succeeded: int, failed: int, expected: int
) -> None:
    assert next_streak(streak, succeeded, failed) == expected
