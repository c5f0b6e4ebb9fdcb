"""`augur command RUN pause|resume|kill|hint TEXT|override X Y|approve|deny`."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import typer

from augur_sdk.cli.server_reading import ServerError, Token, Url, ask, run_path, server
from augur_sdk.cli.terminal import output

__all__ = ["command"]


def command(
    run: Annotated[str, typer.Argument(help="The run's id.")],
    verb: Annotated[str, typer.Argument(help="pause, resume, kill, hint, override, approve, deny")],
    words: Annotated[
        list[str] | None,
        typer.Argument(help="hint: a text. override: X Y. approve, deny: ID HASH."),
    ] = None,
    url: Url = "http://127.0.0.1:7400",
    token: Token = "",
) -> None:
    """Send a command to the agent of a run that is going on."""
    kind, payload = _command(verb, words or [])
    asked = {"type": kind, "payload": payload, "idempotency_key": uuid.uuid4().hex}
    with server(url, token) as client:
        sent = ask(client, "POST", run_path(run, "/commands"), json=asked).json()
    output().print(f"{sent['command_id']} {sent['state']}", soft_wrap=True, highlight=False)


def _command(verb: str, words: list[str]) -> tuple[str, dict[str, Any]]:
    match verb, words:
        case (("pause" | "resume" | "kill"), []):
            return verb, {}
        case "hint", [_, *_]:
            return "inject_hint", {"text": " ".join(words)}
        case "override", [x, y]:
            return "override_action", {"coordinates": {"x": _number(x), "y": _number(y)}}
        case (("approve" | "deny"), [approval_id, action_hash]):
            return verb, {"approval_id": approval_id, "action_hash": action_hash}
    raise ServerError(
        f"{verb} does not go with {len(words)} words; expected pause, resume, kill, hint TEXT, "
        "override X Y, approve ID HASH or deny ID HASH"
    )


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise ServerError("override: expected two numbers") from None
