"""`augur runs`."""

from __future__ import annotations

from typing import Annotated

import typer

from augur_sdk.cli.server_reading import Token, Url, ask, server
from augur_sdk.cli.terminal import JSON_OPTION_HELP, output, print_json, printable

__all__ = ["command"]


def command(
    status: Annotated[str, typer.Option(help="Only runs of this status.")] = "",
    client: Annotated[str, typer.Option(help="Only runs of this client.")] = "",
    text: Annotated[str, typer.Option(help="Only runs in which this text stands.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many, at most.")] = 50,
    json: Annotated[bool, typer.Option("--json", help=JSON_OPTION_HELP)] = False,
    url: Url = "http://127.0.0.1:7400",
    token: Token = "",
) -> None:
    """List the runs on a server, latest first."""
    wanted = {"status": status, "client": client, "text": text, "limit": limit}
    with server(url, token) as connection:
        found = ask(connection, "GET", "/runs", params=wanted).json()["runs"]
    if json:
        print_json(found)
        return
    for run in found:
        line = f"{run['status']:<11} {run['step_count']:>6}  {run['client']:<20}  {run['run_id']}"
        output().print(printable(line), soft_wrap=True, markup=False, highlight=False)
