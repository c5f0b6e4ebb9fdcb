"""What is remembered of uploads, so that a store copies what it has."""

from __future__ import annotations

from augur_sdk.storage.twins import LATEST, Twins, one_each


def test_a_file_is_found_by_the_stamp_it_bore() -> None:
    twins = Twins()
    twins.uploaded("a", "1")
    assert twins.of("1") == "a"
    assert twins.of("2") is None


def test_a_file_that_changes_in_the_store_is_no_twin_any_more() -> None:
    twins = Twins()
    twins.uploaded("a", "1")
    assert twins.holds("a", "1")
    twins.changing("a")
    assert twins.of("1") is None
    assert not twins.holds("a", "1")
    twins.uploaded("a", "2")
    twins.uploaded("a", "3")
    assert (twins.of("2"), twins.of("3")) == (None, "a")


def test_a_twin_of_two_stays_when_the_other_changes() -> None:
    twins = Twins()
    twins.uploaded("a", "1")
    twins.uploaded("b", "1")
    twins.changing("a")
    assert twins.of("1") == "b"


def test_only_the_latest_are_remembered() -> None:
    twins = Twins()
    for number in range(LATEST + 3):
        twins.uploaded(f"p{number}", str(number))
    assert twins.of("2") is None
    assert twins.of("3") == "p3"
    assert twins.of(str(LATEST + 2)) == f"p{LATEST + 2}"


def test_each_stamp_goes_once_and_removals_all_go() -> None:
    assert one_each({"a": "1", "b": "1", "c": None, "d": None, "e": "2"}) == ["a", "c", "d", "e"]
