"""How a bundle's summary looks on a terminal, and in a pipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from rich import box
from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from augur_sdk.cli.summary import StepRow, Summary
from augur_sdk.cli.terminal import output, printable

__all__ = ["print_summary"]

STYLES: Final = {
    "succeeded": "green",
    "passed": "green",
    "recovered": "yellow",
    "recoverable": "yellow",
    "running": "cyan",
    "failed": "red",
    "halted": "red",
}

Columns = dict[str, list[Text]]
"""Cells by the column's name, in the order of the rows."""

FLEXIBLE: Final = ("intent", "target")
"""Columns that give way, the first one first."""

NARROWEST: Final = 12
WIDEST: Final = 60
"""Characters that a column keeps, and gets at most."""

NUMBERS: Final = frozenset({"step", "took"})

DISPENSABLE: Final = frozenset({"target", "pictures"})
COMFORTABLE_WIDTH: Final = 112
"""Characters under which a terminal is narrow, and gets the dispensable columns no more."""


def print_summary(summary: Summary) -> None:
    """Print the header, the steps, and what to look at first."""
    console = output()
    console.print(_header(summary))
    if summary.rows:
        console.print("", _steps(summary.rows, console.width), "", sep="\n")
    _print_rest(console, summary)
    if not summary.complete:
        console.print("This run is unfinished: it is still going, or it was killed. If it was:")
        console.print(f"  augur recover {summary.bundle}", soft_wrap=True)
    for path in summary.unreadable:
        console.print(Text(f"cannot be read: {printable(path)}", style="red"), soft_wrap=True)
    if summary.look_first:
        console.print("Look first at:")
    for path in summary.look_first:
        console.print(f"  {_inside(summary.bundle, path)}", soft_wrap=True)


def _inside(bundle: str, path: str) -> str:
    return f"{bundle.rstrip('/')}/{path}" if "://" in bundle else str(Path(bundle) / path)


def _header(summary: Summary) -> Table:
    header, counts = summary.header, summary.counts
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    table.add_row("run", _text(header["run_id"]))
    table.add_row("client", _text(header["client"]))
    table.add_row("status", _styled(header["status"] or "unknown"))
    table.add_row("mode", _text(header["capture_mode"]))
    table.add_row("started", _text(header["started_at"]))
    if header["duration_s"] is not None:
        table.add_row("duration", _duration(header["duration_s"] * 1000))
    if costs := _costs(header["costs"]):
        table.add_row("costs", costs)
    for name, value in sorted((header["tags"] or {}).items()):
        table.add_row("tag", _text(f"{name}={value}"))
    table.add_row("steps", _step_counts(counts))
    holds = ("events", "modelio", "side_effects", "screenshots")
    table.add_row("holds", ", ".join(f"{counts[n]} {n.replace('_', ' ')}" for n in holds))
    return table


def _steps(rows: list[StepRow], width: int) -> Table:
    """The steps' table; only intent and target give way when a terminal is narrow."""
    columns = _columns(rows)
    if width < COMFORTABLE_WIDTH:
        columns = {name: cells for name, cells in columns.items() if name not in DISPENSABLE}
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name, column_width in _widths(columns, width).items():
        justify: JustifyMethod = "right" if name in NUMBERS else "left"
        table.add_column(name, width=column_width, no_wrap=True, justify=justify)
    for row in zip(*columns.values(), strict=True):
        table.add_row(*row)
    return table


def _widths(columns: Columns, width: int) -> dict[str, int]:
    """What each column needs; the flexible ones, what the others leave of it."""
    needed = {
        name: min(max(cell_len(name), *(cell.cell_len for cell in cells)), WIDEST)
        for name, cells in columns.items()
    }
    room = width - 2 * len(columns)
    for name in FLEXIBLE:
        others = sum(wanted for other, wanted in needed.items() if other != name)
        if name in needed:
            needed[name] = max(NARROWEST, min(needed[name], room - others))
    return needed


def _columns(rows: list[StepRow]) -> Columns:
    return {
        "step": [Text(_index(row)) for row in rows],
        "type": [_text(row.type) for row in rows],
        "intent": [_text(row.intent) for row in rows],
        "target": [_text(row.target) for row in rows],
        "status": [_styled(row.status) for row in rows],
        "verdict": [_styled(row.verdict) for row in rows],
        "failure class": [_text(row.failure_class) for row in rows],
        "took": [_text(_duration(row.duration_ms)) for row in rows],
        "pictures": [_text(" ".join(row.screenshots)) for row in rows],
    }


def _index(row: StepRow) -> str:
    if row.iteration:
        return f"~{row.iteration + 1}"
    return f"{row.index} x{row.iterations}" if row.iterations > 1 else str(row.index)


def _print_rest(console: Console, summary: Summary) -> None:
    hidden = summary.matching - len(summary.rows)
    if hidden > 0 and summary.rows:
        next_index = summary.rows[-1].index + 1
        console.print(f"{hidden} more; go on with --from {next_index}, or --limit 0 for all")


def _step_counts(counts: dict[str, Any]) -> Text:
    text = Text(str(counts["steps"]))
    parts = [f"{number} {printable(status)}" for status, number in counts["by_status"].items()]
    return text.append(f" ({', '.join(sorted(parts))})" if parts else "")


def _costs(costs: Any) -> str:
    if not isinstance(costs, dict):
        return ""
    return ", ".join(f"{printable(name)} {printable(costs[name])}" for name in sorted(costs))


def _duration(milliseconds: float | None) -> str:
    if milliseconds is None:
        return ""
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes} min {seconds:02d} s"


def _text(value: object) -> Text:
    return Text("" if value is None else printable(value))


def _styled(word: str) -> Text:
    return Text(printable(word), style=STYLES.get(word, ""))
