"""Bundles in a folder as a source of the read API."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import orjson

from augur_sdk.bundle import layout
from augur_sdk.validation.reading import FolderReader
from augur_server.models import RunIndex, RunPage, RunSummary, StepPage
from augur_server.records import run_facts, step_brief
from augur_server.source import RunQuery, UnknownRunError, add_step, milliseconds

__all__ = ["FolderSource"]

DEPTH: Final = 4
"""How many folders deep bundles are looked for."""


class FolderSource:
    """Every bundle below a folder; the folder itself may be one. Nothing is ever written.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    async def list_runs(self, tenant: str, query: RunQuery) -> RunPage:  # noqa: ARG002 - the protocol's
        """One page of the runs that fit, latest first."""
        found = await asyncio.to_thread(self._summaries)
        fitting = [run for run in found if _fits(run, query)]
        name = query.sort.lstrip("-")
        fitting.sort(
            key=lambda run: (
                getattr(run, name, None) or type(getattr(run, name, ""))(),
                run.run_id,
            ),
            reverse=query.sort.startswith("-"),
        )
        start = int(query.after) if query.after.isdigit() else 0
        stop = start + query.limit
        return RunPage(runs=fitting[start:stop], next=str(stop) if stop < len(fitting) else None)

    async def summary(self, tenant: str, run_id: str) -> RunSummary:  # noqa: ARG002 - the protocol's
        """A run as lists show it."""
        return await asyncio.to_thread(lambda: _summary(self._bundle(run_id)))

    async def index(self, tenant: str, run_id: str) -> RunIndex:  # noqa: ARG002 - the protocol's
        """All canonical steps, one array a column."""
        return await asyncio.to_thread(lambda: _index(self._bundle(run_id)))

    async def steps(self, tenant: str, run_id: str, start: int, stop: int) -> StepPage:  # noqa: ARG002 - the protocol's
        """A range of the canonical steps."""
        trace = await asyncio.to_thread(lambda: _trace(self._bundle(run_id)))
        steps = [s for s in trace["steps"] if start <= s.get("step_index", -1) < stop]
        return StepPage(steps=steps, total=len(trace["steps"]))

    async def paths(self, tenant: str, run_id: str) -> list[str]:  # noqa: ARG002 - the protocol's
        """Every file of the bundle, sorted."""
        return await asyncio.to_thread(lambda: _paths(self._bundle(run_id)))

    async def read(self, tenant: str, run_id: str, path: str) -> bytes:  # noqa: ARG002 - the protocol's
        """One file of the bundle."""
        return await asyncio.to_thread(self._read, run_id, path)

    @asynccontextmanager
    async def folder(self, tenant: str, run_id: str) -> AsyncIterator[Path]:  # noqa: ARG002 - the protocol's
        """The bundle's own folder."""
        yield await asyncio.to_thread(self._bundle, run_id)

    def _read(self, run_id: str, path: str) -> bytes:
        root = self._bundle(run_id)
        if not layout.belongs(path):
            raise FileNotFoundError(path)
        found = (root / path).resolve()
        if not found.is_relative_to(root.resolve()) or not found.is_file():
            raise FileNotFoundError(path)
        return found.read_bytes()

    def _bundles(self) -> list[Path]:
        pattern = [layout.MANIFEST]
        found: list[Path] = []
        for _ in range(DEPTH):
            found += [path.parent for path in self._root.glob("/".join(pattern))]
            pattern.insert(0, "*")
        return found

    def _bundle(self, run_id: str) -> Path:
        for bundle in self._bundles():
            manifest = _json(bundle / layout.MANIFEST)
            if isinstance(manifest, dict) and manifest.get("run_id") == run_id:
                return bundle
        raise UnknownRunError(run_id)

    def _summaries(self) -> list[RunSummary]:
        return [_summary(bundle) for bundle in self._bundles()]


def _json(path: Path) -> Any:
    try:
        return orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def _stamp(bundle: Path) -> float:
    try:
        return (bundle / layout.MANIFEST).stat().st_mtime
    except OSError:
        return 0.0


def _trace(bundle: Path) -> dict[str, Any]:
    return _read_trace(bundle, _stamp(bundle))


@functools.lru_cache(maxsize=8)
def _read_trace(bundle: Path, _stamp: float) -> dict[str, Any]:
    trace = _json(bundle / layout.TRACE)
    trace = trace if isinstance(trace, dict) else {}
    session, steps = trace.get("session"), trace.get("steps")
    return {
        "session": session if isinstance(session, dict) else {},
        "steps": [s for s in steps if isinstance(s, dict)] if isinstance(steps, list) else [],
    }


def _summary(bundle: Path) -> RunSummary:
    return _read_summary(bundle, _stamp(bundle))


@functools.lru_cache(maxsize=10_000)
def _read_summary(bundle: Path, _stamp: float) -> RunSummary:
    manifest = _json(bundle / layout.MANIFEST)
    manifest = manifest if isinstance(manifest, dict) else {}
    trace = _trace(bundle)
    facts = run_facts(trace["session"])
    tags = orjson.loads(facts.pop("tags", "{}"))
    start, end = (milliseconds(facts.get(name)) for name in ("started_at", "ended_at"))
    pictures = [p for p in _paths(bundle) if p.endswith(".png")]
    failed = [s for s in trace["steps"] if s.get("status") == "failed"]
    return RunSummary(
        run_id=str(manifest.get("run_id", bundle.name)),
        status=str(facts.pop("status", "unknown")),
        client=str(facts.pop("client", "unknown")),
        tags={str(k): str(v) for k, v in tags.items()},
        step_count=len(trace["steps"]),
        duration_ms=end - start if start is not None and end is not None else None,
        failure_class=str(failed[0].get("failure_class") or "unclassified") if failed else "",
        last_picture=pictures[-1] if pictures else None,
        complete=True,
        **facts,
    )


def _paths(bundle: Path) -> list[str]:
    return sorted(p for p in FolderReader(bundle).paths() if layout.belongs(p))


def _index(bundle: Path) -> RunIndex:
    index = RunIndex()
    paths = set(_paths(bundle))
    findings = _json(bundle / layout.FINDINGS)
    worst = worst_by_step(findings if isinstance(findings, list) else [])
    for step in _trace(bundle)["steps"]:
        at = step.get("step_index", 0)
        kinds = [kind for kind in ("pre", "post") if layout.screenshot_path(at, kind) in paths]
        brief = orjson.loads(step_brief(step))
        add_step(index, at, brief, kinds, worst.get(at, ""), step.get("step_iterations", 1))
    return index


_SEVERITIES: Final = ("critical", "high", "medium", "low", "info")


def worst_by_step(findings: list[dict[str, Any]]) -> dict[int, str]:
    """The worst severity found at each step."""
    worst: dict[int, str] = {}
    for severity in reversed(_SEVERITIES):
        for finding in findings:
            if finding.get("severity") == severity and "step_index" in finding:
                worst[finding["step_index"]] = severity
    return worst


def _fits(run: RunSummary, query: RunQuery) -> bool:
    wanted = {
        "status": run.status,
        "client": run.client,
        "model": run.model,
        "task_class": run.task_class,
        "outcome": run.outcome,
        "failure_class": run.failure_class,
    }
    if any(getattr(query, n) and getattr(query, n) != v for n, v in wanted.items()):
        return False
    name, _, value = query.tag.partition("=")
    if query.tag and (name not in run.tags or (value and run.tags[name] != value)):
        return False
    if query.since and run.started_at < query.since:
        return False
    if query.until and run.started_at >= query.until:
        return False
    words = f"{run.run_id}\n{run.instruction}\n{run.client}".lower()
    return query.text.lower() in words
