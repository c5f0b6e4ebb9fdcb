"""How a bundle's summary looks on a terminal, and in a pipe."""

from __future__ import annotations

from typing import Any, Final

from rich import box
from rich.console import Console
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


def print_summary(summary: Summary) -> None:
    """Print the header, the steps, and what to look at first."""
    console = output()
    console.print(_header(summary))
    if summary.rows:
        console.print(_steps(summary.rows))
    _print_rest(console, summary)
    if not summary.complete:
        console.print("This run is unfinished: it is still going, or it was killed. If it was:")
        console.print(f"  augur recover {summary.bundle}", soft_wrap=True)
    for path in summary.unreadable:
        console.print(Text(f"cannot be read: {printable(path)}", style="red"), soft_wrap=True)
    if summary.look_first:
        console.print("Look first at:")
    for path in summary.look_first:
        console.print(f"  {summary.bundle / path}", soft_wrap=True)


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


def _steps(rows: list[StepRow]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("step", justify="right", no_wrap=True)
    table.add_column("type", no_wrap=True)
    table.add_column("intent", overflow="ellipsis", no_wrap=True, ratio=3)
    table.add_column("target", overflow="ellipsis", no_wrap=True, ratio=1)
    table.add_column("status", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("failure class", overflow="fold")
    table.add_column("took", justify="right", no_wrap=True)
    table.add_column("pictures", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: StepRow) -> tuple[Text | str, ...]:
    return (
        _index(row),
        _text(row.type),
        _text(row.intent),
        _text(row.target),
        _styled(row.status),
        _styled(row.verdict),
        _text(row.failure_class),
        "" if row.duration_ms is None else _duration(row.duration_ms),
        " ".join(row.screenshots),
    )


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


def _duration(milliseconds: float) -> str:
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
