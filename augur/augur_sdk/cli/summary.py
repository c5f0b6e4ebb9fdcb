"""A bundle in short: what `augur show` prints, as plain data."""

from __future__ import annotations

import datetime
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from augur_sdk.bundle import layout
from augur_sdk.cli.bundle_folder import BundleFolder, StepFile
from augur_sdk.cli.terminal import track

__all__ = ["StepRow", "Summary", "View", "summarize"]

_FAILED_VERDICTS: Final = frozenset({"failed", "recoverable"})


@dataclass(frozen=True, slots=True)
class View:
    """Which steps are wanted.

    Attributes:
        limit: At most so many rows; 0 for all. A step's iterations are not torn apart.
        first: None before this step index.
        failed_only: Only steps that failed.
    """

    limit: int = 50
    first: int = 0
    failed_only: bool = False

    def wants(self, row: StepRow) -> bool:
        """Whether a row belongs to the view, its limit aside."""
        return row.index >= self.first and (row.failed or not self.failed_only)


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step in one line; empty strings where the record has nothing."""

    index: int
    iteration: int
    iterations: int
    type: str
    status: str
    intent: str
    target: str
    verdict: str
    failure_class: str
    duration_ms: int | None
    screenshots: list[str]

    @property
    def failed(self) -> bool:
        """Whether something went wrong in this step, also where it was recovered from later."""
        return self.status == "failed" or self.verdict in _FAILED_VERDICTS


@dataclass
class Summary:
    """A bundle in short.

    Attributes:
        bundle: Its folder or URI.
        complete: The run was closed or recovered.
        header: Run, client, status, mode, times, costs.
        counts: Steps by status, events, model calls, screenshots.
        rows: The steps that were asked for.
        matching: How many steps there are of the kind that was asked for.
        look_first: Bundle-relative paths that tell most, and what for.
        unreadable: Files that are damaged.
    """

    bundle: str
    complete: bool
    header: dict[str, Any]
    counts: dict[str, Any] = field(default_factory=dict)
    rows: list[StepRow] = field(default_factory=list)
    matching: int = 0
    look_first: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def summarize(bundle_dir: Path, view: View) -> Summary:
    """Read a bundle, one file at a time: memory follows the rows asked for, not the run.

    Raises:
        BundleReadError: The folder holds no bundle.
    """
    folder = BundleFolder(bundle_dir)
    summary = Summary(str(bundle_dir), folder.complete, _header(folder))
    statuses: Counter[str] = Counter()
    first_failed: int | None = None
    for entry in track(folder.step_entries(), "Reading steps"):
        for step in folder.steps_at(entry):
            row = _row(step, folder)
            if row.iteration == 0:
                statuses[row.status] += 1
            if row.failed and first_failed is None:
                first_failed = row.index
            _add(summary, row, view)
    summary.counts = _counts(folder, statuses)
    summary.look_first = _look_first(folder, first_failed)
    summary.unreadable = folder.unreadable
    return summary


def _add(summary: Summary, row: StepRow, view: View) -> None:
    if not view.wants(row):
        return
    summary.matching += 1
    begun = bool(summary.rows) and summary.rows[-1].index == row.index
    if begun or not view.limit or len(summary.rows) < view.limit:
        summary.rows.append(row)


def _header(folder: BundleFolder) -> dict[str, Any]:
    record = {**folder.manifest, **folder.session}
    client = record.get("client") or {}
    started, ended = record.get("started_at"), record.get("ended_at")
    names = ("run_id", "debug_session_id", "status", "capture_mode", "costs", "tags")
    return {
        **{name: record.get(name) for name in names},
        "client": " ".join(str(client[k]) for k in ("name", "version", "git_sha") if client.get(k)),
        "started_at": started,
        "ended_at": ended,
        "duration_s": _seconds_between(started, ended),
        "trajectory_fingerprint": folder.manifest.get("trajectory_fingerprint"),
    }


def _counts(folder: BundleFolder, statuses: Counter[str]) -> dict[str, Any]:
    return {
        "steps": sum(statuses.values()),
        "by_status": dict(statuses),
        "events": folder.event_count(),
        "modelio": len(folder.names("modelio")),
        "side_effects": len(folder.names("side_effects")),
        "screenshots": folder.picture_count,
    }


def _look_first(folder: BundleFolder, first_failed: int | None) -> list[str]:
    paths = [layout.AGENT] if (folder.root / layout.AGENT).is_file() else []
    if first_failed is None:
        return paths
    pictures = folder.pictures_of(first_failed)
    paths += [layout.screenshot_path(first_failed, kind) for kind in pictures]
    if (folder.root / layout.events_path(first_failed)).is_file():
        paths.append(layout.events_path(first_failed))
    return paths


def _row(step: StepFile, folder: BundleFolder) -> StepRow:
    record = step.record
    index = record.get("step_index")
    index = index if isinstance(index, int) else -1
    iterations = record.get("step_iterations")
    duration = record.get("duration_ms")
    return StepRow(
        index=index,
        iteration=step.iteration,
        iterations=iterations if isinstance(iterations, int) else 1,
        type=_text(record, "step_type"),
        status=_text(record, "status"),
        intent=_text(record, "intent"),
        target=_text(record.get("grounding"), "target_label"),
        verdict=_text(record.get("verdict"), "status"),
        failure_class=_text(record, "failure_class"),
        duration_ms=duration if isinstance(duration, int) else None,
        screenshots=[] if step.iteration or index < 0 else folder.pictures_of(index),
    )


def _text(record: Any, name: str) -> str:
    value = record.get(name) if isinstance(record, dict) else None
    return value if isinstance(value, str) else ""


def _seconds_between(started: Any, ended: Any) -> float | None:
    try:
        begin, end = (datetime.datetime.fromisoformat(str(ts)) for ts in (started, ended))
        return max(0.0, (end - begin).total_seconds())
    except (ValueError, TypeError):
        return None
