"""What the demo's agent can act on: a screen that is seen as PNG, a pointer and a keyboard."""

from __future__ import annotations

from typing import Protocol

from augur_sdk.models import CoordinateSpace

__all__ = ["AsyncEnvironment", "Environment"]


class Environment(Protocol):
    """A screen that blocks while it acts, such as the embedded desktop.

    Attributes:
        backend: What carries out the actions; the record's `dispatch_backend`.
        coordinate_space: The space in which `click` takes x and y.
    """

    backend: str
    coordinate_space: CoordinateSpace

    def screenshot(self) -> bytes:
        """The screen as it is now, as PNG."""
        ...

    def click(self, x: float, y: float) -> None:
        """Click at a point of the screenshot."""
        ...

    def type(self, text: str) -> None:
        """Type text wherever the caret is."""
        ...

    def key(self, name: str) -> None:
        """Press one key by its name, such as `Enter`."""
        ...


class AsyncEnvironment(Protocol):
    """The same, awaited: a browser, for example."""

    backend: str
    coordinate_space: CoordinateSpace

    async def screenshot(self) -> bytes:
        """The screen as it is now, as PNG."""
        ...

    async def click(self, x: float, y: float) -> None:
        """Click at a point of the screenshot."""
        ...

    async def type(self, text: str) -> None:
        """Type text wherever the caret is."""
        ...

    async def key(self, name: str) -> None:
        """Press one key by its name, such as `Enter`."""
        ...
