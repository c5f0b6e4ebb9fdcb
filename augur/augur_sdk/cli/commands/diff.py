"""`augur diff A B`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from augur_sdk.cli.bundle_place import bundle_at
from augur_sdk.cli.exit_codes import ExitCode
from augur_sdk.cli.rule_packs import DEFAULT_PACK, chosen_packs
from augur_sdk.cli.terminal import JSON_OPTION_HELP, busy, output, print_json, printable

if TYPE_CHECKING:
    from augur_sdk.comparison import BundleComparison

__all__ = ["command"]

_SHOWN = 20


def command(
    a: Annotated[
        str, typer.Argument(metavar="A", help="The bundle to compare with, a folder or a URI.")
    ],
    b: Annotated[str, typer.Argument(metavar="B", help="The bundle to judge, likewise.")],
    rules: Annotated[
        list[str] | None,
        typer.Option(help="A rule pack whose findings are compared.", show_default=DEFAULT_PACK),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write the comparison as a page to this file.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help=JSON_OPTION_HELP)] = False,
) -> None:
    """Compare two runs: where they part, and which findings are new or resolved.

    Exits with 1 when the runs differ.
    """
    from augur_sdk.comparison import compare_bundles, render_html
    from augur_sdk.storage.atomic import write_private

    packs = chosen_packs(rules)
    with bundle_at(a) as folder_a, bundle_at(b) as folder_b:
        with busy("Comparing"):
            comparison = _named(compare_bundles(folder_a, folder_b, packs=packs), a, b)
        if html:
            write_private(html, render_html(comparison).encode())
    if json:
        print_json(comparison.as_dict())
    else:
        _print(comparison, html)
    raise typer.Exit(ExitCode.OK if comparison.same else ExitCode.PROBLEM)


def _named(comparison: BundleComparison, a: str, b: str) -> BundleComparison:
    """The runs called as the command was told them: a copy's folder says nothing to anybody."""
    return replace(comparison, a=replace(comparison.a, name=a), b=replace(comparison.b, name=b))


def _print(comparison: BundleComparison, html: Path | None) -> None:
    from rich.text import Text

    console = output()
    share = f"{comparison.similarity:.0%} of steps and pairs of steps in common"
    if comparison.divergence is None:
        console.print(f"The same trajectory, {comparison.a.steps} steps; {share}.")
    else:
        console.print(f"The runs differ; {share}.")
        console.print(f"First divergence: {printable(comparison.divergence.summary)}", style="bold")
    differences = list(comparison.differences())
    for row in differences[:_SHOWN]:
        places = [("-" if place is None else str(place)) for place in (row.a, row.b)]
        line = Text(f"  A {places[0]:>4}  B {places[1]:>4}  {row.difference:<8}", "yellow")
        acted = printable(row.action_b or row.action_a)
        console.print(line + Text(f"{acted} ({printable(row.outcome_b or row.outcome_a)})"))
    if len(differences) > _SHOWN:
        console.print(f"  and {len(differences) - _SHOWN} more")
    _print_findings(comparison)
    if html:
        console.print(f"Page: {html}", soft_wrap=True)


def _print_findings(comparison: BundleComparison) -> None:
    from rich.text import Text

    console = output()
    changes = comparison.findings
    groups = {
        "new": changes.new,
        "promoted": [promotion.finding for promotion in changes.promoted],
        "resolved": changes.resolved,
    }
    console.print(
        f"Findings: {', '.join(f'{len(found)} {name}' for name, found in groups.items())}, "
        f"{changes.unchanged} unchanged."
    )
    for name, found in groups.items():
        for finding in found:
            line = f"  {name:<9}{finding['severity']:<9}{finding['rule_id']}: {finding['summary']}"
            console.print(Text(printable(line.rstrip())), soft_wrap=True)
