"""`augur recover DIR`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augur_sdk.cli.exit_codes import ExitCode
from augur_sdk.cli.terminal import JSON_OPTION_HELP, busy, output, print_json

__all__ = ["command"]


def command(
    bundle_dir: Annotated[Path, typer.Argument(metavar="DIR", help="The run's folder.")],
    json: Annotated[bool, typer.Option("--json", help=JSON_OPTION_HELP)] = False,
) -> None:
    """Finish the bundle of a run that was killed, from its journal.

    Safe to repeat. Exit code 1 says that the journal was damaged: every intact record is in the
    bundle, some are lost.
    """
    from augur_sdk.bundle.recover import recover_bundle

    with busy("Recovering"):
        report = recover_bundle(bundle_dir)
    if json:
        names = ("recovered", "records", "damaged", "unknown", "steps", "status")
        facts = {name: getattr(report, name) for name in names}
        print_json({"bundle": str(bundle_dir), **facts})
    elif not report.recovered:
        output().print(f"{bundle_dir}: complete already, {report.steps} steps, {report.status}")
    else:
        damage = f", {report.damaged} damaged or missing" if report.damaged else ""
        if report.unknown:
            damage += f", {report.unknown} of a kind that only a newer version knows"
        output().print(f"{bundle_dir}: {report.records} records{damage}", soft_wrap=True)
        output().print(f"{report.steps} steps, status {report.status}")
    raise typer.Exit(ExitCode.PROBLEM if report.damaged else ExitCode.OK)
