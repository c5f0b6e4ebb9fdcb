"""How the desktop looks: wallpaper, top bar, the shop's window, and its pages."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from augur_sdk.demo import catalogue
from augur_sdk.demo.desktop.art import draw_art
from augur_sdk.demo.desktop.canvas import Box, Canvas, gradient

if TYPE_CHECKING:
    from PIL import Image

    from augur_sdk.demo.desktop.state import Field, ShopState

__all__ = ["HEIGHT", "WIDTH", "draw_desktop"]

WIDTH: Final = 960
HEIGHT: Final = 640

INK: Final = "#1c2430"
MUTED: Final = "#6b7686"
LINE: Final = "#d9dfe7"
ACCENT: Final = "#1f6f5c"
PAPER: Final = "#ffffff"
GROUND: Final = "#f5f6f8"

WINDOW: Final = Box(56, 58, 848, 548)
PAGE: Final = Box(56, 96, 848, 510)
HEADER: Final = Box(56, 96, 848, 62)


def draw_desktop(state: ShopState) -> Canvas:
    """Draw the whole screen; the canvas also tells what can be clicked."""
    canvas = Canvas(_empty_window())
    if state.page == "login":
        _login(canvas, state)
    else:
        _header(canvas, state)
        {"shop": _shop, "cart": _cart, "ordered": _ordered}[state.page](canvas, state)
    if state.dialog_open:
        _dialog(canvas)
    return canvas


@lru_cache(maxsize=1)
def _empty_window() -> Image.Image:
    canvas = Canvas(gradient(WIDTH, HEIGHT))
    canvas.dim(Box(0, 0, WIDTH, 30), "#0f172a", 0.55)
    canvas.ellipse(Box(16, 9, 12, 12), "#e8b7a0")
    canvas.text((38, 15), "Desktop", "#e8ecf4", size=13)
    canvas.text((WIDTH - 18, 15), "Monday  09:41", "#e8ecf4", size=13, align="right")
    canvas.shadow(Box(56, 68, 848, 548), radius=12, blur=18, opacity=0.45)
    canvas.box(WINDOW, GROUND, radius=12)
    canvas.box(Box(56, 58, 848, 38), "#e9ecf0", radius=12)
    canvas.box(Box(56, 80, 848, 16), "#e9ecf0")
    canvas.line([(56, 96), (903, 96)], LINE)
    for offset, color in enumerate(("#ee6a5f", "#f5bd4f", "#61c454")):
        canvas.ellipse(Box(74 + 20 * offset, 71, 12, 12), color)
    canvas.text((480, 77), catalogue.BRAND, MUTED, size=13, align="center")
    return canvas.enlarged()


def _login(canvas: Canvas, state: ShopState) -> None:
    card = Box(310, 150, 340, 372)
    canvas.shadow(card, radius=14, blur=10, opacity=0.12)
    canvas.box(card, PAPER, radius=14)
    _logo(canvas, 480, 204)
    canvas.text((480, 254), "Welcome back", INK, size=22, align="center")
    canvas.text((480, 282), "Good things for the desk", MUTED, size=13, align="center")
    _field(canvas, state, Box(342, 308, 276, 44), "user", "User name")
    _field(canvas, state, Box(342, 364, 276, 44), "password", "Password")
    _button(canvas, Box(342, 428, 276, 46), "Log in", "log_in")
    note = "That is not right, try again" if state.login_failed else "Made-up shop, nothing is sold"
    canvas.text(
        (480, 498), note, "#b3372f" if state.login_failed else MUTED, size=13, align="center"
    )


def _header(canvas: Canvas, state: ShopState) -> None:
    canvas.box(HEADER, PAPER)
    canvas.line([(56, 158), (903, 158)], LINE)
    _logo(canvas, 92, 127)
    canvas.text((118, 127), catalogue.BRAND, INK, size=15)
    _field(canvas, state, Box(270, 106, 330, 42), "search", "Search the shop")
    _button(canvas, Box(610, 106, 86, 42), "Search", "search")
    cart = Box(762, 106, 118, 42)
    canvas.box(cart, PAPER, radius=9, outline=LINE, line=1.5)
    canvas.text(cart.center, f"Cart ({len(state.cart)})", INK, align="center")
    canvas.hotspot(cart, "open_cart")


def _shop(canvas: Canvas, state: ShopState) -> None:
    title = f"Results for {state.query}" if state.query else "New this week"
    canvas.text((88, 190), title, INK, size=22)
    products = state.results
    canvas.text((880, 190), f"{len(products)} articles", MUTED, size=13, align="right")
    for position, product in enumerate(products[:3]):
        _product(canvas, Box(88 + 269 * position, 218, 254, 354), product)
    if not products:
        canvas.text((480, 360), "Nothing by that name", MUTED, align="center")


def _product(canvas: Canvas, card: Box, product: catalogue.Product) -> None:
    canvas.box(card, PAPER, radius=12, outline=LINE)
    picture = Box(card.left + 12, card.top + 12, card.width - 24, 178)
    canvas.box(picture, product.tint, radius=8)
    draw_art(canvas, product.art, picture.center, product.ink, product.tint)
    left = card.left + 18
    canvas.text((left, card.top + 214), product.name, INK)
    canvas.text((left, card.top + 238), product.blurb, MUTED, size=13)
    canvas.text((left, card.top + 270), f"${product.price}", INK, size=22)
    button = Box(card.left + 12, card.bottom - 54, card.width - 24, 42)
    _button(canvas, button, "Add to cart", "add", product.id)


def _cart(canvas: Canvas, state: ShopState) -> None:
    canvas.text((88, 190), "Your cart", INK, size=22)
    products = state.cart_products
    card = Box(88, 218, 792, max(76 * len(products), 76) + 116)
    canvas.box(card, PAPER, radius=12, outline=LINE)
    for row, product in enumerate(products):
        _cart_row(canvas, card.top + 76 * row, product)
    if not products:
        canvas.text((480, card.top + 38), "Nothing in it yet", MUTED, align="center")
    total = sum(product.price for product in products)
    canvas.text((116, card.bottom - 58), f"Total  ${total}", INK, size=22)
    _button(canvas, Box(680, card.bottom - 80, 172, 46), "Place order", "order")


def _cart_row(canvas: Canvas, top: float, product: catalogue.Product) -> None:
    tile = Box(108, top + 14, 56, 52)
    canvas.box(tile, product.tint, radius=8)
    draw_art(canvas, product.art, tile.center, product.ink, product.tint, scale=0.34)
    canvas.text((184, top + 30), product.name, INK)
    canvas.text((184, top + 51), product.blurb, MUTED, size=13)
    canvas.text((852, top + 40), f"${product.price}", INK, align="right")
    canvas.line([(108, top + 80), (860, top + 80)], LINE)


def _ordered(canvas: Canvas, state: ShopState) -> None:
    canvas.ellipse(Box(444, 236, 72, 72), ACCENT)
    canvas.line([(463, 272), (476, 286), (499, 258)], PAPER, width=5)
    canvas.text((480, 348), "Order confirmed", INK, size=22, align="center")
    total = sum(product.price for product in state.ordered_products)
    canvas.text((480, 384), f"${total} in all, on its way soon", MUTED, align="center")


def _dialog(canvas: Canvas) -> None:
    canvas.dim(PAGE, "#0b1220", 0.45, foot_radius=12)
    canvas.hotspot(PAGE, "swallow")
    card = Box(302, 214, 356, 290)
    canvas.shadow(card, radius=16, blur=16, opacity=0.5)
    canvas.box(card, PAPER, radius=16)
    canvas.box(Box(450, 242, 60, 44), "#e8f1ee", radius=8)
    canvas.line([(456, 250), (480, 270), (504, 250)], ACCENT, width=3)
    canvas.text((480, 316), "Letters from the workshop", INK, size=22, align="center")
    canvas.text((480, 347), "New pieces, once a month,", MUTED, align="center")
    canvas.text((480, 369), "and 10% off your first order", MUTED, align="center")
    _button(canvas, Box(334, 396, 292, 42), "Sign me up", "swallow")
    no = Box(334, 446, 292, 38)
    canvas.text(no.center, "No thanks", ACCENT, align="center")
    canvas.hotspot(no, "dismiss")


def _logo(canvas: Canvas, x: float, y: float) -> None:
    canvas.ellipse(Box(x - 16, y - 16, 32, 32), ACCENT)
    canvas.line(
        [(x - 9, y - 2), (x - 3, y + 3), (x, y - 1), (x + 3, y + 3), (x + 9, y - 2)],
        PAPER,
        width=2.5,
    )


def _field(canvas: Canvas, state: ShopState, box: Box, name: Field, placeholder: str) -> None:
    focused = state.focus == name
    canvas.box(
        box, PAPER, radius=9, outline=ACCENT if focused else "#c3cbd6", line=2 if focused else 1
    )
    typed = state.typed[name]
    left, middle = box.left + 14, box.center[1]
    if name == "password":
        for dot in range(len(typed)):
            canvas.ellipse(Box(left + 11 * dot, middle - 3.5, 7, 7), INK)
    elif typed:
        canvas.text((left, middle), typed, INK)
    if not typed:
        canvas.text((left, middle), placeholder, MUTED)
    canvas.hotspot(box, "focus_on", name)


def _button(canvas: Canvas, box: Box, label: str, command: str, argument: str = "") -> None:
    canvas.box(box, ACCENT, radius=9)
    canvas.text(box.center, label, PAPER, align="center")
    canvas.hotspot(box, command, argument)
