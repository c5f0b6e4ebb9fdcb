"""The web shop over a real socket."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from augur_sdk.demo import catalogue
from augur_sdk.demo.shop import Shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as shop:
        yield shop


@pytest.fixture
def visitor(shop: Shop) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shop.url, trust_env=False) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("", "text/html"),
        ("shop.css", "text/css"),
        ("shop.js", "text/javascript"),
        ("face.ttf", "font/ttf"),
    ],
)
def test_the_pages_files_are_served(visitor: httpx.Client, path: str, content_type: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(content_type)
    assert answer.content


def test_the_shop_is_on_loopback_only(shop: Shop) -> None:
    assert shop.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("path", ["secrets.txt", "../__init__.py", "api/nothing", "static/"])
def test_nothing_else_is_served(visitor: httpx.Client, path: str) -> None:
    assert visitor.get(path).status_code == 404


def test_only_the_right_password_opens_it(visitor: httpx.Client) -> None:
    right = {"user": catalogue.USER, "password": catalogue.PASSWORD}
    assert visitor.post("api/login", json=right).status_code == 200
    assert visitor.post("api/login", json={**right, "password": "guess"}).status_code == 403


def test_an_order_empties_the_cart_and_is_remembered(shop: Shop, visitor: httpx.Client) -> None:
    visitor.post("api/cart", json={"id": "enamel"})
    assert visitor.get("api/cart").json()["total"] == 18
    assert visitor.post("api/orders", json={}).json()["total"] == 18
    assert (shop.cart, shop.orders) == ([], [["enamel"]])


def test_an_empty_cart_cannot_be_ordered_on_the_web(shop: Shop, visitor: httpx.Client) -> None:
    assert visitor.post("api/orders", json={}).status_code == 404
    assert shop.orders == []


def test_unknown_articles_are_refused(shop: Shop, visitor: httpx.Client) -> None:
    assert visitor.post("api/cart", json={"id": "unicorn"}).status_code == 404
    assert shop.cart == []


def test_a_search_finds_by_name(visitor: httpx.Client) -> None:
    found = visitor.get("api/products", params={"q": "MUG"}).json()["products"]
    assert [product["id"] for product in found] == ["enamel", "stone", "travel"]


def test_a_closed_shop_has_no_address() -> None:
    with pytest.raises(RuntimeError, match="closed"):
        _ = Shop().url
