"""`augur show DIR`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from augur_sdk.cli.bundle_place import BundlePlace, bundle_at
from augur_sdk.cli.exit_codes import ExitCode
from augur_sdk.cli.terminal import JSON_OPTION_HELP, print_json

if TYPE_CHECKING:
    from augur_sdk.cli.summary import Summary

__all__ = ["command"]


def command(
    bundle_dir: BundlePlace,
    failed: Annotated[bool, typer.Option("--failed", help="Only steps that failed.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many rows; 0 for all.", min=0)] = 50,
    first: Annotated[
        int, typer.Option("--from", help="Begin at this step index.", metavar="INDEX", min=0)
    ] = 0,
    json: Annotated[bool, typer.Option("--json", help=JSON_OPTION_HELP)] = False,
) -> None:
    """Show a bundle in short: the run, its steps, and what to look at first.

    Exit code 1 says that the bundle is unfinished, or that files in it are damaged.
    """
    from augur_sdk.cli.summary import View, summarize

    with bundle_at(bundle_dir, names_only=_is_picture) as folder:
        summary = summarize(folder, View(limit, first, failed))
    summary.bundle = bundle_dir
    if json:
        print_json(_as_record(summary))
    else:
        from augur_sdk.cli.summary_page import print_summary

        print_summary(summary)
    sound = summary.complete and not summary.unreadable
    raise typer.Exit(ExitCode.OK if sound else ExitCode.PROBLEM)


def _as_record(summary: Summary) -> dict[str, object]:
    from dataclasses import asdict

    record = asdict(summary)
    record["steps"] = record.pop("rows")
    return record


def _is_picture(relpath: str) -> bool:
    return relpath.endswith(".png")
