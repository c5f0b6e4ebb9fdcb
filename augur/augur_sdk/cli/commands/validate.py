"""`augur validate DIR`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augur_sdk.cli.exit_codes import ExitCode
from augur_sdk.cli.terminal import JSON_OPTION_HELP, busy, output, print_json

__all__ = ["command"]


def command(
    bundle_dir: Annotated[Path, typer.Argument(metavar="DIR", help="The bundle's folder.")],
    json: Annotated[bool, typer.Option("--json", help=JSON_OPTION_HELP)] = False,
) -> None:
    """Check a bundle against its format: schemas, signatures, references."""
    from augur_sdk.cli.bundle_folder import require_bundle
    from augur_sdk.validation import validate_bundle

    require_bundle(bundle_dir)
    with busy("Validating"):
        issues = validate_bundle(bundle_dir)
    if json:
        found = [{"where": i.where, "message": i.message, "path": i.path} for i in issues]
        print_json({"bundle": str(bundle_dir), "valid": not issues, "issues": found})
    else:
        for issue in issues:
            output().print(issue.render(), soft_wrap=True)
        verdict = f"{len(issues)} issues" if len(issues) > 1 else "1 issue" if issues else "valid"
        output().print(f"{bundle_dir}: {verdict}", soft_wrap=True)
    raise typer.Exit(ExitCode.PROBLEM if issues else ExitCode.OK)
