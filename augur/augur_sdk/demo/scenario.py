"""What the demo's agent sets out to do: buy a mug, one small goal after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from augur_sdk.demo import catalogue

__all__ = ["Goal", "shopping_trip"]


@dataclass(frozen=True, slots=True)
class Goal:
    """One thing to do, and how one will see that it is done.

    Attributes:
        intent: In words, for the step's record.
        action: What to do; also the step's type.
        label: The text on the screen to click, for a click.
        near: Another text that tells equal labels apart: the one closest to it is meant.
        text: What to type, or the key to press.
        secret: The text must not be recorded.
        shows: A text that stands on the screen afterwards; without one, the screen has to change.
        attempt: Which try this is, from 1.
    """

    intent: str
    action: Literal["click", "type", "key"]
    label: str = ""
    near: str | None = None
    text: str = ""
    secret: bool = False
    shows: str | None = None
    attempt: int = 1

    def again(self) -> Goal:
        """The same goal, tried once more."""
        return replace(self, attempt=self.attempt + 1)


def shopping_trip() -> list[Goal]:
    """Log in, search, put a mug into the cart, order it."""
    return [
        Goal("Put the caret into the user name", "click", "User name"),
        Goal("Type the user name", "type", text=catalogue.USER, shows=catalogue.USER),
        Goal("Put the caret into the password", "click", "Password"),
        Goal("Type the password", "type", text=catalogue.PASSWORD, secret=True),
        Goal("Log in", "click", "Log in", shows="Cart (0)"),
        Goal("Put the caret into the search", "click", "Search the shop"),
        Goal("Type what to look for", "type", text="mug", shows="mug"),
        Goal("Start the search", "key", text="Enter", shows="Enamel mug"),
        Goal(
            "Put the enamel mug into the cart",
            "click",
            "Add to cart",
            near="Enamel mug",
            shows="Cart (1)",
        ),
        Goal("Open the cart", "click", "Cart (1)", shows="Place order"),
        Goal("Order", "click", "Place order", shows="Order confirmed"),
    ]
