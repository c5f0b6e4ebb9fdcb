"""`augur export-test DIR STEP`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from augur_sdk.cli.terminal import JSON_OPTION_HELP, output, print_json

__all__ = ["command"]


def command(
    bundle_dir: Annotated[Path, typer.Argument(metavar="DIR", help="The bundle's folder.")],
    step_index: Annotated[int, typer.Argument(metavar="STEP", help="The step's index.", min=0)],
    out: Annotated[
        Path | None,
        typer.Option(help="The file, or a folder for it.", show_default="the current folder"),
    ] = None,
    decide: Annotated[
        str | None,
        typer.Option(
            help="The function that decides, unless AUGUR_DECIDE names one: module:function."
        ),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            help="Where the action may land: X1,Y1,X2,Y2; may be repeated.",
            show_default="around the captured point",
        ),
    ] = None,
    action: Annotated[
        str | None, typer.Option(help="The expected type of action.", show_default="as captured")
    ] = None,
    beside: Annotated[
        bool, typer.Option("--beside", help="Keep the picture beside the file, not in it.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help=JSON_OPTION_HELP)] = False,
) -> None:
    """Make a pytest file of a step: does the agent still decide as expected on what it saw?"""
    from augur_sdk.cli.bundle_folder import require_bundle
    from augur_sdk.replay import export_test

    require_bundle(bundle_dir)
    options: dict[str, Any] = {"decide": decide, "embed": not beside}
    if region:
        options["acceptable_regions"] = [_region(text) for text in region]
    if action:
        options["expected"] = {"action_type": action}
    path = export_test(bundle_dir, step_index, out, **options)
    if json:
        print_json({"bundle": str(bundle_dir), "step_index": step_index, "test": str(path)})
    else:
        output().print(f"{path}\nRun it: {_how(path, decide)}", soft_wrap=True)


def _region(text: str) -> dict[str, float]:
    try:
        x1, y1, x2, y2 = (float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"--region {text}: expected X1,Y1,X2,Y2") from None
    return {"x1": x1, "y1": y1, "x2": x2, "y2": y2}


def _how(path: Path, decide: str | None) -> str:
    return f"pytest {path}" if decide else f"AUGUR_DECIDE=module:function pytest {path}"
