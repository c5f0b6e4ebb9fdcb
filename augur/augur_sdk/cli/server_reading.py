"""What commands have in common that ask a server: where it is, and with which token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, urlsplit

import typer

from augur_sdk.errors import AugurError

if TYPE_CHECKING:
    import httpx

__all__ = ["ServerError", "Token", "Url", "ask", "run_path", "server"]

Url = Annotated[
    str,
    typer.Option("--server", envvar="AUGUR_SERVER", help="The server, as http://127.0.0.1:7400."),
]
Token = Annotated[
    str,
    typer.Option(
        envvar="AUGUR_TOKEN",
        help="A person's token: see `augur server person`.",
        show_default=False,
    ),
]


class ServerError(AugurError):
    """A server refused, or could not be reached."""


def server(url: str, token: str) -> httpx.Client:
    """A client for a server's read API.

    Raises:
        ServerError: The URL is none, or the token is absent.
    """
    import httpx

    if urlsplit(url).scheme not in {"http", "https"}:
        raise ServerError("--server is no URL; expected http:// or https://")
    if not token:
        raise ServerError("a token is needed: make one with `augur server person NAME`")
    return httpx.Client(
        base_url=f"{url.rstrip('/')}/api/v1",
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )


def run_path(run_id: str, rest: str = "") -> str:
    """The path of a run, or of something of it."""
    return f"/runs/{quote(run_id, safe='')}{rest}"


def ask(client: httpx.Client, method: str, path: str, **options: Any) -> httpx.Response:
    """Send a request.

    Raises:
        ServerError: It was refused, or nobody answered.
    """
    import httpx

    try:
        answer = client.request(method, path, **options)
    except httpx.HTTPError as error:
        raise ServerError(f"the server did not answer: {type(error).__name__}") from None
    if answer.is_error:
        raise ServerError(f"the server answered {answer.status_code}: {_detail(answer)}")
    return answer


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return answer.reason_phrase
