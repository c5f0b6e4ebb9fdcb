"""`augur pull RUN DIR`."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path
from typing import Annotated

import typer

from augur_sdk.bundle import layout
from augur_sdk.cli.server_reading import ServerError, Token, Url, ask, run_path, server
from augur_sdk.cli.terminal import output

__all__ = ["command"]


def command(
    run: Annotated[str, typer.Argument(help="The run's id.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is not there yet.")],
    url: Url = "http://127.0.0.1:7400",
    token: Token = "",
) -> None:
    """Fetch a run's bundle from a server into a folder."""
    if folder.exists() and any(folder.iterdir()):
        raise ServerError(f"{folder} is not empty; expected a folder of its own for the bundle")
    with server(url, token) as client:
        answer = ask(client, "GET", run_path(run, "/bundle.zip"))
    with zipfile.ZipFile(BytesIO(answer.content)) as archive:
        names = archive.namelist()
        for name in names:
            _unpack(archive, name, folder)
    output().print(f"{len(names)} files in {folder}", soft_wrap=True, markup=False)


def _unpack(archive: zipfile.ZipFile, name: str, folder: Path) -> None:
    if not layout.belongs(name) or ".." in name.split("/"):
        raise ServerError("the server sent a path that no bundle has")
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(archive.read(name))
