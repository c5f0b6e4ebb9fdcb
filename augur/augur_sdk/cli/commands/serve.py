"""`augur serve`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from augur_sdk.cli.terminal import output

if TYPE_CHECKING:
    from augur_server.serving import Ready

__all__ = ["command", "print_ready"]


def command(
    data: Annotated[Path, typer.Option(help="The folder of records and pictures.")] = Path(
        "augur-data"
    ),
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 takes a free one.")] = 7400,
    ready_file: Annotated[
        Path | None,
        typer.Option(help="Written once the server accepts: dsn, url, login_url, pid, as JSON."),
    ] = None,
    trust_clients: Annotated[
        bool, typer.Option("--trust-clients", help="Do not redact once more what arrives.")
    ] = False,
    no_modelio: Annotated[
        bool, typer.Option("--no-modelio", help="Refuse model calls (403); bundles keep them.")
    ] = False,
    behind_proxy: Annotated[
        bool,
        typer.Option("--behind-proxy", help="A proxy adds TLS: listen on other addresses too."),
    ] = False,
) -> None:
    """Run a server that agents stream to, and that commands them.

    It prints a DSN for agents (AUGUR_DSN) and where its data is. Ends on SIGTERM or ctrl-C, within
    5 s, with what was acknowledged on the disk.
    """
    from augur_sdk.errors import MissingExtraError

    try:
        from augur_server.serving import bind, serve
        from augur_server.settings import Settings
    except ImportError as error:
        raise MissingExtraError("augur serve", "server") from error

    settings = Settings(
        data=data,
        trust_clients=trust_clients,
        modelio=not no_modelio,
        secure_cookies=behind_proxy,
    )

    def on_ready(ready: Ready) -> None:
        if ready_file is not None:
            ready.write(ready_file)
        print_ready(ready, data)

    serve(settings, bind(host, port, behind_proxy=behind_proxy), on_ready=on_ready)


def print_ready(ready: Ready, data: Path) -> None:
    """Say how to reach the server; plain, so that lines can be copied whole."""
    from augur_server.app import WEB

    console = output()
    lines = {"DSN": f"AUGUR_DSN='{ready.dsn}'", "data": str(data.resolve())}
    if WEB.is_dir():  # a link to a page that is not there would be no help
        lines["open"] = ready.login_url
    for name, value in lines.items():
        console.print(f"{name:<5} {value}", soft_wrap=True, markup=False, highlight=False)
