"""Logging in and out, keys for agents, and the audit log."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, Field

from augur_server.access import COOKIE, SESSION_LIFE, Access, Person, check_origin, require
from augur_server.models import Audited, Failure, Login, Me

__all__ = ["me_routes", "people_routes"]

Admin = Annotated[Person, Depends(require("admin"))]
Viewer = Annotated[Person, Depends(require("viewer"))]
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": Failure} for status in (401, 403, 404, 422)
}


class KeyShown(BaseModel):
    """A key without its secret."""

    id: int
    name: str
    created: float
    last_used: float | None
    revoked: float | None


class KeyAsked(BaseModel):
    """A key to be made."""

    name: str = Field(min_length=1, max_length=200)


class KeyMade(BaseModel):
    """A key's secret, which is shown this once, and the DSN that holds it."""

    token: str
    dsn: str


def me_routes() -> APIRouter:
    """Who is logged in; also where nobody has to be."""
    router = APIRouter(tags=["auth"], responses=_ANSWERS)
    router.add_api_route("/auth/me", me, methods=["GET"])
    return router


def people_routes() -> APIRouter:
    """Log in and out; keys and the audit log for admins."""
    router = APIRouter(tags=["auth"], responses=_ANSWERS)
    router.add_api_route("/auth/login", log_in, methods=["POST"])
    router.add_api_route("/auth/logout", log_out, methods=["POST"])
    router.add_api_route("/tenant/dsns", list_keys, methods=["GET"])
    router.add_api_route("/tenant/dsns", add_key, methods=["POST"], status_code=201)
    router.add_api_route("/tenant/dsns/{key_id}", revoke_key, methods=["DELETE"])
    router.add_api_route("/audit", audit_log, methods=["GET"])
    return router


async def me(request: Request, person: Viewer) -> Me:
    """Who is logged in, and what they may do."""
    readonly = getattr(request.app.state, "everyone", None) is not None
    return Me(name=person.name, tenant=person.tenant, role=person.role, readonly=readonly)


async def log_in(request: Request, response: Response, asked: Login) -> Me:
    """Change a token, from the link or a personal one, for a session's cookie."""
    check_origin(request)
    access: Access = request.app.state.access
    session, person = await access.log_in(asked.token)
    secure = request.app.state.settings.secure_cookies or request.url.scheme == "https"
    response.set_cookie(
        COOKIE,
        session,
        max_age=round(SESSION_LIFE),
        httponly=True,
        samesite="strict",
        secure=secure,
    )
    return Me(name=person.name, tenant=person.tenant, role=person.role)


async def log_out(request: Request, response: Response, person: Viewer) -> dict[str, str]:  # noqa: ARG001 - who is not logged in is refused
    """End the session."""
    await request.app.state.access.log_out(request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE)
    return {"status": "logged out"}


async def list_keys(request: Request, person: Admin) -> list[KeyShown]:
    """The tenant's keys; a secret is never shown again."""
    found = await request.app.state.access.list_keys(person.tenant)
    return [KeyShown(**{name: row[name] for name in KeyShown.model_fields}) for row in found]


async def add_key(request: Request, asked: KeyAsked, person: Admin) -> KeyMade:
    """Make a key for an agent."""
    access: Access = request.app.state.access
    token = await access.add_key(person.tenant, asked.name)
    await access.note(person, "key added", detail=asked.name)
    base = str(request.base_url).rstrip("/")
    return KeyMade(token=token, dsn=f"{base}/api/v1?token={token}&tenant={person.tenant}")


async def revoke_key(request: Request, key_id: int, person: Admin) -> dict[str, str]:
    """End a key, at once."""
    access: Access = request.app.state.access
    if not 0 < key_id < 2**63 or not await access.revoke_key(person.tenant, key_id):
        raise HTTPException(404, "there is no such key")
    await access.note(person, "key revoked", detail=str(key_id))
    return {"status": "revoked"}


async def audit_log(request: Request, person: Admin) -> list[Audited]:
    """Who did what, latest first."""
    lines = await request.app.state.access.audited(person.tenant)
    shown = ("who", "what", "run_id", "detail")
    return [
        Audited(at_ms=round(line["at"] * 1000), **{name: line[name] for name in shown})
        for line in lines
    ]
