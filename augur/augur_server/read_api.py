"""What the viewer and scripts read; the same routes over a database and over a folder."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from augur_sdk.bundle import layout
from augur_server.access import Person, require
from augur_server.blobs import thumbnail
from augur_server.models import Failure, RunIndex, RunPage, RunSummary, StepPage
from augur_server.paths import RunId, decoded
from augur_server.source import RunQuery, RunSource

__all__ = ["read_routes"]

Viewer = Annotated[Person, Depends(require("viewer"))]
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": Failure} for status in (401, 403, 404, 422)
}
_TYPES: Final = {
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".log": "text/plain; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
    ".png": "image/png",
}
WIDTHS: Final = (64, 160, 320, 640, 1280)
"""Widths of thumbnails; another one is rounded up, so that few are made."""

_thumbnails = asyncio.Semaphore(2)


async def _source(request: Request) -> RunSource:
    source: RunSource = request.app.state.source
    return source


Source = Annotated[RunSource, Depends(_source)]


def read_routes() -> APIRouter:
    """The routes; their order matters, since the last one takes any path of a bundle."""
    router = APIRouter(tags=["read"], responses=_ANSWERS)
    for path, endpoint in _TABLE:
        router.add_api_route(path, endpoint, methods=["GET"])
    return router


async def list_runs(
    source: Source,
    person: Viewer,
    query: Annotated[RunQuery, Depends()],
) -> RunPage:
    """Runs, latest first unless `sort` says otherwise; `after` takes the last page's `next`."""
    if not 1 <= query.limit <= 500:
        raise HTTPException(422, "limit: expected 1 to 500")
    try:
        return await source.list_runs(person.tenant, query)
    except ValueError as error:
        raise HTTPException(422, str(error)) from None


async def get_run(source: Source, run: RunId, person: Viewer) -> RunSummary:
    """A run as lists show it."""
    return await source.summary(person.tenant, run)


async def get_index(source: Source, run: RunId, person: Viewer) -> RunIndex:
    """All canonical steps, one array a column: 10,000 steps in one small answer."""
    return await source.index(person.tenant, run)


async def get_steps(
    source: Source,
    run: RunId,
    person: Viewer,
    start: Annotated[int, Query(alias="from", ge=0)] = 0,
    to: Annotated[int | None, Query(ge=0)] = None,
) -> StepPage:
    """The canonical steps with `from <= step_index < to`, at most 1,000."""
    stop = start + 1000 if to is None else min(to, start + 1000)
    return await source.steps(person.tenant, run, start, stop)


async def get_paths(source: Source, run: RunId, person: Viewer) -> list[str]:
    """The paths of every file of the bundle."""
    return await source.paths(person.tenant, run)


async def get_side_effects(source: Source, run: RunId, person: Viewer) -> list[dict[str, Any]]:
    """The ledger of side effects."""
    return await _records(source, person, run, layout.PATHS["side_effects"])


async def get_outcomes(source: Source, run: RunId, person: Viewer) -> dict[str, Any]:
    """The outcomes that were finalized."""
    try:
        found = orjson.loads(await source.read(person.tenant, run, layout.OUTCOMES))
    except FileNotFoundError:
        return {"outcomes": []}
    return found if isinstance(found, dict) else {"outcomes": []}


async def get_findings(source: Source, run: RunId, person: Viewer) -> list[dict[str, Any]]:
    """What the diagnostic rules find in the run; those in the bundle where it has some."""
    try:
        found = orjson.loads(await source.read(person.tenant, run, layout.FINDINGS))
        return found if isinstance(found, list) else []
    except (FileNotFoundError, ValueError):
        pass
    async with source.folder(person.tenant, run) as bundle:
        return await asyncio.to_thread(_diagnose, bundle)


async def get_diff(source: Source, run: RunId, other: str, person: Viewer) -> dict[str, Any]:
    """This run compared with another: the first divergence, and the steps side by side."""
    async with (
        source.folder(person.tenant, run) as left,
        source.folder(person.tenant, decoded(other)) as right,
    ):
        return await asyncio.to_thread(_compare, left, right)


async def get_zip(source: Source, run: RunId, person: Viewer) -> FileResponse:
    """The whole bundle; once the run has ended, byte for byte the agent's own."""
    handle, name = await asyncio.to_thread(tempfile.mkstemp, ".zip", "augur-")
    try:
        async with source.folder(person.tenant, run) as bundle:
            paths = await source.paths(person.tenant, run)
            await asyncio.to_thread(_zip, handle, bundle, paths)
    except BaseException:
        Path(name).unlink(missing_ok=True)  # noqa: ASYNC240 - cheap, and on the way out
        raise
    done = BackgroundTask(partial(Path(name).unlink, missing_ok=True))
    file = f"{layout.portable_name(run)}.zip"
    return FileResponse(name, media_type="application/zip", filename=file, background=done)


async def get_screenshot(
    request: Request,
    source: Source,
    run: RunId,
    name: str,
    person: Viewer,
    w: Annotated[int | None, Query(ge=1, le=4096)] = None,
) -> Response:
    """A screenshot, or with `w` a WebP thumbnail of about that width in pixels."""
    path = f"{layout.PATHS['screenshots']}{decoded(name)}"
    data = await source.read(person.tenant, run, path)
    if w is None or not path.endswith(".png"):
        return _answer(request, data, path)
    width = next((size for size in WIDTHS if size >= w), WIDTHS[-1])
    async with _thumbnails:
        try:
            small = await asyncio.to_thread(thumbnail, data, width)
        except OSError:
            raise HTTPException(422, "the picture cannot be made smaller") from None
    return _answer(request, small, "thumbnail.webp")


async def get_file(
    request: Request, source: Source, run: RunId, path: str, person: Viewer
) -> Response:
    """Any file of the bundle (contract/bundle.md); `Range` gives a part of it."""
    name = decoded(path)
    return _answer(request, await source.read(person.tenant, run, name), name)


_TABLE: Final[tuple[tuple[str, Callable[..., Any]], ...]] = (
    ("/runs", list_runs),
    ("/runs/{run_id}", get_run),
    ("/runs/{run_id}/index", get_index),
    ("/runs/{run_id}/steps", get_steps),
    ("/runs/{run_id}/paths", get_paths),
    ("/runs/{run_id}/side-effects", get_side_effects),
    ("/runs/{run_id}/outcomes", get_outcomes),
    ("/runs/{run_id}/diagnostics/findings.json", get_findings),
    ("/runs/{run_id}/diff/{other}", get_diff),
    ("/runs/{run_id}/bundle.zip", get_zip),
    ("/runs/{run_id}/screenshots/{name}", get_screenshot),
    ("/runs/{run_id}/{path:path}", get_file),
)


async def _records(
    source: RunSource, person: Person, run: str, folder: str
) -> list[dict[str, Any]]:
    paths = await source.paths(person.tenant, run)
    wanted = [path for path in paths if path.startswith(folder)]
    return [orjson.loads(await source.read(person.tenant, run, path)) for path in wanted]


def _diagnose(bundle: Path) -> list[dict[str, Any]]:
    from augur_sdk.diagnostics import diagnose

    return [dict(finding) for finding in diagnose(bundle)]


def _compare(left: Path, right: Path) -> dict[str, Any]:
    from dataclasses import asdict

    from augur_sdk.comparison import compare_bundles

    return asdict(compare_bundles(left, right))


def _zip(handle: int, bundle: Path, paths: list[str]) -> None:
    with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w") as archive:
        for path in paths:
            # A fixed date: the same bundle gives the same archive.
            info = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            picture = path.endswith(".png")
            info.compress_type = zipfile.ZIP_STORED if picture else zipfile.ZIP_DEFLATED
            archive.writestr(info, (bundle / path).read_bytes())


def _answer(request: Request, data: bytes, path: str) -> Response:
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Accept-Ranges": "bytes"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    media = _TYPES.get(Path(path).suffix, "application/octet-stream")
    media = "image/webp" if path.endswith(".webp") else media
    span = _range(request.headers.get("range", ""), len(data))
    if span is None:
        return Response(data, media_type=media, headers=headers)
    start, stop = span
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
    return Response(data[start:stop], 206, headers, media)


def _range(header: str, size: int) -> tuple[int, int] | None:
    """The single range that is asked for; None for all of it, or for what is not understood."""
    unit, _, spec = header.partition("=")
    first, dash, last = spec.partition("-")
    if unit != "bytes" or not dash or not all(p.isdigit() for p in _given(first, last)):
        return None
    if not first:
        return (max(0, size - int(last)), size) if last and int(last) else None
    start, stop = int(first), min(size, int(last) + 1) if last else size
    return (start, stop) if start < stop else None


def _given(*parts: str) -> Iterator[str]:
    return (part for part in parts if part)
