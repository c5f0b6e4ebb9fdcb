"""`augur doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augur_sdk.cli.exit_codes import ExitCode
from augur_sdk.cli.terminal import JSON_OPTION_HELP, busy, output, print_json

__all__ = ["command"]


def command(
    out_dir: Annotated[
        Path | None,
        typer.Argument(
            metavar="DIR", help="Where bundles go.", show_default="the working directory"
        ),
    ] = None,
    capture_mode: Annotated[
        str | None,
        typer.Option(
            help="The capture mode that sessions are given.", show_default="AUGUR_CAPTURE_MODE"
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help=JSON_OPTION_HELP)] = False,
) -> None:
    """Say why nothing shows up: DSN, credential, clock, proxy, disk, versions, capture mode.

    Reads AUGUR_DSN, asks its server once with a heartbeat, and changes nothing. Exit code 1 says
    that something is to be repaired; what, and how, is printed.
    """
    import anyio

    from augur_sdk.streaming.doctor import Check, examine

    with busy("Examining"):
        checks: list[Check] = anyio.run(lambda: examine(out_dir=out_dir, capture_mode=capture_mode))
    if json:
        print_json(
            [{"name": c.name, "ok": c.ok, "detail": c.detail, "advice": c.advice} for c in checks]
        )
    else:
        for check in checks:
            _print(check.name, check.detail, check.advice, ok=check.ok)
    raise typer.Exit(ExitCode.OK if all(check.ok for check in checks) else ExitCode.PROBLEM)


def _print(name: str, detail: str, advice: str, *, ok: bool) -> None:
    from rich.text import Text

    console = output()
    mark = Text("ok  " if ok else "FAIL", style="green" if ok else "red")
    console.print(mark.append(f"  {name}: ", style="bold").append(detail, style="default"))
    if advice and not ok:
        console.print(f"      {advice}", soft_wrap=True)
