"""A replay of a parent whose bundle is behind a URI."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from scenarios import event, files_of, png, read_json, step

from augur_sdk import AsyncDebugSession, DebugSession
from augur_sdk.storage import StoreError
from augur_sdk.storage.pushing import push_bundle
from augur_sdk.validation import validate_bundle

Branch = Callable[..., None]


def arguments(parent: str | Path, folder: Path, **more: Any) -> dict[str, Any]:
    known = {
        "parent_run_id": "run_a",
        "branch_point_step_index": 2,
        "mutated_axis": "model",
        "mutation": {"model": "another"},
        "client_name": "agent",
        "out_dir": folder,
        "parent_bundle": parent,
        "started_at": "2026-01-01T00:00:00Z",
        "branch_id": "b",
        "run_id": "run_b",
        "debug_session_id": "dbg_b",
    }
    return {**known, **more}


def branch_blocking(parent: str | Path, folder: Path, **more: Any) -> None:
    with DebugSession.branch_from(**arguments(parent, folder, **more)) as session:
        session.record_step(step(2))


def branch_async(parent: str | Path, folder: Path, **more: Any) -> None:
    async def main() -> None:
        async with AsyncDebugSession.branch_from(**arguments(parent, folder, **more)) as session:
            await session.record_step(step(2))

    anyio.run(main)


both = pytest.mark.parametrize("branch", [branch_blocking, branch_async], ids=["blocking", "async"])


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    """A run of four steps with screenshots; one step has iterations."""
    folder = tmp_path / "parent"
    with DebugSession(
        run_id="run_a", client_name="agent", out_dir=folder, capture_mode="full"
    ) as session:
        for index in range(4):
            path = session.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
            session.record_step(step(index, observation_pre=path))
            session.record_event(event(index))
        session.record_step_iteration(1, step(1, step_id="again"))
    return folder


@both
def test_a_branch_of_a_bundle_in_s3_is_the_branch_of_its_folder(
    tmp_path: Path, parent: Path, s3_uri: str, branch: Branch
) -> None:
    assert anyio.run(push_bundle, parent, f"{s3_uri}/a").complete
    branch(parent, tmp_path / "here")
    branch(f"{s3_uri}/a", tmp_path / "there")
    here, there = files_of(tmp_path / "here"), files_of(tmp_path / "there")
    ended_differs = {"trace.json", "manifest.json", "AGENT.md"}
    assert here.keys() == there.keys()
    assert {path for path in here if here[path] != there[path]} <= ended_differs
    assert there["screenshots/0001_pre.png"] == png(1)
    assert "screenshots/0002_pre.png" not in there
    steps = read_json(tmp_path / "there/trace.json")["steps"]
    assert [record["step_index"] for record in steps] == [0, 1, 2]
    assert validate_bundle(tmp_path / "there") == []


@both
def test_a_place_without_a_bundle_is_no_parent(tmp_path: Path, s3_uri: str, branch: Branch) -> None:
    with pytest.raises(FileNotFoundError, match="holds no trace"):
        branch(f"{s3_uri}/absent", tmp_path / "b")


@both
def test_a_store_that_is_down_says_so_before_anything_is_begun(
    tmp_path: Path, s3_uri: str, branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(
        "augur_sdk.storage.backends.Patience.retry_config", lambda _: {"max_retries": 0}
    )
    with pytest.raises(StoreError, match="could not be reached"):
        branch(f"{s3_uri}/a", tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_the_folder_of_a_branch_is_not_its_parents_by_any_name(parent: Path) -> None:
    with pytest.raises(ValueError, match="out_dir is the parent"):
        branch_blocking(parent.as_uri(), parent)
