"""`augur push DIR`, and `augur push --store URI DIR`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from augur_sdk.cli.exit_codes import ExitCode
from augur_sdk.cli.terminal import JSON_OPTION_HELP, counting, output, print_json

if TYPE_CHECKING:
    from augur_sdk.storage.upload_queue import UploadState

__all__ = ["command"]

_ADVICE = {
    "unavailable": "The store could not be reached. Repeat this later.",
    "timeout": "The store did not answer in time. Repeat this later.",
    "denied": "The store refused the credentials. Renew them, and repeat this.",
    "missing": "There is no such bucket or container. Create it, or correct the URI.",
    "refused": "The store refuses these files for good, as they are.",
}


def command(
    bundle_dir: Annotated[Path, typer.Argument(metavar="DIR", help="The bundle's folder.")],
    store: Annotated[
        str | None,
        typer.Option(help="The place to copy it to, such as s3://bucket/run.", metavar="URI"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help=JSON_OPTION_HELP)] = False,
) -> None:
    """Finish what a session could not send: to the server in AUGUR_DSN, or to a store.

    Sends only what is missing there, the manifest last; any bundle will do, also one that was
    never streamed or that another producer made. A run that was killed is finished first. Safe to
    break off and to repeat. Exit code 1 says that not everything is there yet.
    """
    if store is not None:
        raise typer.Exit(_to_store(bundle_dir, store, json=json))
    from augur_sdk.cli.server_pushing import push_to_server

    raise typer.Exit(push_to_server(bundle_dir, json=json))


def _to_store(bundle_dir: Path, store: str, *, json: bool) -> ExitCode:
    import anyio

    from augur_sdk.bundle.layout import MANIFEST
    from augur_sdk.bundle.recover import recover_bundle
    from augur_sdk.storage.pushing import push_bundle

    if not (bundle_dir / MANIFEST).is_file():
        recover_bundle(bundle_dir)
    with counting("Uploading") as progress:
        state = anyio.run(lambda: push_bundle(bundle_dir, store, progress=progress))
    if json:
        print_json(_as_record(bundle_dir, state))
    else:
        _print(bundle_dir, state)
    return ExitCode.OK if state.complete else ExitCode.PROBLEM


def _as_record(bundle_dir: Path, state: UploadState) -> dict[str, object]:
    return {
        "bundle": str(bundle_dir),
        "store": state.store,
        "complete": state.complete,
        "pending": list(state.pending),
        "failed": dict(state.failed),
    }


def _print(bundle_dir: Path, state: UploadState) -> None:
    console = output()
    if state.complete:
        console.print(f"{bundle_dir}: everything is in {state.store}", soft_wrap=True)
        return
    missing = f"{len(state.pending)} files" if len(state.pending) != 1 else "1 file"
    console.print(f"{bundle_dir}: {missing} not yet in {state.store}", soft_wrap=True)
    for reason in state.failed:
        console.print(_ADVICE[reason], soft_wrap=True)
