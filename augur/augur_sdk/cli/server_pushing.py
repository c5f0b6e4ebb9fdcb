"""What `augur push DIR` does without `--store`: send a bundle to the server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from augur_sdk.cli.bundle_folder import require_bundle
from augur_sdk.cli.exit_codes import ExitCode
from augur_sdk.cli.terminal import counting, error_console, output, print_json
from augur_sdk.streaming.dsn import DSN, ENV_DSN

if TYPE_CHECKING:
    from augur_sdk.pipeline.server_push import PushReport

__all__ = ["push_to_server"]

_ADVICE: Final = {
    403: "Probably model calls, to which the tenant has not opted in.",
    413: "They are larger than the server takes.",
}
_BLOCKED: Final = {
    "credential": "The server refused the credential. Renew the DSN, and repeat this.",
    "unreadable": "Some files are gone or were changed.",
}


def push_to_server(bundle_dir: Path, *, json: bool) -> ExitCode:
    """Send what the server does not have, and say what came of it.

    Args:
        bundle_dir: The bundle's folder.
        json: Say it as JSON.
    """
    import anyio

    from augur_sdk.pipeline.server_push import push_run

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
                "refused": {str(status): count for status, count in report.refused.items()},
                "blocked": report.blocked,
            }
        )
    else:
        _print(bundle_dir, dsn, report)
    return ExitCode.PROBLEM if report.pending else ExitCode.OK


def _print(bundle_dir: Path, dsn: DSN, report: PushReport) -> None:
    console = output()
    if report.pending:
        told = f"{report.sent} records sent, {report.pending} not"
    elif report.refused:
        told = f"{report.sent} records are on {dsn.base_url}"
    else:
        told = f"all {report.sent} records are on {dsn.base_url}"
    console.print(f"{bundle_dir}: {told}", soft_wrap=True)
    for status, count in sorted(report.refused.items()):
        advice = _ADVICE.get(status, "")
        said = f"{count} refused for good ({status}); the bundle keeps them. {advice}"
        console.print(said.rstrip(), soft_wrap=True)
    for reason, count in report.blocked.items():
        console.print(f"{count} wait: {reason}. {_BLOCKED.get(reason, '')}".rstrip())
    if report.pending > sum(report.blocked.values()):
        console.print("The server did not answer in time. Repeat this later; see augur doctor.")
