"""`augur demo`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from augur_sdk.cli.exit_codes import ExitCode
from augur_sdk.cli.terminal import JSON_OPTION_HELP, output, print_json

if TYPE_CHECKING:
    from augur_sdk.demo.pilot import Judgement
    from augur_sdk.demo.run import DemoReport
    from augur_sdk.demo.scenario import Goal

__all__ = ["command"]


def command(
    browser: Annotated[
        bool, typer.Option("--browser", help="Drive a real Chromium over a shop on loopback.")
    ] = False,
    headed: Annotated[
        bool, typer.Option("--headed", help="With --browser: show the window.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="The bundle's folder.", show_default="augur-runs/demo-<timestamp>"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help=JSON_OPTION_HELP)] = False,
    serve: Annotated[
        bool,
        typer.Option("--serve", help="Start a server, stream the run to it, and leave it running."),
    ] = False,
    port: Annotated[int, typer.Option(help="With --serve: the port; 0 takes a free one.")] = 7400,
) -> None:
    """Watch a small agent buy a mug by looking at pixels, and get the bundle of its run.

    It uses an embedded desktop, or with --browser a real Chromium. One step fails on purpose and
    is recovered from. The bundle is validated at the end.
    """
    from augur_sdk.demo.run import run_demo

    if headed and not browser:
        raise typer.BadParameter("--headed shows the browser's window: it needs --browser")
    if serve:
        _serve(out, port)
        return
    report = run_demo(out, browser=browser, headed=headed, on_step=None if json else _print_step)
    if json:
        print_json(_as_record(report))
    else:
        _print_report(report)
    raise typer.Exit(ExitCode.OK if report.ok else ExitCode.PROBLEM)


def _serve(out: Path | None, port: int) -> None:
    """Start a server, run the agent against it, and stay until the server is told to end."""
    import os
    import threading

    from augur_sdk.cli.commands.serve import print_ready
    from augur_sdk.demo.run import run_demo
    from augur_sdk.errors import MissingExtraError

    try:
        from augur_server.serving import Ready, bind, serve
        from augur_server.settings import Settings
    except ImportError as error:
        raise MissingExtraError("augur demo --serve", "server") from error

    data = Path("augur-data")

    def run_agent() -> None:
        _print_report(run_demo(out, on_step=_print_step))

    def on_ready(ready: Ready) -> None:
        print_ready(ready, data)
        os.environ["AUGUR_DSN"] = ready.dsn
        threading.Thread(target=run_agent, daemon=True).start()

    serve(Settings(data), bind("127.0.0.1", port), on_ready=on_ready)


def _print_step(index: int, goal: Goal, judgement: Judgement) -> None:
    from rich.text import Text

    mark, style = ("ok  ", "green") if judgement.passed else ("FAIL", "red")
    if judgement.recovered:
        mark = "ok, recovered"
    line = Text(f"{index:>3}  ").append(mark, style=style)
    line.append(f"  {goal.intent}: ").append(judgement.reason, style="dim")
    output().print(line)
    if judgement.remedy:
        output().print(Text(f"           -> {judgement.remedy}", style="yellow"))


def _print_report(report: DemoReport) -> None:
    from rich.text import Text

    console = output()
    for issue in report.issues:
        console.print(issue.render(), style="red", soft_wrap=True)
    validity = "the bundle is not valid" if report.issues else "the bundle is valid"
    outcome = "the mug is ordered" if report.succeeded else "the agent gave up"
    console.print(f"\n{report.steps} steps, {outcome}; {validity}:")
    console.print(Text(f"  {report.bundle_dir}", style="bold"), soft_wrap=True)
    console.print("Look first at:")
    for path in report.look_first:
        console.print(f"  {path}", soft_wrap=True)
    console.print(f"Then: augur show {report.bundle_dir}", soft_wrap=True)


def _as_record(report: DemoReport) -> dict[str, Any]:
    return {
        "bundle": str(report.bundle_dir),
        "run_id": report.run_id,
        "succeeded": report.succeeded,
        "valid": not report.issues,
        "steps": report.steps,
        "failed_steps": report.failed_steps,
        "issues": [issue.render() for issue in report.issues],
        "look_first": [str(path) for path in report.look_first],
    }
