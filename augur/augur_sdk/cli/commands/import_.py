"""`augur import --adapter NAME INPUT OUT`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from augur_sdk.cli.exit_codes import ExitCode
from augur_sdk.cli.terminal import JSON_OPTION_HELP, busy, output, print_json, printable

if TYPE_CHECKING:
    from augur_sdk.adapters import ImportReport, ModelApiAdapterBase

__all__ = ["command"]


def command(
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help="The log: .json, .jsonl, or a folder with one.")
    ],
    bundle_dir: Annotated[Path, typer.Argument(metavar="OUT", help="The bundle's folder.")],
    adapter: Annotated[
        str, typer.Option(help="Who reads the log: anthropic, openai, or one that is installed.")
    ],
    screens: Annotated[
        Path | None,
        typer.Option(help="A folder of screenshots.", show_default="screens/ beside the log"),
    ] = None,
    run_id: Annotated[
        str | None, typer.Option(help="The run's id.", show_default="the log's, or its name")
    ] = None,
    other_tools: Annotated[
        bool, typer.Option("--other-tools", help="Calls of other tools are steps too.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help=JSON_OPTION_HELP)] = False,
) -> None:
    """Make a bundle of a message log: a run that was not recorded while it ran.

    Exit code 1 says that records of the log could not be read; the rest is in the bundle.
    """
    import warnings

    from augur_sdk.adapters.import_report import ImportLossWarning

    reader = _reader(adapter, {"other_tools": True} if other_tools else {})
    with busy("Importing"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportLossWarning)  # the report says it
        reader.bundle_from_input(source, bundle_dir, screens_dir=screens, run_id=run_id)
    report = reader.report
    if report is None:
        raise typer.BadParameter(f"adapter {adapter} does not say what it imported")
    if json:
        print_json(_as_record(report))
    else:
        for line in report.render().splitlines():
            output().print(printable(line), soft_wrap=True)
    raise typer.Exit(ExitCode.PROBLEM if report.skipped else ExitCode.OK)


def _reader(name: str, options: dict[str, Any]) -> ModelApiAdapterBase:
    from augur_sdk.adapter import load_adapter
    from augur_sdk.adapters import ModelApiAdapterBase

    try:
        found = load_adapter(name, **options)
    except TypeError:
        raise typer.BadParameter(f"adapter {name} does not know --other-tools") from None
    if isinstance(found, ModelApiAdapterBase):
        return found
    raise typer.BadParameter(f"adapter {name} records live runs; it reads no logs")


def _as_record(report: ImportReport) -> dict[str, Any]:
    from dataclasses import asdict

    first = [{"record": number, "reason": reason} for number, reason in report.first_skipped]
    paths = {"source": str(report.source), "bundle": str(report.bundle)}
    return {**asdict(report), **paths, "first_skipped": first}
