"""The measurements as a table, as JSON, and as a chart of the ratios."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

from own import Line
from rows import Row


def duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    for factor, unit in ((1, "s"), (1e3, "ms")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.2f} {unit}"
    return f"{seconds * 1e6:.1f} us"


def amount(row: Row, side: str) -> str:
    value = row.medians.get(side)
    if value is None:
        return "-"
    if "threads" in row.label:
        return f"{value:.0f}"
    return f"{value / 2**20:.1f} MiB" if "memory" in row.label else duration(value)


def row_text(row: Row) -> str:
    ratio = (
        "-" if row.ratio is None else f"{row.ratio:.4f}" if row.ratio < 0.01 else f"{row.ratio:.3f}"
    )
    floor = "-" if row.against_floor is None else f"{row.against_floor:.1f}"
    sides = "".join(f"{amount(row, side):>12}" for side in ("ours", "published", "floor"))
    verdict = "met" if row.met else f"not measured ({row.missing})" if row.missing else "missed"
    return f"{row.label:50}{sides}{ratio:>9}{row.goal:>7}{floor:>9}  {verdict}"


HEAD = f"{'':50}{'ours':>12}{'published':>12}{'floor':>12}{'ratio':>9}{'goal':>7}{'to floor':>9}"


def line_text(line: Line) -> str:
    if line.value is None:
        return f"{line.label:62}{'not measured':>12}  ({line.missing})"
    shown = f"{line.value:,.0f}" if abs(line.value) >= 100 else f"{line.value:.2f}"
    return f"{line.label:62}{shown:>12} {line.unit}"


def as_json(rows: list[Row], lines: list[Line]) -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "machine": {"system": platform.system(), "cpus": os.cpu_count()},
        "against_published": [{**asdict(row), "met": row.met} for row in rows],
        "alone": [asdict(line) for line in lines],
    }


def save(path: Path, measured: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(measured, indent=2, sort_keys=True) + "\n")


def chart(path: Path, rows: list[Row]) -> None:
    """Ours / published on a logarithmic axis, with each row's goal as a tick."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "augur"
    from matplotlib import pyplot as plt

    shown = [row for row in rows if row.ratio is not None][::-1]
    figure, axes = plt.subplots(figsize=(9, 0.38 * len(shown) + 1.2))
    places = range(len(shown))
    colors = ["#2a7f62" if row.met else "#c06c2c" for row in shown]
    axes.barh(places, [row.ratio or 0 for row in shown], color=colors, height=0.6)
    axes.scatter([row.goal for row in shown], places, marker="|", s=160, color="black", zorder=3)
    axes.axvline(1, color="grey", linewidth=0.8)
    axes.set_yticks(places, [row.label for row in shown])
    axes.set_xscale("log")
    axes.set_xlabel("ours / published (left is better); the tick is the goal")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
