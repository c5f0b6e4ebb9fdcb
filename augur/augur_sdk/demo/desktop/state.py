"""What the desktop's shop knows: the page that is open, what was typed, what is in the cart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from augur_sdk.demo import catalogue

__all__ = ["Field", "Page", "ShopState"]

Page = Literal["login", "shop", "cart", "ordered"]
Field = Literal["user", "password", "search"]


@dataclass(slots=True)
class ShopState:
    """The shop's state; every method is one thing that a click or a key can do.

    The newsletter dialog opens with the first search, as such dialogs do, and takes all clicks
    until it is dismissed.
    """

    page: Page = "login"
    focus: Field | None = None
    typed: dict[Field, str] = field(
        default_factory=lambda: {"user": "", "password": "", "search": ""}
    )
    login_failed: bool = False
    query: str = ""
    dialog_open: bool = False
    dialog_seen: bool = False
    cart: list[str] = field(default_factory=list)
    ordered: list[str] = field(default_factory=list)

    @property
    def results(self) -> list[catalogue.Product]:
        """The articles on show."""
        return catalogue.search(self.query)

    @property
    def cart_products(self) -> list[catalogue.Product]:
        """The articles in the cart, in the order they were added."""
        return catalogue.products(self.cart)

    @property
    def ordered_products(self) -> list[catalogue.Product]:
        """The articles of the order that was placed."""
        return catalogue.products(self.ordered)

    def focus_on(self, name: Field) -> None:
        """Put the caret into a field."""
        self.focus = name

    def write(self, text: str) -> None:
        """Type into the field that has the caret; without one the keys go nowhere."""
        if self.focus is not None:
            self.typed[self.focus] += text

    def press(self, key: str) -> None:
        """Press Enter, Tab, Backspace or Escape; other keys do nothing."""
        if key == "Enter":
            self._submit()
        elif key == "Backspace" and self.focus is not None:
            self.typed[self.focus] = self.typed[self.focus][:-1]
        elif key == "Tab":
            self.focus = "password" if self.focus == "user" else self.focus
        elif key == "Escape":
            self.dismiss()

    def log_in(self) -> None:
        """Open the shop, if user and password are right."""
        user, password = self.typed["user"], self.typed["password"]
        self.login_failed = (user, password) != (catalogue.USER, catalogue.PASSWORD)
        if not self.login_failed:
            self.page, self.focus = "shop", None

    def search(self) -> None:
        """Show what matches the typed words; the first time, the newsletter gets in the way."""
        self.query, self.page, self.focus = self.typed["search"], "shop", None
        if not self.dialog_seen:
            self.dialog_open = self.dialog_seen = True

    def dismiss(self) -> None:
        """Close the newsletter dialog."""
        self.dialog_open = False

    def add(self, product_id: str) -> None:
        """Put an article into the cart."""
        self.cart.append(product_id)

    def open_cart(self) -> None:
        """Show the cart."""
        self.page, self.focus = "cart", None

    def order(self) -> None:
        """Buy what is in the cart."""
        if self.cart:
            self.page, self.ordered, self.cart = "ordered", self.cart, []

    def _submit(self) -> None:
        if self.page == "login":
            self.log_in()
        elif self.focus == "search":
            self.search()
