"""`augur diagnose DIR`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from augur_sdk.cli.bundle_place import BundlePlace, bundle_at
from augur_sdk.cli.exit_codes import ExitCode
from augur_sdk.cli.rule_packs import DEFAULT_PACK, chosen_packs, one_of
from augur_sdk.cli.terminal import JSON_OPTION_HELP, busy, output, print_json, printable

if TYPE_CHECKING:
    from augur_sdk.diagnostics import DiagnosticFinding

__all__ = ["command"]

_STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "info": "dim"}


def command(
    bundle_dir: BundlePlace,
    rules: Annotated[
        list[str] | None,
        typer.Option(
            help="A rule pack, such as cua or cua_plus; may be repeated.", show_default=DEFAULT_PACK
        ),
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(
            help="Exit with 1 when a finding is this severe or more: info, low, medium, high, "
            "critical."
        ),
    ] = None,
    write: Annotated[
        bool | None,
        typer.Option(
            "--write/--no-write",
            help="Write diagnostics/findings.json into the bundle.",
            show_default="--write for a folder, --no-write for a URI",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help=JSON_OPTION_HELP)] = False,
) -> None:
    """Find out what went wrong in a run, with the evidence for it."""
    from augur_sdk.diagnostics import at_least, diagnose, write_findings
    from augur_sdk.models.vocabulary import SEVERITIES
    from augur_sdk.storage.reading import is_uri

    packs = chosen_packs(rules)
    if fail_on:
        one_of(SEVERITIES, fail_on, "--fail-on")
    with bundle_at(bundle_dir) as folder:
        with busy("Diagnosing"):
            findings = diagnose(folder, packs)
        remote = is_uri(bundle_dir)
        if write or (write is None and not remote):
            write_findings(folder, findings)
            if remote:
                _write_back(folder, bundle_dir)
    if json:
        print_json({"bundle": bundle_dir, "rules": packs, "findings": findings})
    else:
        _print(bundle_dir, findings)
    failing = at_least(findings, fail_on) if fail_on else []
    raise typer.Exit(ExitCode.PROBLEM if failing else ExitCode.OK)


def _write_back(copy: Path, uri: str) -> None:
    """The findings and the manifest that signs them, the manifest last."""
    from augur_sdk.bundle import layout
    from augur_sdk.storage import store_from_uri

    store = store_from_uri(uri)
    for relpath in (layout.FINDINGS, layout.MANIFEST):
        with store.open_write_binary(relpath) as file:
            file.write((copy / relpath).read_bytes())


def _print(bundle_dir: str, findings: list[DiagnosticFinding]) -> None:
    from rich.text import Text

    console = output()
    for finding in findings:
        index = finding.get("step_index")
        where = "the run" if index is None else f"step {index}"
        head = Text(f"{finding['severity']:<9}", style=_STYLES[finding["severity"]])
        console.print(head + Text(f"{finding['rule_id']}, {where}"), soft_wrap=True)
        console.print(Text(f"         {printable(finding['summary'])}"), soft_wrap=True)
        for evidence in finding["evidence"]:
            console.print(Text(f"         {printable(evidence['ref'])}", "dim"), soft_wrap=True)
        if advice := finding.get("recommendation"):
            console.print(Text(f"         -> {printable(advice)}", "yellow"), soft_wrap=True)
    count = f"{len(findings)} findings" if len(findings) != 1 else "1 finding"
    console.print(Text(f"{bundle_dir}: {count}"), soft_wrap=True)
