"""The desktop reacts to what is clicked, and to nothing else."""

from __future__ import annotations

from collections.abc import Callable

from augur_sdk.demo.desktop import Desktop
from augur_sdk.demo.perception import Screen


def test_the_same_state_gives_the_same_bytes(desktop: Desktop) -> None:
    assert desktop.screenshot() == Desktop().screenshot()


def test_typing_without_a_caret_does_nothing(desktop: Desktop) -> None:
    before = desktop.screenshot()
    desktop.type("ada")
    assert desktop.screenshot() == before


def test_a_click_beside_everything_takes_the_caret_away(
    desktop: Desktop, click: Callable[[str], None]
) -> None:
    click("User name")
    desktop.click(5, 600)
    desktop.type("ada.wren")
    assert not Screen(desktop.screenshot()).find("ada.wren")


def test_a_wrong_password_stays_outside_and_says_so(
    desktop: Desktop, click: Callable[[str], None]
) -> None:
    click("User name")
    desktop.type("ada")
    desktop.key("Tab")
    desktop.type("guess")
    desktop.key("Enter")
    screen = Screen(desktop.screenshot())
    assert screen.find("That is not right, try again")
    assert screen.find("Log in")


def test_backspace_takes_back_a_letter(desktop: Desktop, click: Callable[[str], None]) -> None:
    click("User name")
    desktop.type("adam")
    desktop.key("Backspace")
    assert desktop.state.typed["user"] == "ada"


def test_the_dialog_swallows_clicks_meant_for_the_page(
    results: Desktop, click: Callable[[str], None]
) -> None:
    before = results.screenshot()
    click("Search")
    assert results.screenshot() == before
    assert results.state.cart == []


def test_the_dialog_comes_once(results: Desktop, click: Callable[[str], None]) -> None:
    click("No thanks")
    click("Search")
    assert not Screen(results.screenshot()).find("No thanks")


def test_a_search_that_finds_nothing_says_so(
    results: Desktop, click: Callable[[str], None]
) -> None:
    results.key("Escape")
    click("mug")
    results.type("s and gowns")
    click("Search")
    assert Screen(results.screenshot()).find("Nothing by that name")


def test_an_empty_cart_cannot_be_ordered(results: Desktop, click: Callable[[str], None]) -> None:
    click("No thanks")
    click("Cart (0)")
    click("Place order")
    screen = Screen(results.screenshot())
    assert screen.find("Nothing in it yet")
    assert not screen.find("Order confirmed")
