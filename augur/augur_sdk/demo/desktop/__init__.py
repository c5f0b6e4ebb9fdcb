"""The embedded desktop: a windowed shop that reacts to clicks and keys, and is only seen as PNG.

Nothing but pictures comes out of it, and nothing but pointer and keyboard input goes in: the
agent has no other way to learn what is on the screen, or whether a click did anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from augur_sdk.demo.desktop.state import ShopState
from augur_sdk.demo.desktop.views import draw_desktop

if TYPE_CHECKING:
    from augur_sdk.demo.desktop.canvas import Canvas
    from augur_sdk.models import CoordinateSpace

__all__ = ["Desktop"]


class Desktop:
    """A desktop with one open window. Implements `augur_sdk.demo.environment.Environment`."""

    backend: str = "embedded-desktop"
    coordinate_space: CoordinateSpace = "screenshot_px"

    def __init__(self) -> None:
        self.state: ShopState = ShopState()
        self._canvas: Canvas | None = None

    def screenshot(self) -> bytes:
        """The screen as PNG, 960 by 640 pixels."""
        return self._screen().png()

    def click(self, x: float, y: float) -> None:
        """Click at a pixel: the topmost thing that lies there reacts, or nothing does."""
        for spot in reversed(self._screen().hotspots):
            if spot.box.holds(x, y):
                self._do(spot.command, spot.argument)
                return
        self.state.focus = None

    def type(self, text: str) -> None:
        """Type text on the keyboard."""
        self.state.write(text)
        self._canvas = None

    def key(self, name: str) -> None:
        """Press one key by its name, such as `Enter`."""
        self.state.press(name)
        self._canvas = None

    def _do(self, command: str, argument: str) -> None:
        self._canvas = None
        if command != "swallow":
            action: Callable[..., None] = getattr(self.state, command)
            action(argument) if argument else action()

    def _screen(self) -> Canvas:
        if self._canvas is None:
            self._canvas = draw_desktop(self.state)
        return self._canvas
