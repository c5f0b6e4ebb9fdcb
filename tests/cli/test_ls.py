"""`augur ls`: many runs at a glance."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from augur_sdk.storage import LocalFSStore, ObjectStore, store_from_uri

_numbers = itertools.count()


@pytest.fixture
def place() -> str:
    """A place of the test's own in this process's memory."""
    return f"memory://ls-{next(_numbers)}/runs"


def put(place: str, run: str, status: str = "succeeded", **more: Any) -> None:
    store = store_from_uri(place)
    assert isinstance(store, (ObjectStore, LocalFSStore))
    manifest = {
        "run_id": run,
        "step_count": 3,
        "costs": {"total_usd": 0.25},
        "trajectory_fingerprint": "cua_v1:0123456789abcdef0123456789abcdef",
        **more,
    }
    store.write_bytes(f"{run}/manifest.json", orjson.dumps(manifest))
    store.write_bytes(f"{run}/trace.json", b'{"session": {"status": "%s"}}' % status.encode())


def test_each_run_is_a_row_with_status_steps_cost_and_fingerprint(augur: Any, place: str) -> None:
    put(place, "a")
    put(place, "2026/07/b", "failed")
    said = augur("ls", place)
    assert said.code == 0
    head, first, second, sums = said.out.splitlines()
    assert head.split() == ["status", "steps", "cost", "fingerprint", "run"]
    assert first.split() == ["failed", "3", "$0.25", "cua_v1:0123456789ab", "2026/07/b"]
    assert second.split() == ["succeeded", "3", "$0.25", "cua_v1:0123456789ab", "a"]
    assert sums == "2 runs: 1 failed, 1 succeeded, $0.50"


def test_one_folder_of_it_can_be_looked_into(augur: Any, place: str) -> None:
    put(place, "2026/07/a")
    put(place, "2026/08/b")
    assert [run["path"] for run in augur("ls", place, "--under", "2026/08", "--json").json] == [
        "2026/08/b"
    ]
    assert [run["path"] for run in augur("ls", f"{place}/2026/07", "--json").json] == ["a"]


def test_json_has_everything_that_is_known(augur: Any, place: str) -> None:
    put(place, "a", created_at="2026-01-01T00:00:00Z")
    [run] = augur("ls", place, "--json").json
    assert run["uri"] == f"{place}/a"
    assert (run["status"], run["steps"], run["complete"]) == ("succeeded", 3, True)
    assert run["created_at"] == "2026-01-01T00:00:00Z"


def test_a_place_without_runs_is_no_failure(augur: Any, place: str) -> None:
    assert augur("ls", place).out == "0 runs\n"
    assert augur("ls", place, "--json").json == []


def test_a_run_being_written_is_unfinished_and_a_damaged_manifest_ends_with_1(
    augur: Any, place: str
) -> None:
    store = store_from_uri(place)
    assert isinstance(store, ObjectStore)
    store.write_bytes("a/steps/0000.json", b"{}")
    said = augur("ls", place)
    assert (said.code, "unfinished" in said.out) == (0, True)
    store.write_bytes("b/manifest.json", b"{")
    said = augur("ls", place)
    assert (said.code, "unreadable" in said.out) == (1, True)


def test_a_folder_of_recorded_runs_is_listed_like_a_uri(augur: Any, bundle: Path) -> None:
    by_path = augur("ls", bundle.parent, "--json").json
    by_uri = augur("ls", bundle.parent.as_uri(), "--json").json
    assert by_path == by_uri
    assert [(run["run_id"], run["status"], run["steps"]) for run in by_path] == [
        ("checkout-7", "succeeded", 4)
    ]


def test_runs_in_s3_are_listed(augur: Any, bundle: Path, s3_uri: str) -> None:
    for run in ("a", "b"):
        assert augur("push", "--store", f"{s3_uri}/{run}", bundle).code == 0
    runs = augur("ls", s3_uri, "--json").json
    assert [(run["path"], run["steps"]) for run in runs] == [("a", 4), ("b", 4)]


def test_recorded_text_cannot_steer_the_terminal(augur: Any, place: str) -> None:
    put(place, "a", "\\u001b]0;owned\\u0007")
    said = augur("ls", place)
    assert "owned" in said.out
    assert not {"\x1b", "\x07"} & set(said.out)


def test_what_is_no_place_ends_with_2(augur: Any, tmp_path: Path) -> None:
    assert augur("ls", tmp_path / "absent").code == 2
    assert augur("ls", "ftp://host/x").code == 2


def test_a_store_that_cannot_be_reached_ends_with_2_and_one_line(
    augur: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-secret")
    monkeypatch.setattr(
        "augur_sdk.storage.backends.Patience.retry_config", lambda _: {"max_retries": 0}
    )
    said = augur("ls", "s3://bucket/runs")
    assert said.code == 2
    assert said.err.startswith("augur: the store could not be reached")
    assert "canary-secret" not in said.err


def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    for number in range(300):
        put(str(tmp_path), f"run-{number:03d}")
    command = [sys.executable, "-m", "augur_sdk.cli", "ls", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
