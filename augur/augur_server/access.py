"""Who may do what: keys for agents, roles for people, sessions as cookies.

Secrets are 48 hex digits, shown once and stored as SHA-256. A lookup by digest tells nothing about
how much of a guess was right, so that there is nothing to compare in constant time by hand.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from augur_server.schema import audit, keys, people, tokens

__all__ = ["COOKIE", "Access", "Person", "Role", "require"]

Role = Literal["viewer", "operator", "admin"]
_RANK: Final = {"viewer": 0, "operator": 1, "admin": 2}

COOKIE: Final = "augur_session"
SESSION_LIFE: Final = 14 * 86400.0
LOGIN_LIFE: Final = 3600.0
"""Seconds for which a link that logs in works, once."""

FAILED_LOGIN_DELAY: Final = 0.5
CACHED: Final = 5.0
"""Seconds for which a key's answer is remembered: a revoked key is refused here at once, and by
another process after so long."""


@dataclass(frozen=True)
class Person:
    """Who is behind a request."""

    name: str
    tenant: str
    role: Role

    def may(self, role: Role) -> bool:
        """Whether the role is at least this one."""
        return _RANK[self.role] >= _RANK[role]


class Access:
    """Keys, people and sessions in the database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._cache: dict[str, tuple[str, float]] = {}

    async def tenant_of_key(self, secret: str) -> str | None:
        """The tenant into which a key writes; None for one that is unknown or revoked."""
        digest = _digest(secret)
        tenant, until = self._cache.get(digest, ("", 0.0))
        if until > time.monotonic():
            return tenant
        used = (
            update(keys)
            .where(keys.c.sha256 == digest, keys.c.revoked.is_(None))
            .values(last_used=time.time())
            .returning(keys.c.tenant)
        )
        async with self._engine.begin() as connection:
            found = (await connection.execute(used)).scalar()
        if found is None:
            self._cache.pop(digest, None)
            return None
        self._cache[digest] = (found, time.monotonic() + CACHED)
        return str(found)

    async def add_key(self, tenant: str, name: str) -> str:
        """Make a key and return it; it cannot be shown again."""
        secret = secrets.token_hex(24)
        row = {"tenant": tenant, "name": name, "sha256": _digest(secret), "created": time.time()}
        async with self._engine.begin() as connection:
            await connection.execute(keys.insert().values(row))
        return secret

    async def list_keys(self, tenant: str) -> list[dict[str, Any]]:
        """The keys of a tenant, without the secrets."""
        shown = [c for c in keys.c if c.name != "sha256"]
        async with self._engine.connect() as connection:
            found = await connection.execute(select(*shown).where(keys.c.tenant == tenant))
            return [dict(row._mapping) for row in found]  # noqa: SLF001 - a row's documented view

    async def revoke_key(self, tenant: str, key_id: int) -> bool:
        """End a key, at once; False where there is none."""
        ended = (
            update(keys)
            .where(keys.c.tenant == tenant, keys.c.id == key_id, keys.c.revoked.is_(None))
            .values(revoked=time.time())
        )
        async with self._engine.begin() as connection:
            count = (await connection.execute(ended)).rowcount
        self._cache.clear()
        return count > 0

    async def add_person(self, tenant: str, name: str, role: Role) -> str:
        """Make a person and return the token to log in with; it cannot be shown again."""
        secret = secrets.token_hex(24)
        row = {"tenant": tenant, "name": name, "role": role, "created": time.time()}
        async with self._engine.begin() as connection:
            await connection.execute(people.insert().values(row | {"sha256": _digest(secret)}))
        return secret

    async def login_token(self, person: Person) -> str:
        """A token for a link that logs in once."""
        return await self._issue("login", person, LOGIN_LIFE)

    async def log_in(self, token: str) -> tuple[str, Person]:
        """Change a token for a session.

        Raises:
            HTTPException: The token is unknown, used or too old; said only after a delay.
        """
        digest = _digest(token)
        async with self._engine.begin() as connection:
            once = delete(tokens).where(tokens.c.sha256 == digest, tokens.c.kind == "login")
            once = once.where(tokens.c.expires > time.time())
            row = (await connection.execute(once.returning(tokens))).mappings().first()
            if row is None:
                known = select(people.c.name.label("person"), people.c.tenant, people.c.role)
                row = (
                    (await connection.execute(known.where(people.c.sha256 == digest)))
                    .mappings()
                    .first()
                )
        if row is None:
            await asyncio.sleep(FAILED_LOGIN_DELAY)
            raise HTTPException(401, "the token is unknown, used or too old")
        person = Person(row["person"], row["tenant"], row["role"])
        return await self._issue("session", person, SESSION_LIFE), person

    async def _issue(self, kind: str, person: Person, life: float) -> str:
        secret = secrets.token_hex(24)
        row = {
            "sha256": _digest(secret),
            "kind": kind,
            "person": person.name,
            "tenant": person.tenant,
            "role": person.role,
            "expires": time.time() + life,
        }
        async with self._engine.begin() as connection:
            await connection.execute(tokens.insert().values(row))
        return secret

    async def person_of(self, session: str) -> Person | None:
        """Who a session belongs to; None for one that is unknown or over."""
        known = select(tokens).where(
            tokens.c.sha256 == _digest(session),
            tokens.c.kind == "session",
            tokens.c.expires > time.time(),
        )
        async with self._engine.connect() as connection:
            row = (await connection.execute(known)).mappings().first()
        return Person(row["person"], row["tenant"], row["role"]) if row else None

    async def person_of_token(self, token: str) -> Person | None:
        """Who a personal token belongs to, for scripts that send it as a bearer."""
        known = select(people).where(people.c.sha256 == _digest(token))
        async with self._engine.connect() as connection:
            row = (await connection.execute(known)).mappings().first()
        return Person(row["name"], row["tenant"], row["role"]) if row else None

    async def log_out(self, session: str) -> None:
        """End a session."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(tokens).where(tokens.c.sha256 == _digest(session)))

    async def note(self, person: Person, what: str, run_id: str = "", detail: str = "") -> None:
        """Add a line to the audit log."""
        row = {"at": time.time(), "tenant": person.tenant, "who": person.name, "what": what}
        async with self._engine.begin() as connection:
            await connection.execute(
                audit.insert().values(row | {"run_id": run_id, "detail": detail})
            )

    async def audited(
        self, tenant: str, run_id: str = "", limit: int = 200
    ) -> list[dict[str, Any]]:
        """The latest lines of the audit log, latest first."""
        lines = select(audit).where(audit.c.tenant == tenant)
        if run_id:
            lines = lines.where(audit.c.run_id == run_id)
        async with self._engine.connect() as connection:
            found = await connection.execute(lines.order_by(audit.c.id.desc()).limit(limit))
            return [dict(row) for row in found.mappings()]


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def bearer(request: Request) -> str:
    """The token of an `Authorization: Bearer` header; empty without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def require(role: Role) -> Any:
    """A dependency: the person behind the request, who must have at least this role."""

    async def person(request: Request) -> Person:
        found = await identify(request)
        if found is None:
            raise HTTPException(401, "log in first", {"WWW-Authenticate": "Bearer"})
        if not found.may(role):
            raise HTTPException(403, f"this needs the role {role}")
        return found

    return person


async def identify(request: Request) -> Person | None:
    """Who is behind a request: by a personal token, or by a session's cookie and Origin."""
    fixed: Person | None = getattr(request.app.state, "everyone", None)
    if fixed is not None:
        return fixed
    access: Access = request.app.state.access
    if token := bearer(request):
        return await access.person_of_token(token)
    session = request.cookies.get(COOKIE, "")
    if not session:
        return None
    if request.method not in {"GET", "HEAD"}:
        check_origin(request)
    return await access.person_of(session)


def check_origin(request: Request) -> None:
    """Refuse a call that another site's page made with this browser's cookie.

    Raises:
        HTTPException: The Origin is absent or another.
    """
    origin = urlsplit(request.headers.get("origin", ""))
    if not origin.netloc or origin.netloc != request.headers.get("host"):
        raise HTTPException(403, "the request's Origin is not this server")
