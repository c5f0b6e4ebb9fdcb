"""`augur audit DIR`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from augur_sdk.cli.bundle_place import BundlePlace, bundle_at
from augur_sdk.cli.exit_codes import ExitCode
from augur_sdk.cli.terminal import JSON_OPTION_HELP, busy, output, print_json, printable

if TYPE_CHECKING:
    from augur_sdk.redaction.audit import Coverage, Finding

__all__ = ["command"]


def command(
    bundle_dir: BundlePlace,
    json: Annotated[bool, typer.Option("--json", help=JSON_OPTION_HELP)] = False,
) -> None:
    """Look for secrets in a bundle with today's redaction rules.

    Says file, place and rule, never the secret; and at the end what share of the bundle, pictures
    and other binary files, it could not look into. Exit code 1 says that
    something was found.
    """
    from augur_sdk.redaction.audit import audit_bundle, coverage

    with bundle_at(bundle_dir) as folder, busy("Auditing"):
        findings = audit_bundle(folder)
        seen = coverage(folder)
    if json:
        found = [asdict(finding) for finding in findings]
        print_json(
            {
                "bundle": bundle_dir,
                "clean": not findings,
                "findings": found,
                "coverage": asdict(seen),
            }
        )
    else:
        _print(bundle_dir, findings)
        _print_unread(seen)
    raise typer.Exit(ExitCode.PROBLEM if findings else ExitCode.OK)


def _print(bundle_dir: str, findings: list[Finding]) -> None:
    if findings:
        from rich.table import Table

        table = Table("file", "where", "rule", "count", box=None, pad_edge=False)
        for finding in findings:
            row = (finding.path, finding.where, finding.rule, finding.count)
            table.add_row(*map(printable, row))
        output().print(table)
    count = f"{len(findings)} findings" if len(findings) > 1 else "1 finding"
    output().print(f"{bundle_dir}: {count if findings else 'clean'}", soft_wrap=True)


def _print_unread(seen: Coverage) -> None:
    if seen.unread_files:
        share = seen.unread_bytes / max(1, seen.bytes)
        output().print(
            f"not looked into: {seen.unread_files} of {seen.files} files, {share:.0%} of the "
            "bytes (pictures and other binary files)",
            soft_wrap=True,
        )
