"""The database as a source of the read API: a bundle's files are a projection of its records."""

from __future__ import annotations

import asyncio
import base64
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import Select, and_, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from augur_sdk.bundle import layout
from augur_server.blobs import Blobs
from augur_server.bundle_files import Stored, bundle_paths, render, whole_bundle
from augur_server.models import RunIndex, RunPage, RunSummary, StepPage
from augur_server.schema import records, runs
from augur_server.source import RunQuery, UnknownRunError, add_step, milliseconds

__all__ = ["DatabaseSource"]

CONNECTED: Final = 45.0
"""Seconds of silence after which a running agent counts as gone: three heartbeats."""

_SORTS: Final = {
    "started_at": runs.c.created,
    "status": runs.c.status,
    "client": runs.c.client,
    "step_count": runs.c.step_count,
    "total_usd": func.coalesce(runs.c.total_usd, 0.0),
}


class DatabaseSource:
    """Runs in a database, their pictures among the blobs."""

    def __init__(self, engine: AsyncEngine, blobs: Blobs) -> None:
        self._engine = engine
        self._blobs = blobs

    async def list_runs(self, tenant: str, query: RunQuery) -> RunPage:
        """One page of the runs that fit, by keyset."""
        descending = query.sort.startswith("-")
        column = _SORTS.get(query.sort.lstrip("-"), runs.c.created)
        statement = _filtered(select(runs, column.label("sort_key")), tenant, query)
        if query.after:
            after = _cursor(query.after)
            key = tuple_(column, runs.c.id)
            statement = statement.where(key < after if descending else key > after)
        order = (column.desc(), runs.c.id.desc()) if descending else (column, runs.c.id)
        async with self._engine.connect() as connection:
            page = statement.order_by(*order).limit(query.limit + 1)
            found = list((await connection.execute(page)).mappings())
            pictures = await _last_pictures(connection, [row["id"] for row in found])
        shown = found[: query.limit]
        more = len(found) > query.limit
        summaries = [_summary(dict(row), pictures.get(row["id"])) for row in shown]
        return RunPage(runs=summaries, next=_page_after(shown[-1]) if more else None)

    async def summary(self, tenant: str, run_id: str) -> RunSummary:
        """A run as lists show it."""
        row = await self._run(tenant, run_id)
        async with self._engine.connect() as connection:
            pictures = await _last_pictures(connection, [row["id"]])
        return _summary(row, pictures.get(row["id"]))

    async def index(self, tenant: str, run_id: str) -> RunIndex:
        """All canonical steps, one array a column, without reading a single record."""
        run = await self._run(tenant, run_id)
        async with self._engine.connect() as connection:
            steps = await connection.execute(
                select(records.c.step_index, records.c.brief, records.c.canonical, records.c.seq)
                .where(records.c.run == run["id"], records.c.kind == "step")
                .order_by(records.c.step_index, records.c.canonical, records.c.seq)
            )
            rows = list(steps)
            shots = await connection.execute(
                select(records.c.step_index, records.c.item).where(
                    records.c.run == run["id"], records.c.kind == "screenshot"
                )
            )
            kinds: dict[int, list[str]] = defaultdict(list)
            for at, item in shots:
                kinds[at].append(item.partition("/")[2])
        return await asyncio.to_thread(_index, run["seq"], rows, kinds)

    async def steps(self, tenant: str, run_id: str, start: int, stop: int) -> StepPage:
        """A range of the canonical steps."""
        run = await self._run(tenant, run_id)
        within = (records.c.step_index >= start) & (records.c.step_index < stop)
        rows = await self._rows(run["id"], (records.c.kind == "step") & within)
        canonical = {row.step_index: row for row in rows}
        steps = [orjson.loads(row.body) for row in canonical.values()]
        return StepPage(steps=steps, total=run["step_count"])

    async def paths(self, tenant: str, run_id: str) -> list[str]:
        """Every file of the bundle, sorted."""
        run = await self._run(tenant, run_id)
        rows = await self._rows(run["id"], records.c.path != "", bodies=False)
        return bundle_paths(rows)

    async def read(self, tenant: str, run_id: str, path: str) -> bytes:
        """One file of the bundle."""
        run = await self._run(tenant, run_id)
        rows = await self._rows(run["id"], _needed_for(path))
        return await asyncio.to_thread(render, path, rows, self._blobs)

    @asynccontextmanager
    async def folder(self, tenant: str, run_id: str) -> AsyncIterator[Path]:
        """The bundle, written out for the time being."""
        run = await self._run(tenant, run_id)
        rows = await self._rows(run["id"], records.c.path != "")
        root = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="augur-bundle-"))
        try:
            await asyncio.to_thread(_write_out, root, rows, self._blobs)
            yield root
        finally:
            await asyncio.to_thread(shutil.rmtree, root, True)

    async def inventory(self, tenant: str, run_id: str) -> dict[str, Any]:
        """What is there: the sequence number and digest of each identity, by kind."""
        try:
            run = await self._run(tenant, run_id)
        except UnknownRunError:
            return {"run_id": run_id, "seq": 0, "records": {}}
        columns = (records.c.kind, records.c.item, records.c.seq, records.c.sha256)
        found: dict[str, dict[str, Any]] = defaultdict(dict)
        async with self._engine.connect() as connection:
            rows = await connection.execute(select(*columns).where(records.c.run == run["id"]))
            for kind, item, seq, sha256 in rows:
                found[kind][item] = {"rev": seq} | ({"sha256": sha256} if sha256 else {})
        return {"run_id": run_id, "seq": run["seq"], "records": found}

    async def since(self, tenant: str, run_id: str, seq: int, limit: int) -> list[Stored]:
        """The records that came after a number of the run's sequence, in order."""
        run = await self._run(tenant, run_id)
        statement = (
            _stored(bodies=True)
            .where(records.c.run == run["id"], records.c.seq > seq)
            .order_by(records.c.seq)
            .limit(limit)
        )
        async with self._engine.connect() as connection:
            return [Stored(*row) for row in await connection.execute(statement)]

    async def changed_since(self, tenant: str, moment: float) -> tuple[list[RunSummary], float]:
        """The runs that changed after a moment, oldest change first, and the latest change."""
        statement = (
            select(runs)
            .where(runs.c.tenant == tenant, runs.c.changed > moment)
            .order_by(runs.c.changed)
            .limit(500)
        )
        async with self._engine.connect() as connection:
            found = [dict(row) for row in (await connection.execute(statement)).mappings()]
            pictures = await _last_pictures(connection, [row["id"] for row in found])
        latest = found[-1]["changed"] if found else moment
        return [_summary(row, pictures.get(row["id"])) for row in found], latest

    async def _run(self, tenant: str, run_id: str) -> dict[str, Any]:
        statement = select(runs).where(runs.c.tenant == tenant, runs.c.run_id == run_id)
        async with self._engine.connect() as connection:
            row = (await connection.execute(statement)).mappings().first()
        if row is None:
            raise UnknownRunError(run_id)
        return dict(row)

    async def _rows(self, run: int, which: Any, *, bodies: bool = True) -> list[Stored]:
        statement = (
            _stored(bodies=bodies)
            .where(records.c.run == run, which)
            .order_by(records.c.step_index, records.c.canonical, records.c.seq)
        )
        async with self._engine.connect() as connection:
            return [Stored(*row) for row in await connection.execute(statement)]


def _stored(*, bodies: bool) -> Any:
    body = records.c.body if bodies else func.substr(records.c.body, 1, 0)
    r = records.c
    return select(r.kind, r.item, r.seq, r.path, r.step_index, body, r.sha256, r.canonical)


def _needed_for(path: str) -> Any:
    if path == layout.TRACE:
        return records.c.kind.in_(("session", "step"))
    if path == layout.MANIFEST:
        return records.c.path != ""
    if path == layout.AGENT:
        return records.c.kind.in_(("session", "step")) | (records.c.path == path)
    if path.startswith(layout.PATHS["steps"]) and path.count("/") == 2:
        return records.c.path == f"{path.rpartition('/')[0]}.json"
    return records.c.path == path


def _write_out(root: Path, rows: list[Stored], blobs: Blobs) -> None:
    for path, data in whole_bundle(rows, blobs):
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _index(seq: int, rows: list[Any], kinds: dict[int, list[str]]) -> RunIndex:
    index = RunIndex(seq=seq)
    last: dict[int, str] = {}
    counts: dict[int, int] = defaultdict(int)
    for at, brief, _, _ in rows:
        last[at] = brief
        counts[at] += 1
    for at, brief in last.items():
        add_step(index, at, orjson.loads(brief), kinds.get(at, ()), "", counts[at])
    return index


def _filtered(statement: Select[Any], tenant: str, query: RunQuery) -> Select[Any]:
    statement = statement.where(runs.c.tenant == tenant)
    for name in ("status", "client", "model", "task_class", "outcome", "failure_class"):
        if wanted := getattr(query, name):
            statement = statement.where(runs.c[name] == wanted)
    if query.tag:
        name, _, value = query.tag.partition("=")
        start = orjson.dumps(name).decode() + ":"
        wanted = start + orjson.dumps(value).decode() if value else start
        statement = statement.where(runs.c.tags.contains(wanted, autoescape=True))
    if query.since:
        statement = statement.where(runs.c.started_at >= query.since)
    if query.until:
        statement = statement.where(runs.c.started_at < query.until)
    if query.text:
        text = query.text.lower()
        statement = statement.where(
            or_(
                runs.c.text.contains(text, autoescape=True),
                func.lower(runs.c.run_id).contains(text, autoescape=True),
            )
        )
    return statement


def _cursor(after: str) -> Any:
    try:
        key, run = orjson.loads(base64.urlsafe_b64decode(after + "=="))
    except (ValueError, TypeError):
        raise ValueError("after: expected the `next` of an earlier page") from None
    return tuple_(key, run)


def _page_after(row: Any) -> str:
    raw = orjson.dumps([row["sort_key"], row["id"]])
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


async def _last_pictures(connection: Any, run_ids: list[int]) -> dict[int, str]:
    latest = (
        select(records.c.run, func.max(records.c.seq).label("seq"))
        .where(records.c.run.in_(run_ids), records.c.kind == "screenshot")
        .group_by(records.c.run)
        .subquery()
    )
    joined = and_(records.c.run == latest.c.run, records.c.seq == latest.c.seq)
    found = await connection.execute(select(records.c.run, records.c.path).join(latest, joined))
    return {row.run: row.path for row in found}


def _summary(row: dict[str, Any], picture: str | None) -> RunSummary:
    start, end = milliseconds(row["started_at"]), milliseconds(row["ended_at"])
    names = set(RunSummary.model_fields) - {"tags", "duration_ms", "last_picture", "connected"}
    return RunSummary(
        tags={str(k): str(v) for k, v in orjson.loads(row["tags"]).items()},
        duration_ms=end - start if start is not None and end is not None else None,
        last_picture=picture,
        connected=row["status"] == "running"
        and (row["last_seen"] or 0.0) > time.time() - CONNECTED,
        **{name: row[name] for name in names if name in row},
    )
