"""Labels are found on real screenshots by their pixels, and look-alikes are not."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from augur_sdk.demo.desktop import Desktop
from augur_sdk.demo.perception import Screen, changed_pixels


@pytest.mark.parametrize(
    ("label", "at"),
    [("User name", (391, 330)), ("Password", (390, 386)), ("Log in", (480, 451))],
)
def test_a_label_is_found_where_it_stands(
    desktop: Desktop, label: str, at: tuple[int, int]
) -> None:
    sighting = Screen(desktop.screenshot()).best(label)
    assert sighting is not None
    assert sighting.center == pytest.approx(at, abs=4)


def test_a_heading_in_larger_type_is_found(desktop: Desktop) -> None:
    assert len(Screen(desktop.screenshot()).find("Welcome back")) == 1


@pytest.mark.parametrize("label", ["Add to cart", "Cart (0)", "No thanks", "Log out", "Close"])
def test_a_label_that_is_not_there_is_not_found(desktop: Desktop, label: str) -> None:
    assert Screen(desktop.screenshot()).find(label) == []


def test_one_digit_is_told_from_another(results: Desktop) -> None:
    screen = Screen(results.screenshot())
    assert screen.find("Cart (0)")
    assert not screen.find("Cart (1)")


def test_labels_under_a_dimmed_page_are_still_seen(results: Desktop) -> None:
    assert len(Screen(results.screenshot()).find("Add to cart")) == 3


def test_equal_labels_are_told_apart_by_what_is_near(results: Desktop) -> None:
    results.state.dismiss()
    screen = Screen(_fresh(results))
    lefts = [
        sighting.left
        for name in ("Enamel mug", "Stone mug", "Travel mug")
        if (sighting := screen.best("Add to cart", near=name))
    ]
    assert lefts == sorted(set(lefts))
    assert len(lefts) == 3


def test_nothing_is_near_a_label_that_is_not_there(results: Desktop) -> None:
    assert Screen(results.screenshot()).best("Add to cart", near="Glass mug") is None


def test_a_label_larger_than_the_picture_is_not_there() -> None:
    assert Screen(_plain((20, 6))).find("Add to cart") == []


def test_an_empty_picture_shows_nothing() -> None:
    assert Screen(_plain((300, 200))).find("Log in") == []


def test_an_unchanged_screen_has_no_changed_pixels(desktop: Desktop) -> None:
    assert changed_pixels(desktop.screenshot(), desktop.screenshot()) == 0


def test_pictures_of_different_size_differ_everywhere() -> None:
    assert changed_pixels(_plain((10, 10)), _plain((20, 10))) == 200


def _plain(size: tuple[int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "white").save(buffer, "PNG")
    return buffer.getvalue()


def _fresh(desktop: Desktop) -> bytes:
    """A screenshot after the state was changed behind the desktop's back."""
    desktop.key("F5")
    return desktop.screenshot()
