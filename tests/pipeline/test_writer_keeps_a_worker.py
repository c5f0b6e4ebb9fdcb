"""Whatever else the workers do, one is left for the journal."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from scenarios import png, step

from augur_sdk import DebugSession
from augur_sdk.images import hashing


def test_records_are_stored_while_the_first_picture_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one imports what measures pictures, which takes a busy machine a second."""
    go_on = threading.Event()

    def slow(picture: bytes, **given: Any) -> str | None:
        assert go_on.wait(30)
        return measure(picture, **given)

    measure = hashing.phash_64
    for place in ("images.hashing", "images.probe"):
        monkeypatch.setattr(f"augur_sdk.{place}.phash_64", slow)
    session = DebugSession(run_id="r", client_name="c", out_dir=tmp_path, capture_mode="full")
    with session:
        try:
            for index in range(3):
                session.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
            session.flush()
            for index in range(3):
                session.record_step(step(index))
                assert session.flush(3).queued == 0
        finally:
            go_on.set()
