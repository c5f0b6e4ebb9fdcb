"""Ids of any characters in a path: routes are matched on the path as it was sent.

Decoded before matching, an encoded slash within a run's id would look like a separator.
"""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import unquote

from fastapi import Depends, HTTPException, Path
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["EncodedPaths", "RunId", "decoded"]

MAX_ID: Final = 1024
"""Characters of a run's id."""


class EncodedPaths:
    """Middleware that leaves the path encoded."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http" and (raw := scope.get("raw_path")):
            scope["path"] = raw.partition(b"?")[0].decode("latin-1")
        await self._app(scope, receive, send)


def decoded(segment: str) -> str:
    """A segment of a path as the client meant it.

    Raises:
        HTTPException: It is no UTF-8 text, or holds a character that no database keeps.
    """
    text = unquote(segment, errors="replace")
    if "\0" in text or "\ufffd" in text or len(text) > MAX_ID:
        raise HTTPException(422, f"path: expected UTF-8 of at most {MAX_ID} characters without NUL")
    return text


async def _run(run_id: Annotated[str, Path(description="Any text, percent-encoded.")]) -> str:
    return decoded(run_id)


RunId = Annotated[str, Depends(_run)]
"""A route's run, decoded."""
