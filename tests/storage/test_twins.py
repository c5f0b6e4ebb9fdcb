"""What is remembered of uploads, so that a store copies what it has."""

from __future__ import annotations

from augur_sdk.storage.twins import Twins, one_each


def test_a_file_is_found_by_the_stamp_it_bore() -> None:
    twins = Twins[str](3)
    twins.remember("a", "1")
    assert twins.path_of("1") == "a"
    assert twins.path_of("2") is None


def test_a_file_that_changes_in_the_store_is_no_twin_any_more() -> None:
    twins = Twins[str](3)
    twins.remember("a", "1")
    assert twins.holds("a", "1")
    twins.forget("a")
    assert twins.path_of("1") is None
    assert not twins.holds("a", "1")
    twins.remember("a", "2")
    twins.remember("a", "3")
    assert (twins.path_of("2"), twins.path_of("3")) == (None, "a")


def test_a_twin_of_two_stays_when_the_other_changes() -> None:
    twins = Twins[str](3)
    twins.remember("a", "1")
    twins.remember("b", "1")
    twins.forget("a")
    assert twins.path_of("1") == "b"


def test_only_the_latest_are_remembered() -> None:
    twins = Twins[str](3)
    for number in range(6):
        twins.remember(f"p{number}", str(number))
    assert twins.path_of("2") is None
    assert twins.path_of("3") == "p3"
    assert twins.path_of("5") == "p5"


def test_each_stamp_goes_once_and_removals_all_go() -> None:
    assert one_each({"a": "1", "b": "1", "c": None, "d": None, "e": "2"}) == ["a", "c", "d", "e"]
