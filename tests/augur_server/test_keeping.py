"""Backup, check, sizes and retention; and the commands that ask a server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from served import Served, on, picture, running, step, trace


def augur(*words: object, code: int = 0, login: dict[str, str] | None = None) -> str:
    """Run the command line as a user does."""
    done = subprocess.run(
        [sys.executable, "-m", "augur_sdk.cli", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": "augur", **(login or {})},
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def filled(served: Served, agent: httpx.Client) -> Served:
    for run, colour in (("old", "red"), ("new", "blue")):
        files = {"image": ("shot.png", picture(colour), "image/png")}
        agent.put(on(run, "/trace"), json=trace(run, step(0), status="succeeded"))
        assert agent.post(on(run, "/screenshots/0/pre"), files=files).status_code == 201
    return served


def test_a_backup_of_a_running_server_starts_as_one(filled: Served, tmp_path: Path) -> None:
    augur("server", "backup", tmp_path / "copy", "--data", filled.data)
    augur("server", "check", "--data", tmp_path / "copy")
    with running(tmp_path / "copy") as copy, copy.browser() as person:
        copy.log_in(person)
        shot = person.get(on("old", "/screenshots/0000_pre.png"))
        assert shot.content == picture("red")


def test_check_finds_a_picture_that_changed_and_one_that_is_gone(
    filled: Served, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    augur("server", "backup", copy, "--data", filled.data)
    first, second = sorted(copy.glob("blobs/*/*"))[:2]
    first.write_bytes(b"something else")
    second.unlink()
    said = augur("server", "check", "--data", copy, code=1)
    assert "have changed" in said
    assert "is not there" in said


def test_the_oldest_runs_beyond_the_bound_go_with_their_pictures(
    filled: Served, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    augur("server", "backup", copy, "--data", filled.data)
    assert "0 runs" in augur("server", "sweep", "--keep-days", 1, "--data", copy)
    assert len(list(copy.glob("blobs/*/*"))) == 2
    sizes = [line.split(maxsplit=1) for line in _du(copy)]
    whole = sum(int(size) for size, name in sizes if name in {"records", "pictures"})
    assert "1 runs" in augur("server", "sweep", "--keep-bytes", whole * 3 // 4, "--data", copy)
    assert [path.read_bytes() for path in copy.glob("blobs/*/*")] == [picture("blue")]


def _du(data: Path) -> list[str]:
    return augur("server", "du", "--data", data).strip().splitlines()


def test_a_person_lists_steers_and_pulls_from_the_command_line(
    filled: Served, agent: httpx.Client, tmp_path: Path
) -> None:
    token = augur("server", "person", "ada", "--role", "operator", "--data", filled.data).strip()
    login = {"AUGUR_TOKEN": token, "AUGUR_SERVER": filled.url}
    agent.put(on("going/on", "/trace"), json=trace("going/on"))
    assert "going/on" in augur("runs", "--status", "running", login=login)
    assert "queued" in augur("command", "going/on", "hint", "look", "left", login=login)
    augur("command", "old", "pause", code=2, login=login)
    augur("pull", "old", tmp_path / "pulled", login=login)
    assert (tmp_path / "pulled" / "screenshots" / "0000_pre.png").read_bytes() == picture("red")
    augur("validate", tmp_path / "pulled")
