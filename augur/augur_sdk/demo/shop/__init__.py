"""The web shop of the browser demo: a few files and a small JSON interface, on loopback only.

GET  /api/products?q=...   {"products": [...]}
POST /api/login            {"user", "password"}: 200 or 403
GET  /api/cart             {"products": [...], "total"}
POST /api/cart             {"id"}: adds an article, answers with the cart
POST /api/orders           buys what is in the cart, answers with the cart
"""

from __future__ import annotations

import io
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlsplit

import orjson

from augur_sdk.demo import catalogue
from augur_sdk.demo.perception import typeface

__all__ = ["Shop"]

TYPES: Final = {
    "index.html": "text/html; charset=utf-8",
    "shop.css": "text/css; charset=utf-8",
    "shop.js": "text/javascript; charset=utf-8",
}

MAX_BODY: Final = 65_536
"""Bytes of a request body that are read; the shop's own requests are a few dozen."""

Answer = tuple[HTTPStatus, dict[str, Any]]


class Shop:
    """A shop for one customer, served on a free port of 127.0.0.1 while the `with` block runs.

    Attributes:
        cart: Ids of the articles in the cart.
        orders: Each order that was placed, as the ids of its articles.
    """

    def __init__(self) -> None:
        self.cart: list[str] = []
        self.orders: list[list[str]] = []
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """The shop's front page.

        Raises:
            RuntimeError: The shop is not open.
        """
        if self._server is None:
            raise RuntimeError("the shop is closed; use it inside its `with` block")
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"shop": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def get(self, path: str, query: dict[str, list[str]]) -> Answer:
        """Answer a question."""
        if path == "/api/products":
            found = catalogue.search(query.get("q", [""])[0])
            return HTTPStatus.OK, {"products": catalogue.as_records(found)}
        if path == "/api/cart":
            return HTTPStatus.OK, self._cart_record()
        return HTTPStatus.NOT_FOUND, {}

    def post(self, path: str, body: dict[str, Any]) -> Answer:
        """Take an instruction."""
        if path == "/api/login":
            right = (body.get("user"), body.get("password")) == (catalogue.USER, catalogue.PASSWORD)
            return (HTTPStatus.OK if right else HTTPStatus.FORBIDDEN), {}
        if path == "/api/cart" and body.get("id") in {known.id for known in catalogue.CATALOGUE}:
            self.cart.append(body["id"])
            return HTTPStatus.OK, self._cart_record()
        if path == "/api/orders" and self.cart:
            answer = self._cart_record()
            self.orders.append(self.cart)
            self.cart = []
            return HTTPStatus.OK, answer
        return HTTPStatus.NOT_FOUND, {}

    def _cart_record(self) -> dict[str, Any]:
        products = catalogue.products(self.cart)
        total = sum(product.price for product in products)
        return {"products": catalogue.as_records(products), "total": total}


class _Handler(BaseHTTPRequestHandler):
    """One request; `shop` is the one it belongs to."""

    shop: Shop
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        name = url.path.lstrip("/") or "index.html"
        if name in TYPES:
            static = resources.files("augur_sdk.demo.shop").joinpath("static", name)
            self._send(HTTPStatus.OK, TYPES[name], static.read_bytes())
        elif name == "face.ttf":
            self._send(HTTPStatus.OK, "font/ttf", _typeface_file())
        else:
            self._answer(self.shop.get(url.path, parse_qs(url.query)))

    def do_POST(self) -> None:
        length = min(int(self.headers.get("Content-Length", 0)), MAX_BODY)
        body = orjson.loads(self.rfile.read(length) or b"{}")
        self._answer(self.shop.post(urlsplit(self.path).path, body))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited name
        """Say nothing: the demo's output is the agent's."""

    def _answer(self, answer: Answer) -> None:
        status, record = answer
        self._send(status, "application/json", orjson.dumps(record))

    def _send(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


def _typeface_file() -> bytes:
    """The typeface that Pillow brings along, as a file: the one that the agent can read."""
    source = typeface(15).path
    if isinstance(source, io.BytesIO):
        return source.getvalue()
    raise RuntimeError("this Pillow does not bring its own typeface along; expected 10.1 or later")
