"""`augur push --store`: finishing what a session could not upload."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scenarios import files_of, read_json, step

from augur_sdk import DebugSession
from augur_sdk.storage import ObjectStore, S3Store, store_from_uri
from augur_sdk.storage.upload_queue import Pace

_numbers = itertools.count()


@pytest.fixture
def place() -> str:
    """A place of the test's own in this process's memory."""
    return f"memory://push-{next(_numbers)}/run"


def contents(uri: str) -> dict[str, bytes]:
    store = store_from_uri(uri)
    assert isinstance(store, ObjectStore)
    return {relpath: store.read_bytes(relpath) for relpath in store.list_files()}


def test_a_run_whose_store_was_down_is_finished_by_a_push(
    augur: Any, tmp_path: Path, s3_uri: str, bucket: str
) -> None:
    down = S3Store(bucket, "runs/1", endpoint="http://127.0.0.1:9")
    folder = tmp_path / "run"
    with DebugSession(
        run_id="r",
        client_name="c",
        out_dir=folder,
        capture_mode="full",
        store=down,
        flush_timeout=0.2,
    ) as session:
        session.record_step(step(0))
    assert (folder / "uploads.json").exists()
    said = augur("push", "--store", f"{s3_uri}/1", folder)
    assert (said.code, said.out) == (0, f"{folder}: everything is in {s3_uri}/1\n")
    assert contents(f"{s3_uri}/1") == files_of(folder)
    assert not (folder / "uploads.json").exists()
    assert augur("validate", f"{s3_uri}/1").code == 0


def test_a_push_can_be_repeated_and_says_so_in_json(augur: Any, bundle: Path, place: str) -> None:
    first = augur("push", "--store", place, bundle, "--json")
    again = augur("push", "--store", place, bundle, "--json")
    assert (first.code, again.code) == (0, 0)
    assert first.json == again.json
    expected = {"bundle": str(bundle), "store": place, "complete": True}
    assert first.json == {**expected, "pending": [], "failed": {}}
    assert contents(place) == files_of(bundle)


def test_a_store_that_is_down_ends_with_1_and_can_be_tried_again(
    augur: Any, bundle: Path, s3_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pace, "delay", lambda *_: 0.001)
    with monkeypatch.context() as down:
        down.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        down.setattr("augur_sdk.storage.backends.Patience.retry_config", _no_retries)
        said = augur("push", "--store", s3_uri, bundle)
        assert said.code == 1
        assert f"not yet in {s3_uri}" in said.out
        assert "Repeat this later" in said.out
        assert read_json(bundle / "uploads.json")["store"] == s3_uri
    assert augur("push", "--store", s3_uri, bundle).code == 0
    assert contents(s3_uri) == files_of(bundle)


def test_what_waiting_does_not_heal_is_said_at_once(augur: Any, bundle: Path, s3_uri: str) -> None:
    absent = s3_uri.replace("s3://", "s3://absent-")
    said = augur("push", "--store", absent, bundle)
    assert said.code == 1
    assert "no such bucket" in said.out


def test_a_killed_run_is_finished_first(augur: Any, tmp_path: Path, place: str) -> None:
    code = (
        "import os, sys\nfrom augur_sdk import DebugSession\n"
        "s = DebugSession(run_id='r', client_name='c', out_dir=sys.argv[1], capture_mode='full')\n"
        "s.__enter__()\nwith s.step('click'): pass\ns.flush(); os._exit(9)\n"
    )
    folder = tmp_path / "run"
    assert subprocess.run([sys.executable, "-c", code, folder], check=False).returncode == 9
    assert augur("push", "--store", place, folder).code == 0
    assert contents(place).keys() >= {"manifest.json", "steps/0000.json"}
    assert augur("validate", place).code == 0


def test_a_folder_without_a_run_is_not_pushed(augur: Any, tmp_path: Path, place: str) -> None:
    said = augur("push", "--store", place, tmp_path)
    assert (said.code, said.out) == (2, "")
    assert "is not a bundle" in said.err


def test_what_is_no_place_ends_with_2(augur: Any, bundle: Path) -> None:
    assert augur("push", "--store", "ftp://host/x", bundle).code == 2
    said = augur("push", "--store", "s3://key:secret@bucket/run", bundle)
    assert said.code == 2
    assert "secret" not in said.err


def _no_retries(_: object) -> dict[str, int]:
    return {"max_retries": 0}
