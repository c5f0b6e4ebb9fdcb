"""The doctor says in plain words why nothing shows up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from augur_sdk.streaming import doctor
from augur_sdk.streaming.doctor import Check
from augur_sdk.streaming.outcome import Answer, Failure, Trouble
from augur_sdk.testing import FaultyServer

CANARY = "canary-7f3a9c"
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("raw", [None, "", "  "])
def test_no_dsn_is_named_as_the_reason(raw: str | None) -> None:
    check = doctor.check_dsn(raw)
    assert not check.ok
    assert "nothing is streamed" in check.detail
    assert "AUGUR_DSN" in check.advice


@pytest.mark.parametrize("raw", [f"ftp://h?token={CANARY}", f"https://u:{CANARY}@h?token=x"])
def test_a_malformed_dsn_is_explained_and_not_shown(raw: str) -> None:
    check = doctor.check_dsn(raw)
    assert not check.ok
    assert CANARY not in repr(check)


def test_a_good_dsn_is_shown_without_its_token() -> None:
    check = doctor.check_dsn(f"https://a.example/api/v1?token={CANARY}&tenant=acme")
    assert check == Check("dsn", ok=True, detail="https://a.example/api/v1, tenant acme")


@pytest.mark.parametrize("trouble", list(Trouble))
def test_every_trouble_has_advice(trouble: Trouble) -> None:
    check = doctor.check_server(Failure(trouble))
    assert not check.ok
    assert check.advice


@pytest.mark.parametrize(
    ("status", "server", "credential"),
    [
        (200, True, True),
        (201, True, True),
        (401, True, False),
        (403, True, False),
        (404, False, True),
        (302, False, True),
        (429, False, True),
        (500, False, True),
    ],
)
def test_an_answer_tells_server_and_credential_apart(
    status: int, server: bool, credential: bool
) -> None:
    assert doctor.check_server(Answer(status)).ok is server
    assert doctor.check_credential(Answer(status)).ok is credential


@pytest.mark.parametrize(
    ("skew", "ok", "word"),
    [(0, True, "within"), (59, True, "within"), (90, False, "behind"), (-90, False, "ahead")],
)
def test_a_wrong_clock_is_noticed(skew: int, ok: bool, word: str) -> None:
    theirs = format_datetime(NOW + timedelta(seconds=skew), usegmt=True)
    check = doctor.check_clock(Answer(200, date=theirs), NOW)
    assert check.ok is ok
    assert word in check.detail


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_a_clock_that_cannot_be_compared_is_no_fault(date: str) -> None:
    assert doctor.check_clock(Answer(200, date=date), NOW).ok


@pytest.mark.parametrize(
    ("proxies", "bypassed", "detail"),
    [
        ({}, False, "none"),
        ({"http": "http://p:1"}, False, "none"),
        ({"https": f"http://user:{CANARY}@p:1"}, False, "through p"),
        ({"https": "http://p:1"}, True, "none"),
        ({"all": "http://q:1"}, False, "through q"),
    ],
)
def test_the_proxy_is_named_without_its_password(
    proxies: dict[str, str], bypassed: bool, detail: str
) -> None:
    check = doctor.check_proxy("https://a.example", proxies, bypassed=bypassed)
    assert check == Check("proxy", ok=True, detail=detail)


def test_a_proxy_that_cannot_be_read_is_noticed() -> None:
    assert not doctor.check_proxy("https://a.example", {"https": "junk"}, bypassed=False).ok


@pytest.mark.parametrize(
    ("writable", "free", "ok"), [(True, 10**10, True), (True, 10**6, False), (False, 10**10, False)]
)
def test_the_disk_is_looked_at(writable: bool, free: int, ok: bool) -> None:
    assert doctor.check_disk(Path("runs"), writable=writable, free=free).ok is ok


@pytest.mark.parametrize(
    ("mode", "env", "ok"),
    [
        (None, {}, False),
        ("off", {"AUGUR_CAPTURE_MODE": "full"}, False),
        (None, {"AUGUR_CAPTURE_MODE": "screenshots"}, True),
        (None, {"AUGUR_CAPTURE_MODE": "everything"}, False),
        ("trace", {}, True),
    ],
)
def test_capture_mode_off_is_named_as_the_reason(mode: Any, env: dict[str, str], ok: bool) -> None:
    assert doctor.check_capture_mode(mode, env).ok is ok


def test_a_missing_package_is_named() -> None:
    assert doctor.check_versions({"httpx": None}) == Check(
        "versions",
        ok=False,
        detail="missing: httpx",
        advice="Install augur-sdk again with its dependencies.",
    )


def test_a_policy_that_lets_secrets_through_is_noticed() -> None:
    assert not doctor.check_redaction("mine", b"secret", b"a secret here").ok
    assert doctor.check_redaction("mine", b"secret", b"a *** here").ok


def examined(**given: Any) -> dict[str, Check]:
    async def run() -> list[Check]:
        return await doctor.examine(**given)

    return {check.name: check for check in anyio.run(run)}


@pytest.mark.may_block
def test_a_healthy_setup_passes_every_check(server: FaultyServer, tmp_path: Path) -> None:
    checks = examined(dsn=server.dsn, out_dir=tmp_path / "runs", capture_mode="trace", env={})
    assert [check for check in checks.values() if not check.ok] == []
    assert set(checks) == {
        "versions",
        "disk",
        "capture mode",
        "redaction",
        "dsn",
        "proxy",
        "server",
        "credential",
        "clock",
    }
    assert server.heartbeats[0]["client_name"] == "augur-doctor"
    assert "run_id" not in server.heartbeats[0]


@pytest.mark.may_block
def test_the_token_is_in_no_finding(server: FaultyServer, tmp_path: Path) -> None:
    dsn = server.dsn.replace(server.token, CANARY)
    checks = examined(env={"AUGUR_DSN": dsn}, out_dir=tmp_path)
    assert not checks["credential"].ok
    assert CANARY not in repr(checks)


@pytest.mark.may_block
def test_without_a_dsn_the_server_is_not_asked(tmp_path: Path) -> None:
    assert "server" not in examined(env={}, out_dir=tmp_path)
