"""Where the read API's answers come from: a server's database, or bundles in a folder."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from augur_server.models import RunIndex, RunPage, RunSummary, StepPage

__all__ = ["RunQuery", "RunSource", "UnknownRunError", "add_step", "milliseconds"]


@dataclass(frozen=True)
class RunQuery:
    """Which runs are asked for; an empty text stands for any."""

    status: str = ""
    client: str = ""
    tag: str = ""
    model: str = ""
    task_class: str = ""
    outcome: str = ""
    failure_class: str = ""
    text: str = ""
    since: str = ""
    until: str = ""
    sort: str = "-started_at"
    after: str = ""
    limit: int = 50


class UnknownRunError(LookupError):
    """The tenant has no run of this id."""


class RunSource(Protocol):
    """Runs, by tenant.

    An unknown run is an UnknownRunError, an unknown file a FileNotFoundError.
    """

    async def list_runs(self, tenant: str, query: RunQuery) -> RunPage:
        """One page of the runs that fit."""
        ...

    async def summary(self, tenant: str, run_id: str) -> RunSummary:
        """A run as lists show it."""
        ...

    async def index(self, tenant: str, run_id: str) -> RunIndex:
        """All canonical steps, one array a column."""
        ...

    async def steps(self, tenant: str, run_id: str, start: int, stop: int) -> StepPage:
        """The canonical steps with `start <= step_index < stop`."""
        ...

    async def paths(self, tenant: str, run_id: str) -> list[str]:
        """Every file of the run's bundle, sorted."""
        ...

    async def read(self, tenant: str, run_id: str, path: str) -> bytes:
        """One file of the run's bundle."""
        ...

    def folder(self, tenant: str, run_id: str) -> AbstractAsyncContextManager[Path]:
        """The whole bundle in a folder, for as long as it is looked at."""
        ...


COLUMNS: Final = (
    "status",
    "verdict",
    "action",
    "x",
    "y",
    "started_at_ms",
    "duration_ms",
    "cost_usd",
    "failure_class",
    "intent",
)
"""The index's columns in the order of `records.step_brief`."""


def add_step(
    index: RunIndex,
    step_index: int,
    brief: list[Any],
    pictures: Iterable[str],
    finding: str = "",
    iterations: int = 1,
) -> None:
    """Add a step to an index.

    Args:
        index: The index.
        step_index: The step's.
        brief: What `records.step_brief` says of it.
        pictures: The kinds of its pictures.
        finding: The worst severity found there.
        iterations: How many steps share the index.
    """
    kinds = set(pictures)
    index.step_index.append(step_index)
    values = [*brief[:5], milliseconds(brief[5]), *brief[6:10]]
    for name, value in zip(COLUMNS, values, strict=True):
        getattr(index, name).append(value)
    index.has_pre.append("pre" in kinds)
    index.has_post.append("post" in kinds)
    index.finding.append(finding)
    index.iterations.append(iterations)


def milliseconds(timestamp: object) -> int | None:
    """Milliseconds since 1970 of an ISO-8601 text; None for anything else."""
    try:
        return round(datetime.fromisoformat(str(timestamp)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
