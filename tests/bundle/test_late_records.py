"""Records that come for steps of long ago, after what was remembered of them was let go."""

from __future__ import annotations

import hashlib
from pathlib import Path

import orjson
import pytest
from scenarios import event, png, read_json, step

from augur_sdk import DebugSession
from augur_sdk.bundle import archive, layout
from augur_sdk.bundle.projection import HELD_FILES


def signature(bundle: Path, path: str) -> bool:
    """Whether the manifest has the digest of the file as it is."""
    signed: str = read_json(bundle / layout.MANIFEST)["signatures"][path]
    return signed == hashlib.sha256((bundle / path).read_bytes()).hexdigest()


def test_an_event_of_an_old_step_is_sorted_into_its_file(tmp_path: Path) -> None:
    with DebugSession(run_id="r", client_name="c", out_dir=tmp_path, capture_mode="full") as run:
        for index in range(2 * HELD_FILES):
            run.record_step(step(index))
            run.record_event(event(index, "m"))
        run.flush()
        while run._core.archive.catalog.dirty:
            run.flush()
        for summary in ("z", "a"):
            run.record_event(event(0, summary))
    lines = (tmp_path / layout.events_path(0)).read_bytes().splitlines()
    assert [orjson.loads(line)["summary"] for line in lines] == ["a", "m", "z"]
    assert signature(tmp_path, layout.events_path(0))


def test_a_picture_that_comes_again_after_many_others_is_stored_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "KNOWN_PICTURES", 3)
    first = png(0)
    with DebugSession(run_id="r", client_name="c", out_dir=tmp_path, capture_mode="full") as run:
        for index in (0, 1, 2, 3, 4, 0):
            run.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
        run.attach_observation(step_index=1, kind="pre", png_bytes=png(9))
        run.attach_observation(step_index=5, kind="pre", png_bytes=png(1))
        run.attach_observation(step_index=6, kind="pre", png_bytes=first)
    shown = {0: first, 1: png(9), 5: png(1), 6: first}
    for index, picture in shown.items():
        path = layout.screenshot_path(index, "pre")
        assert (tmp_path / path).read_bytes() == picture
        assert signature(tmp_path, path)
