"""What the demo's shop sells, the same in the desktop application and on the web."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final

__all__ = ["BRAND", "CATALOGUE", "PASSWORD", "USER", "Product", "as_records", "products", "search"]

BRAND: Final = "Tern & Oak"
USER: Final = "ada.wren"
PASSWORD: Final = "correct-horse"  # noqa: S105 - the made-up login of a shop that exists nowhere


@dataclass(frozen=True, slots=True)
class Product:
    """One article: its id, name, a line about it, price in dollars, picture and colours."""

    id: str
    name: str
    blurb: str
    price: int
    art: str
    tint: str
    ink: str


CATALOGUE: Final = (
    Product("lamp", "Arc lamp", "Warm light, slow evenings", 64, "lamp", "#fdf1dc", "#d98e2b"),
    Product("notebook", "Field notebook", "96 pages, lies flat", 12, "book", "#e3efe8", "#3f7f63"),
    Product("pot", "Plant pot", "Terracotta, with saucer", 22, "pot", "#f8e6df", "#bf6a4a"),
    Product("enamel", "Enamel mug", "For rain and campfires", 18, "mug", "#f9e4e1", "#c0483e"),
    Product("stone", "Stone mug", "Hand thrown, 350 ml", 24, "mug", "#e4ebf5", "#4a6fa5"),
    Product("travel", "Travel mug", "Keeps hot for six hours", 32, "tumbler", "#e6efe9", "#40695a"),
)


def search(query: str) -> list[Product]:
    """The articles whose name holds `query`; the first three of the catalogue without one."""
    wanted = query.strip().lower()
    if not wanted:
        return list(CATALOGUE[:3])
    return [product for product in CATALOGUE if wanted in product.name.lower()]


def products(ids: Iterable[str]) -> list[Product]:
    """The articles with these ids, in the order of the ids."""
    by_id = {product.id: product for product in CATALOGUE}
    return [by_id[product_id] for product_id in ids]


def as_records(products: list[Product]) -> list[dict[str, object]]:
    """The articles as plain records, for the web shop's answers."""
    return [asdict(product) for product in products]
