"""`augur server ...`: looking after a server's data, beside it or while it runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from augur_sdk.cli.exit_codes import ExitCode
from augur_sdk.cli.terminal import output

if TYPE_CHECKING:
    from augur_server.keeping import Keeper

__all__ = ["group"]

group: typer.Typer = typer.Typer(
    name="server", help="Look after a server's data.", no_args_is_help=True
)
key: typer.Typer = typer.Typer(
    name="key", help="Keys with which agents write.", no_args_is_help=True
)
group.add_typer(key)

Data = Annotated[Path, typer.Option(help="The server's folder.")]
_DATA = Path("augur-data")
_Role = Literal["viewer", "operator", "admin"]


@key.command("add")
def add_key(name: str, data: Data = _DATA, tenant: str = "default") -> None:
    """Make a key; it is shown this once."""
    _say(_with(data, lambda keeper: keeper.access.add_key(tenant, name)))


@key.command("ls")
def list_keys(data: Data = _DATA, tenant: str = "default") -> None:
    """List the keys: number, name, whether it is revoked."""
    for row in _with(data, lambda keeper: keeper.access.list_keys(tenant)):
        _say(f"{row['id']:>4}  {'revoked' if row['revoked'] else 'valid':<8} {row['name']}")


@key.command("revoke")
def revoke_key(number: int, data: Data = _DATA, tenant: str = "default") -> None:
    """End a key; a running server refuses it within 5 s."""
    if not _with(data, lambda keeper: keeper.access.revoke_key(tenant, number)):
        _say("there is no such key, or it is revoked already")
        raise typer.Exit(ExitCode.PROBLEM)


@group.command()
def person(name: str, role: _Role = "viewer", data: Data = _DATA, tenant: str = "default") -> None:
    """Make a person's token, with the role viewer, operator or admin; it is shown this once."""
    _say(_with(data, lambda keeper: keeper.access.add_person(tenant, name, role)))


@group.command()
def backup(target: Path, data: Data = _DATA) -> None:
    """Copy records and pictures to a new folder, consistently, while the server runs."""
    files = _with(data, lambda keeper: keeper.backup(target))
    _say(f"{files} pictures and the database in {target}")


@group.command()
def check(data: Data = _DATA) -> None:
    """Read every record and picture. Exit code 1 says that something is missing or damaged."""
    faults = _with(data, lambda keeper: keeper.check())
    for fault in faults:
        _say(fault)
    raise typer.Exit(ExitCode.PROBLEM if faults else ExitCode.OK)


@group.command()
def du(data: Data = _DATA) -> None:
    """Say what takes how much space, in bytes."""
    for name, size in _with(data, lambda keeper: keeper.sizes()).items():
        _say(f"{size:>15}  {name}")


@group.command()
def sweep(
    days: Annotated[float | None, typer.Option("--keep-days", help="Age, in days.")] = None,
    size: Annotated[int | None, typer.Option("--keep-bytes", help="Bytes in all.")] = None,
    data: Data = _DATA,
) -> None:
    """Delete whole runs, oldest first, that are too old or too much; pinned ones stay."""
    _say(f"{_with(data, lambda keeper: keeper.sweep(days, size))} runs deleted")


def _with(data: Path, act: Callable[[Keeper], Awaitable[Any]]) -> Any:
    import asyncio

    from augur_sdk.errors import BundleReadError, MissingExtraError

    try:
        from augur_server.keeping import FILE, opened
    except ImportError as error:
        raise MissingExtraError("augur server", "server") from error
    if not (data / FILE).is_file():
        raise BundleReadError(f"{data} is no server's folder", fix="Pass --data, as to `serve`.")

    async def run() -> Any:
        async with opened(data) as keeper:
            return await act(keeper)

    return asyncio.run(run())


def _say(line: object) -> None:
    output().print(str(line), soft_wrap=True, markup=False, highlight=False)
