"""Pictures are hashed by both workers, while the run goes on and when it ends."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PIL import Image
from scenarios import png, read_json, step

from augur_sdk import DebugSession
from augur_sdk.bundle import layout
from augur_sdk.bundle.archive import Archive
from augur_sdk.bundle.projection import Projection
from augur_sdk.images import hashing
from augur_sdk.pipeline.portal import WORKERS

PATIENCE = 20.0


class Meeting:
    """Holds each hash back until so many threads are at one; `met` once they were."""

    def __init__(self, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.met = threading.Event()
        self._barrier = threading.Barrier(threads, self.met.set)
        self._hash = hashing._quick_phash
        monkeypatch.setattr(hashing, "_quick_phash", self)
        monkeypatch.setattr(hashing, "_recent", {})
        monkeypatch.setattr(hashing, "_ready", True)

    def __call__(self, picture: Image.Image) -> str | None:
        if not self.met.is_set():
            self._barrier.wait(PATIENCE)
        return self._hash(picture)


def opened(out: Path) -> DebugSession:
    return DebugSession(run_id="r", client_name="c", out_dir=out, capture_mode="full")


def record_pictures(session: DebugSession, count: int) -> None:
    for index in range(count):
        for kind in ("pre", "post"):
            picture = png(2 * index + (kind == "post"))
            session.attach_observation(step_index=index, kind=kind, png_bytes=picture)
        session.record_step(step(index))


def test_two_pictures_are_hashed_at_a_time_while_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = Meeting(2, monkeypatch)
    with opened(tmp_path / "b") as session:
        record_pictures(session, 3)
        assert meeting.met.wait(PATIENCE)


def test_closing_hashes_what_is_left_together_with_the_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = Meeting(1 + WORKERS, monkeypatch)
    with opened(tmp_path / "b") as session:
        with monkeypatch.context() as idle:
            idle.setattr(Archive, "project", lambda *_: True)
            idle.setattr(Projection, "hash_ahead", lambda _: False)
            record_pictures(session, 3)
            session.flush()
        assert not meeting.met.is_set()
    assert meeting.met.is_set()


def test_the_hashes_are_the_same_whoever_computed_them(tmp_path: Path) -> None:
    with opened(tmp_path / "b") as session:
        record_pictures(session, 20)
    for index in range(20):
        for kind in ("pre", "post"):
            found = read_json(tmp_path / "b" / layout.observation_path(index, kind))
            picture = (tmp_path / f"b/{found['artifact']}").read_bytes()
            assert found["hashes"]["phash_64"] == hashing.phash_64(picture)
