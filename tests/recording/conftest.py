from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from both_classes import Open, faced
from scenarios import STARTED

from augur_sdk import AsyncDebugSession, DebugSession


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as running:
        yield running


@pytest.fixture(params=["blocking", "async"])
def session_class(request: pytest.FixtureRequest) -> Any:
    return DebugSession if request.param == "blocking" else AsyncDebugSession


@pytest.fixture
def face(portal: BlockingPortal) -> Callable[[Any], Any]:
    """Give a session of either class the blocking face."""
    return lambda session: faced(portal, session)


@pytest.fixture
def open_session(session_class: Any, tmp_path: Path, face: Callable[[Any], Any]) -> Open:
    """Constructs a session of either class, to be used with `with`."""

    def construct(folder: str | Path = "b", **options: Any) -> Any:
        options = {
            "run_id": "run_1",
            "client_name": "agent",
            "capture_mode": "full",
            "started_at": STARTED,
            "debug_session_id": "dbg_test",
            **options,
        }
        return face(session_class(out_dir=tmp_path / folder, **options))

    return construct


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Where `open_session()` writes."""
    return tmp_path / "b"
