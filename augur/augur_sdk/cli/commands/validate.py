"""`augur validate DIR`."""

from __future__ import annotations

from typing import Annotated

import typer

from augur_sdk.cli.bundle_place import BundlePlace, bundle_at
from augur_sdk.cli.exit_codes import ExitCode
from augur_sdk.cli.terminal import JSON_OPTION_HELP, busy, output, print_json

__all__ = ["command"]


def command(
    bundle_dir: BundlePlace,
    json: Annotated[bool, typer.Option("--json", help=JSON_OPTION_HELP)] = False,
) -> None:
    """Check a bundle against its format: schemas, signatures, references."""
    from augur_sdk.validation import validate_bundle

    with bundle_at(bundle_dir) as folder, busy("Validating"):
        issues = validate_bundle(folder)
    if json:
        found = [{"where": i.where, "message": i.message, "path": i.path} for i in issues]
        print_json({"bundle": bundle_dir, "valid": not issues, "issues": found})
    else:
        for issue in issues:
            output().print(issue.render(), soft_wrap=True)
        verdict = f"{len(issues)} issues" if len(issues) > 1 else "1 issue" if issues else "valid"
        output().print(f"{bundle_dir}: {verdict}", soft_wrap=True)
    raise typer.Exit(ExitCode.PROBLEM if issues else ExitCode.OK)
