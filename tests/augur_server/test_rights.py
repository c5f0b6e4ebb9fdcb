"""Every route of the OpenAPI document, with the wrong key, role, Origin and tenant."""

from __future__ import annotations

import asyncio
import re
import sqlite3

import httpx
import pytest
from served import Served, on, step, trace

from augur_server.keeping import opened

OPEN = {"/healthz", "/readyz", "/auth/login"}


@pytest.fixture(scope="module")
def routes(person: httpx.Client) -> list[tuple[str, str, bool]]:
    """Method, path of a run that is there, and whether it takes a key instead of a person."""
    document = person.get("/openapi.json").json()
    found = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            filled = re.sub(r"\{run_id\}", "mine", path.removeprefix("/api/v1"))
            filled = re.sub(r"\{(step_index|key_id)\}", "0", filled)
            filled = re.sub(r"\{\w+\}", "x", filled)
            poll = method == "get" and path.endswith("/commands")
            by_key = "ingest" in operation["tags"] or poll
            found.append((method.upper(), filled, by_key))
    assert len(found) > 40
    return found


@pytest.fixture(scope="module")
def tokens(served: Served, person: httpx.Client) -> dict[str, str]:
    """A token of each role, and a person and a key of another tenant."""
    del person

    async def make() -> dict[str, str]:
        async with opened(served.data) as keeper:
            access = keeper.access
            return {
                "viewer": await access.add_person("default", "vera", "viewer"),
                "operator": await access.add_person("default", "oskar", "operator"),
                "other": await access.add_person("other", "mallory", "admin"),
                "other key": await access.add_key("other", "theirs"),
            }

    return asyncio.run(make())


@pytest.fixture
def run(served: Served) -> None:
    with served.agent() as agent:
        agent.put(on("mine", "/trace"), json=trace("mine", step(0, intent="SECRET-OF-MINE")))


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("token", ["x", "0" * 48])
def test_nobody_passes_without_a_valid_credential(
    served: Served, routes: list[tuple[str, str, bool]], token: str
) -> None:
    with served.agent(token) as nobody:
        for method, path, _ in routes:
            if path not in OPEN:
                assert nobody.request(method, path).status_code == 401, (method, path)


@pytest.mark.usefixtures("run")
def test_a_key_reads_nothing_but_commands_and_a_person_writes_no_records(
    served: Served, routes: list[tuple[str, str, bool]], tokens: dict[str, str]
) -> None:
    for method, path, by_key in routes:
        if path in OPEN:
            continue
        with served.agent(tokens["operator"] if by_key else None) as wrong:
            assert wrong.request(method, path).status_code == 401, (method, path)


@pytest.mark.usefixtures("run")
def test_another_tenant_sees_changes_and_deletes_nothing(
    served: Served,
    routes: list[tuple[str, str, bool]],
    tokens: dict[str, str],
    person: httpx.Client,
) -> None:
    before = person.get(on("mine", "/trace.json")).text
    with (
        served.agent(tokens["other"]) as mallory,
        served.agent(tokens["other key"]) as agent,
    ):
        for method, path, by_key in routes:
            if path in OPEN or path == "/live":  # a stream that stays open; empty, see live tests
                continue
            if path.endswith("/commands") and method == "GET":
                continue  # held open until its time is over, with nothing to say
            answer = (agent if by_key else mallory).request(method, path)
            assert "SECRET-OF-MINE" not in answer.text, (method, path)
            if path.startswith("/runs/mine") and not by_key:
                assert answer.status_code in {404, 422}, (method, path, answer.text)
        body = {"type": "kill"}
        assert mallory.post(on("mine", "/commands"), json=body).status_code == 404
        assert mallory.delete(on("mine")).status_code == 404
        agent.put(on("mine", "/steps/0"), json=step(0, intent="overwritten"))
    assert person.get(on("mine", "/trace.json")).text == before


@pytest.mark.usefixtures("run")
def test_a_role_does_what_it_may_and_no_more(served: Served, tokens: dict[str, str]) -> None:
    command = {"type": "pause"}
    with served.agent(tokens["viewer"]) as viewer, served.agent(tokens["operator"]) as operator:
        assert viewer.get(on("mine")).status_code == 200
        assert viewer.post(on("mine", "/commands"), json=command).status_code == 403
        assert operator.post(on("mine", "/commands"), json=command).status_code == 201
        for person in (viewer, operator):
            assert person.delete(on("mine")).status_code == 403
            assert person.get("/tenant/dsns").status_code == 403
            assert person.get("/audit").status_code == 403


@pytest.mark.usefixtures("run")
def test_another_sites_page_changes_nothing(
    person: httpx.Client, routes: list[tuple[str, str, bool]]
) -> None:
    for origin in ("https://evil.example", "null", ""):
        for method, path, by_key in routes:
            if method != "GET" and not by_key:
                answer = person.request(method, path, headers={"Origin": origin}, json={})
                assert answer.status_code in {403, 422}, (method, path)
    assert person.get(on("mine")).status_code == 200


def test_a_revoked_key_is_refused_at_once(served: Served, person: httpx.Client) -> None:
    made = person.post("/tenant/dsns", json={"name": "temporary"}).json()
    with served.agent(made["token"]) as agent:
        assert agent.put(on("k", "/trace"), json=trace("k")).status_code == 201
        number = next(
            k["id"] for k in person.get("/tenant/dsns").json() if k["name"] == "temporary"
        )
        assert person.delete(f"/tenant/dsns/{number}").status_code == 200
        assert agent.put(on("k", "/trace"), json=trace("k")).status_code == 401
    whats = [line["what"] for line in person.get("/audit").json()]
    assert whats[:2] == ["key revoked", "key added"]


def test_a_link_logs_in_once(served: Served, person: httpx.Client) -> None:
    del person  # it has followed the link
    token = served.login_url.partition("#login=")[2]
    with served.browser() as second:
        assert second.post("/auth/login", json={"token": token}).status_code == 401


def test_no_secret_stands_in_the_database(served: Served, person: httpx.Client) -> None:
    with sqlite3.connect(served.data / "augur.sqlite3") as database:
        dump = "\n".join(database.iterdump())
    database.close()
    assert served.key not in dump
    assert person.cookies["augur_session"] not in dump


def test_the_page_may_load_nothing_from_elsewhere(person: httpx.Client) -> None:
    headers = person.get("/healthz").headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "script-src" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
