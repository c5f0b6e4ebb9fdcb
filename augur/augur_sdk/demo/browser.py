"""A real Chromium, seen as screenshots and driven by mouse and keyboard, for the browser demo."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import anyio

from augur_sdk.errors import AugurError, MissingExtraError
from augur_sdk.models import CoordinateSpace

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserType, Page

__all__ = ["BrowserUnavailableError", "ChromiumScreen", "find_chromium", "open_chromium"]

EXECUTABLE_VARIABLE: Final = "AUGUR_CHROMIUM"
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
VIEWPORT: Final = (1120, 720)

SETTLING_TIME: Final = 2.0
"""Seconds that a page gets to stop changing; a page that never does is seen as it is then."""

SETTLING_STEP: Final = 0.05
"""Seconds between two looks at a page that may still be changing."""

FLAGS: Final = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
)
"""No traffic but the page's own, and text that is drawn alike on every machine."""


class BrowserUnavailableError(AugurError):
    """There is no Chromium to drive, or it does not start."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}. Install one (Debian: apt install chromium), or point {EXECUTABLE_VARIABLE} "
            "at an executable; or run the demo without --browser."
        )


def find_chromium() -> str:
    """The Chromium to drive: AUGUR_CHROMIUM when it is set, else the first one on PATH.

    Raises:
        BrowserUnavailableError: There is none.
    """
    named = os.environ.get(EXECUTABLE_VARIABLE)
    candidates = (named,) if named else NAMES
    for candidate in candidates:
        if path := shutil.which(candidate):
            return path
    raise BrowserUnavailableError(f"no Chromium found: looked for {', '.join(candidates)}")


class ChromiumScreen:
    """One page of a browser. Implements `augur_sdk.demo.environment.AsyncEnvironment`."""

    backend: str = "playwright-chromium"
    coordinate_space: CoordinateSpace = "viewport_css_px"

    def __init__(self, page: Page) -> None:
        self._page = page

    async def screenshot(self) -> bytes:
        """The page as PNG, once it has stopped changing."""
        deadline = anyio.current_time() + SETTLING_TIME
        seen = await self._page.screenshot()
        while anyio.current_time() < deadline:
            await anyio.sleep(SETTLING_STEP)
            last, seen = seen, await self._page.screenshot()
            if last == seen:
                break
        return seen

    async def click(self, x: float, y: float) -> None:
        """Click at a point of the page."""
        await self._page.mouse.click(x, y)

    async def type(self, text: str) -> None:
        """Type text on the keyboard."""
        await self._page.keyboard.type(text)

    async def key(self, name: str) -> None:
        """Press one key by its name, such as `Enter`."""
        await self._page.keyboard.press(name)


@asynccontextmanager
async def open_chromium(url: str, *, headed: bool = False) -> AsyncIterator[ChromiumScreen]:
    """Start a Chromium, open a page, and close both at the end.

    Args:
        url: The page.
        headed: Show the window.

    Raises:
        MissingExtraError: Playwright is not installed.
        BrowserUnavailableError: There is no Chromium, or it does not start.
    """
    try:
        from playwright.async_api import async_playwright
    except ImportError:
        raise MissingExtraError("driving a browser", "browser") from None
    executable = find_chromium()
    width, height = VIEWPORT
    async with async_playwright() as playwright:
        browser = await _launch(playwright.chromium, executable, headed=headed)
        try:
            page = await browser.new_page(viewport={"width": width, "height": height})
            await page.goto(url)
            yield ChromiumScreen(page)
        finally:
            await browser.close()


async def _launch(chromium: BrowserType, executable: str, *, headed: bool) -> Browser:
    from playwright.async_api import Error

    try:
        return await chromium.launch(executable_path=executable, headless=not headed, args=_flags())
    except Error as error:
        first_line = str(error).partition("\n")[0]
        raise BrowserUnavailableError(f"{executable} does not start ({first_line})") from error


def _flags() -> list[str]:
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [*FLAGS, "--no-sandbox"] if root else list(FLAGS)
