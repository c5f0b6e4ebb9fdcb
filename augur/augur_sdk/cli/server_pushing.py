"""What `augur push DIR` does without `--store`: send a bundle to the server."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from augur_sdk.cli.bundle_folder import require_bundle
from augur_sdk.cli.exit_codes import ExitCode
from augur_sdk.cli.terminal import counting, error_console, output, print_json
from augur_sdk.streaming.dsn import DSN, ENV_DSN

__all__ = ["push_to_server"]

_ADVICE: Final = {
    "credential": "The server refused the credential. Renew the DSN, and repeat this.",
    "channel_closed": "The tenant has not opted in to model calls; the bundle keeps them.",
    "too_large": "Some records are larger than the server takes; the bundle keeps them.",
    "unreadable": "Some files are gone or were changed.",
}


def push_to_server(bundle_dir: Path, *, json: bool) -> ExitCode:
    """Send what the server does not have, and say what came of it.

    Args:
        bundle_dir: The bundle's folder.
        json: Say it as JSON.
    """
    import anyio

    from augur_sdk.pipeline.server_push import PushReport, push_run

    require_bundle(bundle_dir)
    dsn = DSN.from_env()
    if dsn is None:
        error_console().print(f"augur: no DSN is set; set {ENV_DSN}, or pass --store")
        return ExitCode.UNUSABLE
    with counting("Sending") as progress:
        report: PushReport = anyio.run(lambda: push_run(bundle_dir, dsn, progress=progress))
    if json:
        print_json(
            {
                "bundle": str(bundle_dir),
                "server": dsn.base_url,
                "sent": report.sent,
                "pending": report.pending,
                "refused": report.refused,
            }
        )
    else:
        _print(bundle_dir, dsn, report.sent, report.pending, report.refused)
    return ExitCode.PROBLEM if report.pending else ExitCode.OK


def _print(bundle_dir: Path, dsn: DSN, sent: int, pending: int, refused: dict[str, int]) -> None:
    console = output()
    if not pending:
        console.print(f"{bundle_dir}: all {sent} records are on {dsn.base_url}", soft_wrap=True)
        return
    console.print(f"{bundle_dir}: {sent} records sent, {pending} not", soft_wrap=True)
    for reason, count in refused.items():
        console.print(f"{count} refused: {reason}. {_ADVICE.get(reason, '')}".rstrip())
    if pending > sum(refused.values()):
        console.print("The server did not answer in time. Repeat this later; see augur doctor.")
