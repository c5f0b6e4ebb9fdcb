"""`augur ls URI`."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Protocol

import typer

from augur_sdk.cli.exit_codes import ExitCode
from augur_sdk.cli.terminal import JSON_OPTION_HELP, counting, output, printable
from augur_sdk.errors import BundleReadError

if TYPE_CHECKING:
    from rich.console import Console

    from augur_sdk.storage.runs import RunSummary

__all__ = ["command"]

_STYLES: Final = {"succeeded": "green", "failed": "red", "halted": "red", "running": "cyan"}

_FINGERPRINT: Final = 19
"""Characters of a fingerprint that are shown: its algorithm, and enough to tell runs apart."""


def command(
    place: Annotated[
        str, typer.Argument(metavar="URI", help="Where runs are: s3://bucket/runs, or a folder.")
    ],
    under: Annotated[str, typer.Option(help="Only runs below this folder of it.")] = "",
    json: Annotated[bool, typer.Option("--json", help=JSON_OPTION_HELP)] = False,
) -> None:
    """List the runs at a place: status, steps, cost and fingerprint, from manifests only.

    Exit code 1 says that a manifest could not be read.
    """
    import anyio

    if "://" not in place and not Path(place).is_dir():
        raise BundleReadError(f"{place} is not a folder", fix="Pass a folder of runs, or a URI.")
    faults = anyio.run(_list, place, under, _JsonList() if json else None)
    raise typer.Exit(ExitCode.PROBLEM if faults else ExitCode.OK)


class _Rows(Protocol):
    def add(self, run: RunSummary) -> None: ...

    def end(self) -> None: ...


async def _list(place: str, under: str, rows: _Rows | None) -> int:
    """Print each run as it is read, so that memory does not follow their number."""
    from augur_sdk.storage.runs import list_runs

    console = output()
    rows = rows or _Table(console)
    faults = 0
    with counting("Reading manifests", console if sys.stdout.isatty() else None) as progress:
        async for run in list_runs(place, under, progress=progress):
            rows.add(run)
            faults += run.fault is not None
    rows.end()
    return faults


class _JsonList:
    """A JSON array, an element at a time."""

    def __init__(self) -> None:
        self._separator = b"[\n"

    def add(self, run: RunSummary) -> None:
        """Print an element."""
        import orjson

        sys.stdout.buffer.write(self._separator)
        sys.stdout.buffer.write(orjson.dumps(asdict(run), option=orjson.OPT_SORT_KEYS))
        self._separator = b",\n"

    def end(self) -> None:
        """Close the array."""
        sys.stdout.buffer.write(b"[]\n" if self._separator == b"[\n" else b"\n]\n")
        sys.stdout.flush()


class _Table:
    """Columns of fixed width, and the paths last: a row can be printed before the next is known."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._counts: Counter[str] = Counter()
        self._total = 0.0

    def add(self, run: RunSummary) -> None:
        """Print a row."""
        from rich.text import Text

        if not self._counts:
            self._console.print(
                _line("status", "steps", "cost", "fingerprint", "run"), style="bold"
            )
        status = _status(run)
        self._counts[status] += 1
        self._total += run.total_usd or 0.0
        steps = "" if run.steps is None else str(run.steps)
        cost = "" if run.total_usd is None else f"${run.total_usd:.2f}"
        line = _line(
            status, steps, cost, (run.fingerprint or "")[:_FINGERPRINT], run.path or run.uri
        )
        self._console.print(Text(line, _STYLES.get(status, "")), soft_wrap=True)

    def end(self) -> None:
        """Print the sums."""
        count = self._counts.total()
        by_status = ", ".join(f"{n} {status}" for status, n in sorted(self._counts.items()))
        runs = f"{count} run{'' if count == 1 else 's'}"
        cost = f", ${self._total:.2f}" if self._total else ""
        self._console.print(f"{runs}{f': {by_status}' if count else ''}{cost}", soft_wrap=True)


def _status(run: RunSummary) -> str:
    if run.fault is not None:
        return printable(run.fault)
    return printable(run.status or "-") if run.complete else "unfinished"


def _line(status: str, steps: str, cost: str, fingerprint: str, run: str) -> str:
    return (
        f"{status:<11} {steps:>6} {cost:>9}  {printable(fingerprint):<{_FINGERPRINT}}  "
        f"{printable(run)}"
    )
