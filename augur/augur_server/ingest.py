"""The routes that agents write to (contract/http.md)."""

from __future__ import annotations

import time
from typing import Any, Final

import orjson
from fastapi import APIRouter, Depends, HTTPException, Request, Response

from augur_server.access import bearer
from augur_server.bodies import picture_part, read_body, read_picture
from augur_server.committer import BusyError, Committer, StorageError
from augur_server.database import insert
from augur_server.intake import Intake, RefusedError
from augur_server.models import Failure
from augur_server.paths import RunId, decoded
from augur_server.records import Write
from augur_server.schema import clients
from augur_server.settings import MAX_ENVELOPE, MAX_PICTURE, MAX_RECORD

__all__ = ["Agent", "ingest_routes"]

_STORED: Final = b'{"status":"stored"}'
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": Failure} for status in (401, 403, 413, 415, 422, 429, 503)
}
CAPABILITIES: Final = {"envelope": 1, "files": 1, "inventory": 1, "max_bytes": MAX_ENVELOPE}


async def _agent(request: Request) -> str:
    """The tenant of the key that the request carries."""
    tenant: str | None = await request.app.state.access.tenant_of_key(bearer(request))
    if tenant is None:
        raise HTTPException(
            401, "the API key is unknown or revoked", {"WWW-Authenticate": "Bearer"}
        )
    return tenant


Agent: Final = Depends(_agent)


def ingest_routes() -> APIRouter:
    """Everything that a key may call but commands."""
    router = APIRouter(tags=["ingest"], responses=_ANSWERS)
    router.add_api_route("/heartbeat", heartbeat, methods=["POST"])
    router.add_api_route("/runs", post_manifest, methods=["POST"], status_code=201)
    router.add_api_route("/runs/{run_id}/envelope", post_envelope, methods=["POST"])
    router.add_api_route("/runs/{run_id}/inventory", inventory, methods=["GET"])
    for method, path in _TABLE:
        name = f"{method.lower()}{path.replace('/', '_')}".translate(_NAMES)
        router.add_api_route(
            f"/runs/{{run_id}}{path}",
            store,
            methods=[method],
            status_code=201,
            operation_id=name,
        )
    return router


_NAMES: Final = str.maketrans({"{": None, "}": None, "-": "_", ".": "_", ":": "_"})
_TABLE: Final = (
    ("PUT", "/trace"),
    ("PUT", "/steps/{step_index}"),
    ("PUT", "/costs"),
    ("POST", "/events"),
    ("POST", "/screenshots/{step_index}/{kind}"),
    ("POST", "/modelio/{name}"),
    ("POST", "/logs"),
    ("POST", "/side-effects"),
    ("POST", "/reasoning"),
    ("POST", "/outcomes"),
    ("POST", "/eval-candidates"),
    ("POST", "/steps/{step_index}/judge-decisions"),
    ("PUT", "/files/{path:path}"),
)


def _parts(request: Request) -> list[str]:
    """The segments of the path below the run, decoded (see `paths`)."""
    encoded: str = request.scope["path"]
    segments = encoded.partition("/runs/")[2].split("/")[1:]
    return [decoded(part) for part in segments]


async def heartbeat(request: Request, tenant: str = Agent) -> dict[str, Any]:
    """Take note of a client, and say what this server can do."""
    beat = _json_object(await _bounded(request, MAX_RECORD))
    text = {name: str(beat.get(name) or "")[:500] for name in _BEAT}
    if not text["client_id"]:
        raise HTTPException(422, "client_id: is required and absent")
    row = {**text, "tenant": tenant, "last_seen": time.time()}
    made = insert(clients).values(row)
    update = {name: row[name] for name in row if name not in {"tenant", "client_id"}}
    async with request.app.state.engine.begin() as connection:
        await connection.execute(
            made.on_conflict_do_update(index_elements=["tenant", "client_id"], set_=update)
        )
    return {"status": "ok", "capabilities": CAPABILITIES}


_BEAT: Final = (
    "client_id",
    "client_name",
    "client_version",
    "capture_mode",
    "run_id",
    "last_event",
)


async def post_manifest(request: Request, tenant: str = Agent) -> Response:
    """Store a run's manifest: it is complete."""
    body = await _bounded(request, MAX_RECORD * 4)
    run_id = _json_object(body).get("run_id")
    if not isinstance(run_id, str) or not run_id:
        raise HTTPException(422, "run_id: expected a string")
    await _keep(request, _written(request, tenant, run_id, "POST", ["manifest"], body))
    return _stored()


async def store(request: Request, run: RunId, tenant: str = Agent) -> Response:
    """Store one record; the answer comes once it is committed and synced."""
    parts = _parts(request)
    _room(request)
    try:
        if parts[0] == "screenshots":
            body = await read_picture(request, MAX_PICTURE)
        else:
            body = await read_body(request, MAX_ENVELOPE if parts == ["trace"] else _limit(parts))
    except RefusedError as refused:
        raise HTTPException(refused.status, refused.detail) from None
    write = _written(request, tenant, run, request.method, parts, body)
    await _store_pictures(request, write, body)
    await _keep(request, write)
    return _stored()


async def post_envelope(request: Request, run: RunId, tenant: str = Agent) -> Response:
    """Store many records at once; each has a result of its own, in order."""
    body = await _bounded(request, MAX_ENVELOPE)
    whole = Write(tenant, run)
    results: list[dict[str, Any]] = []
    for header, content in _items(body):
        try:
            write = _item(request, tenant, run, header, content)
        except RefusedError as refused:
            results.append({"status": refused.status, "detail": refused.detail})
            continue
        if write.rows and write.rows[0].sha256:
            await request.app.state.blobs.put(
                picture_part(str(header["type"]), content, MAX_PICTURE)
            )
        whole.rows += write.rows
        whole.facts |= write.facts
        whole.masked += write.masked
        results.append({"status": 200})
    if whole.rows:
        await _keep(request, whole)
    return Response(orjson.dumps({"results": results}), media_type="application/json")


def _items(body: bytes) -> list[tuple[dict[str, Any], bytes]]:
    items = []
    at = 0
    while at < len(body):
        end = body.find(b"\n", at)
        header = _json_object(body[at : end if end >= 0 else len(body)])
        length = header.get("length")
        if end < 0 or not isinstance(length, int) or not 0 <= length <= len(body) - end - 1:
            raise HTTPException(422, "body: an item's length does not fit")
        items.append((header, body[end + 1 : end + 1 + length]))
        at = end + 1 + length + 1
    return items


def _item(request: Request, tenant: str, run: str, header: dict[str, Any], content: bytes) -> Write:
    path = str(header.get("path", "")).strip("/")
    parts = [decoded(part) for part in path.split("/")]
    body = content
    if parts[0] == "screenshots":
        body = picture_part(str(header.get("type", "")), content, MAX_PICTURE)
    elif len(content) > (MAX_ENVELOPE if parts == ["trace"] else _limit(parts)):
        raise RefusedError(413, f"body: expected at most {MAX_RECORD} bytes")
    intake: Intake = request.app.state.intake
    key = str(header.get("idempotency_key") or header.get("key") or "")
    write = intake.write(tenant, run, str(header.get("method", "")), parts, body, key)
    if write is None:
        raise RefusedError(404, "no such route")
    return write


async def inventory(request: Request, run: RunId, tenant: str = Agent) -> dict[str, Any]:
    """What is there of a run: identities with revisions, pictures by sha256."""
    found: dict[str, Any] = await request.app.state.source.inventory(tenant, run)
    return found


def _limit(parts: list[str]) -> int:
    return MAX_PICTURE if parts[0] == "files" else MAX_RECORD


async def _bounded(request: Request, limit: int) -> bytes:
    _room(request)
    try:
        return await read_body(request, limit)
    except RefusedError as refused:
        raise HTTPException(refused.status, refused.detail) from None


def _room(request: Request) -> None:
    """Answer at once when too much waits, before the body is read."""
    try:
        request.app.state.committer.check_room()
    except BusyError:
        raise _busy() from None


def _busy() -> HTTPException:
    return HTTPException(503, "too much waits for the disk", {"Retry-After": "1"})


def _written(
    request: Request, tenant: str, run: str, method: str, parts: list[str], body: bytes
) -> Write:
    intake: Intake = request.app.state.intake
    key = request.headers.get("idempotency-key", "")
    try:
        write = intake.write(tenant, run, method, parts, body, key)
    except RefusedError as refused:
        raise HTTPException(refused.status, refused.detail) from None
    if write is None:
        raise HTTPException(404, "no such route")
    return write


async def _store_pictures(request: Request, write: Write, body: bytes) -> None:
    if write.rows and write.rows[0].sha256:
        await request.app.state.blobs.put(body)


async def _keep(request: Request, write: Write) -> None:
    committer: Committer = request.app.state.committer
    try:
        await committer.write(write)
    except BusyError:
        raise _busy() from None
    except StorageError as error:
        detail = f"the record could not be stored: {error}"
        raise HTTPException(503, detail, {"Retry-After": "5"}) from None


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except ValueError:
        raise HTTPException(422, "body: expected JSON in UTF-8") from None
    if not isinstance(found, dict):
        raise HTTPException(422, "body: expected a JSON object")
    return found


def _stored() -> Response:
    return Response(_STORED, 201, media_type="application/json")
