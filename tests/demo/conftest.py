"""A desktop to look at and to click on."""

from __future__ import annotations

from typing import Protocol

import pytest

from augur_sdk.demo import catalogue
from augur_sdk.demo.desktop import Desktop
from augur_sdk.demo.perception import Screen


class Click(Protocol):
    def __call__(self, label: str, *, near: str | None = None) -> None: ...


@pytest.fixture
def anyio_backend() -> str:
    """The agent is the same on every loop; the sessions' own tests run on all of them."""
    return "asyncio"


@pytest.fixture
def desktop() -> Desktop:
    return Desktop()


@pytest.fixture
def click(desktop: Desktop) -> Click:
    """Click where a label is seen on the desktop's screenshot."""

    def click(label: str, *, near: str | None = None) -> None:
        sighting = Screen(desktop.screenshot()).best(label, near=near)
        assert sighting is not None, f"{label} is not on the screen"
        desktop.click(*sighting.center)

    return click


@pytest.fixture
def results(desktop: Desktop, click: Click) -> Desktop:
    """The desktop just after the search, with the dialog over the results."""
    click("User name")
    desktop.type(catalogue.USER)
    click("Password")
    desktop.type(catalogue.PASSWORD)
    click("Log in")
    click("Search the shop")
    desktop.type("mug")
    desktop.key("Enter")
    return desktop
