"""Hashing ahead of the projection: each picture once, not too far, and never a fault of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from scenarios import png

from augur_sdk.bundle.catalog import Catalog
from augur_sdk.bundle.hash_ahead import FAR_AHEAD, HashAhead
from augur_sdk.bundle.journal import JournalFile
from augur_sdk.bundle.projection import Projection
from augur_sdk.images import hashing
from augur_sdk.storage import LocalFSStore

SHOT = "screenshots/step_0000_pre.png"


@pytest.fixture
def projection(tmp_path: Path) -> Projection:
    journal = JournalFile(tmp_path / "journal.jsonl")
    return Projection(tmp_path, LocalFSStore(tmp_path), journal, Catalog())


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The pictures that were decoded for their hash."""
    seen: list[bytes] = []
    monkeypatch.setattr(hashing, "_phash", lambda data, **_: seen.append(data))
    monkeypatch.setattr(hashing, "_recent", {})
    monkeypatch.setattr(hashing, "_ready", True)
    return seen


def test_each_picture_is_given_away_once_in_order() -> None:
    ahead = HashAhead()
    for path in ("b", "a", "b"):
        ahead.expect(path)
    assert [ahead.take(), ahead.take(), ahead.take()] == ["b", "a", None]


def test_a_picture_that_the_projection_has_come_to_is_not_given_away() -> None:
    ahead = HashAhead()
    ahead.expect("a")
    ahead.arrived("a")
    assert ahead.take() is None


def test_no_more_are_given_away_than_are_remembered_until_the_projection_follows() -> None:
    ahead = HashAhead()
    for number in range(FAR_AHEAD + 1):
        ahead.expect(str(number))
    taken = [ahead.take() for _ in range(FAR_AHEAD)]
    assert None not in taken
    assert ahead.take() is None
    ahead.arrived("0")
    assert ahead.take() == str(FAR_AHEAD)


def test_the_hash_of_a_waiting_picture_is_computed(
    projection: Projection, hashed: list[bytes], tmp_path: Path
) -> None:
    picture = png(1)
    LocalFSStore(tmp_path).write_bytes(SHOT, picture)
    projection.expect_picture(SHOT)
    assert projection.hash_ahead()
    assert not projection.hash_ahead()
    assert hashed == [picture]


def test_a_very_large_picture_is_left_to_its_turn(
    projection: Projection, hashed: list[bytes], tmp_path: Path
) -> None:
    LocalFSStore(tmp_path).write_bytes(SHOT, png(1, width=2100, height=1000))
    projection.expect_picture(SHOT)
    assert projection.hash_ahead()
    assert hashed == []


def test_a_picture_that_is_gone_is_left_to_its_turn(
    projection: Projection, hashed: list[bytes]
) -> None:
    projection.expect_picture(SHOT)
    assert projection.hash_ahead()
    assert hashed == []


def test_the_first_picture_of_a_process_is_left_to_its_turn(
    projection: Projection, hashed: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It imports what decodes pictures, and the journal is not to wait for that."""
    monkeypatch.setattr(hashing, "_ready", False)
    LocalFSStore(tmp_path).write_bytes(SHOT, png(1))
    projection.expect_picture(SHOT)
    assert not projection.hash_ahead()
    monkeypatch.setattr(hashing, "_ready", True)
    assert projection.hash_ahead()
    assert hashed == [png(1)]


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no symbolic links")
def test_a_picture_that_became_a_link_is_left_to_its_turn(
    projection: Projection, hashed: list[bytes], tmp_path: Path
) -> None:
    (tmp_path / "elsewhere.png").write_bytes(png(1))
    (tmp_path / "screenshots").mkdir()
    (tmp_path / SHOT).symlink_to(tmp_path / "elsewhere.png")
    projection.expect_picture(SHOT)
    assert projection.hash_ahead()
    assert hashed == []


def test_nothing_is_hashed_ahead_where_hashes_are_not_wanted(
    tmp_path: Path, hashed: list[bytes]
) -> None:
    files, journal = LocalFSStore(tmp_path), JournalFile(tmp_path / "journal.jsonl")
    projection = Projection(tmp_path, files, journal, Catalog(), perceptual_hashes=False)
    files.write_bytes(SHOT, png(1))
    projection.expect_picture(SHOT)
    assert not projection.hash_ahead()
    assert hashed == []
