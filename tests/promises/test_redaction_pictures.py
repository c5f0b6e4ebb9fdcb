"""Masked regions and withheld pictures: before hashing, disk and wire, and never an exception."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from scenarios import files_of, png, read_json, step

from augur_sdk import AsyncDebugSession, DebugSession
from augur_sdk.testing import CaptureServer
from augur_sdk.validation import validate_bundle

BOX = (4, 4, 20, 12)
REGION = {"x1": 4, "y1": 4, "x2": 20, "y2": 12}
PRE, POST = "screenshots/0000_pre.png", "screenshots/0000_post.png"


def session(folder: Path, **options: Any) -> DebugSession:
    return DebugSession(run_id="r", client_name="c", out_dir=folder, capture_mode="full", **options)


def observation(folder: Path, name: str = PRE) -> Any:
    return read_json(folder / name.replace(".png", ".json"))


def is_black(picture: bytes, box: tuple[int, int, int, int] = BOX) -> bool:
    with Image.open(io.BytesIO(picture)) as image:
        return image.convert("L").crop(box).getextrema() == (0, 0)


def test_a_mask_is_filled_on_disk_on_the_wire_and_noted(tmp_path: Path) -> None:
    with CaptureServer() as server:
        with session(tmp_path / "b", dsn=server.dsn) as s:
            s.attach_observation(step_index=0, kind="pre", png_bytes=png(1), mask=[BOX])
            s.record_step(step(0, observation_pre=PRE))
        sent = server.runs["r"].screenshots[0, "pre"]
    kept = (tmp_path / "b" / PRE).read_bytes()
    assert kept == sent
    assert is_black(kept)
    assert not is_black(kept, (20, 12, 40, 30))
    facts = observation(tmp_path / "b")
    assert facts["redaction"] == {
        "applied": True,
        "policy_id": "default-pii-v1",
        "regions": [REGION],
    }
    assert facts["hashes"]["sha256"] == hashlib.sha256(kept).hexdigest()
    assert validate_bundle(tmp_path / "b") == []


def test_equal_pictures_are_one_file_only_if_they_show_the_same(tmp_path: Path) -> None:
    with session(tmp_path / "b") as s:
        for index, mask in enumerate((None, [BOX], None, [BOX], [(0, 0, 2, 2)])):
            s.attach_observation(step_index=index, kind="pre", png_bytes=png(1), mask=mask)
            s.record_step(step(index))
    kept = [(tmp_path / f"b/screenshots/{index:04d}_pre.png").read_bytes() for index in range(5)]
    assert [is_black(picture) for picture in kept] == [False, True, False, True, False]
    assert kept[0] == kept[2] == png(1)
    assert kept[1] == kept[3] != kept[4]
    assert validate_bundle(tmp_path / "b") == []


@pytest.mark.parametrize("first", [None, [BOX]])
def test_a_picture_that_is_replaced_lends_nothing_to_its_twins(
    tmp_path: Path, first: list[tuple[int, int, int, int]] | None
) -> None:
    second = None if first else [BOX]
    with session(tmp_path / "b") as s:
        s.attach_observation(step_index=0, kind="pre", png_bytes=png(1), mask=first)
        s.attach_observation(step_index=0, kind="pre", png_bytes=png(1), mask=second)
        s.attach_observation(step_index=0, kind="post", png_bytes=png(1), mask=first)
        s.record_step(step(0))
    assert is_black((tmp_path / "b" / PRE).read_bytes()) == bool(second)
    assert is_black((tmp_path / "b" / POST).read_bytes()) == bool(first)
    assert validate_bundle(tmp_path / "b") == []


@pytest.mark.parametrize(
    "mask", [[(1, 2, 3)], "abc", [(5, 5, 1, 1)], [(0, 0, float("nan"), 1)], 7, {"x": 1}, [None]]
)
def test_a_mask_that_is_none_is_refused_at_the_call(tmp_path: Path, mask: Any) -> None:
    with session(tmp_path / "b") as s:
        with pytest.raises(ValueError, match="mask"):
            s.attach_observation(step_index=0, kind="pre", png_bytes=png(1), mask=mask)
        s.record_step(step(0))
    assert not (tmp_path / "b" / PRE).exists()


def test_a_redactor_sees_each_picture_and_says_what_to_fill(tmp_path: Path) -> None:
    seen: list[tuple[bytes, int, str]] = []

    def redactor(picture: bytes, step_index: int, kind: str) -> Iterable[tuple[int, ...]]:
        seen.append((picture, step_index, kind))
        return [BOX] if kind == "pre" else []

    with session(tmp_path / "b", screenshot_redactor=redactor) as s:
        s.attach_observation(step_index=0, kind="pre", png_bytes=png(1), mask=[(30, 30, 40, 40)])
        s.attach_observation(step_index=0, kind="post", png_bytes=png(2))
        s.record_step(step(0))
    assert seen == [(png(1), 0, "pre"), (png(2), 0, "post")]
    kept = (tmp_path / "b" / PRE).read_bytes()
    assert is_black(kept)
    assert is_black(kept, (30, 30, 40, 40))
    assert len(observation(tmp_path / "b")["redaction"]["regions"]) == 2
    assert (tmp_path / "b" / POST).read_bytes() == png(2)
    assert "redaction" not in observation(tmp_path / "b", POST)


def endless() -> Iterable[Any]:
    while True:
        yield BOX


def raises() -> Any:
    raise RuntimeError("hunter2-in-a-message")


JUNK: dict[str, Any] = {
    "raises": raises,
    "none": lambda: None,
    "text": lambda: "1,2,3,4",
    "number": lambda: 4,
    "reversed": lambda: [(9, 9, 1, 1)],
    "too few": lambda: [(1, 2)],
    "endless": endless,
    "true": lambda: True,
}


@pytest.mark.parametrize("junk", JUNK)
def test_a_redactor_that_fails_costs_the_picture_and_no_more(
    tmp_path: Path, junk: str, caplog: pytest.LogCaptureFixture
) -> None:
    with CaptureServer() as server:
        with session(
            tmp_path / "b", dsn=server.dsn, screenshot_redactor=lambda *_: JUNK[junk]()
        ) as s:
            path = s.attach_observation(step_index=0, kind="pre", png_bytes=png(1))
            s.record_step(step(0, observation_pre=path))
            s.attach_observation(step_index=1, kind="post", png_bytes=png(2))
            s.record_step(step(1))
        bodies = [request.body for request in server.requests]
    stats = s.stats
    assert stats.dropped == {"redaction": 2}
    assert stats.accepted == stats.stored + stats.queued + 2
    assert stats.pending == 0
    manifest = read_json(tmp_path / "b/manifest.json")
    assert manifest["missing"] == [PRE, "screenshots/0001_post.png"]
    assert manifest["step_count"] == 2
    assert not list((tmp_path / "b").glob("screenshots/*"))
    assert not any(b"IHDR" in body for body in bodies)
    assert validate_bundle(tmp_path / "b") == []
    assert "hunter2" not in caplog.text


def test_a_picture_that_cannot_be_decoded_is_not_kept_unmasked(tmp_path: Path) -> None:
    with session(tmp_path / "b") as s:
        s.attach_observation(step_index=0, kind="pre", png_bytes=png(1)[:60], mask=[BOX])
        s.attach_observation(step_index=0, kind="post", png_bytes=png(1)[:60])
        s.record_step(step(0))
    assert s.stats.dropped == {"redaction": 1}
    assert read_json(tmp_path / "b/manifest.json")["missing"] == [PRE]
    assert (tmp_path / "b" / POST).exists()


def test_a_picture_that_replaces_another_and_is_withheld_takes_it_away(tmp_path: Path) -> None:
    with session(tmp_path / "b") as s:
        s.attach_observation(step_index=0, kind="pre", png_bytes=png(1))
        s.attach_observation(step_index=0, kind="pre", png_bytes=png(2)[:60], mask=[BOX])
        s.record_step(step(0))
    assert not list((tmp_path / "b").glob("screenshots/*"))
    assert read_json(tmp_path / "b/manifest.json")["missing"] == [PRE]


def test_pictures_of_a_replayed_parent_pass_the_redactor_too(tmp_path: Path) -> None:
    with session(tmp_path / "parent") as s:
        s.attach_observation(step_index=0, kind="pre", png_bytes=png(1))
        s.attach_observation(step_index=0, kind="post", png_bytes=png(2), mask=[(0, 0, 2, 2)])
        s.record_step(step(0, observation_pre=PRE, observation_post=POST))
    parent = files_of(tmp_path / "parent")
    branch = DebugSession.branch_from(
        parent_run_id="r",
        branch_point_step_index=1,
        mutated_axis="model",
        mutation={"model": "m"},
        client_name="c",
        out_dir=tmp_path / "b",
        parent_bundle=tmp_path / "parent",
        capture_mode="full",
        screenshot_redactor=lambda _picture, _index, kind: [BOX] if kind == "pre" else [],
    )
    with branch:
        pass
    assert is_black((tmp_path / "b" / PRE).read_bytes())
    assert observation(tmp_path / "b")["redaction"]["regions"] == [REGION]
    assert (tmp_path / "b" / POST).read_bytes() == parent[POST]
    assert observation(tmp_path / "b", POST)["redaction"]["applied"] is True
    assert files_of(tmp_path / "parent") == parent
    assert validate_bundle(tmp_path / "b") == []


@pytest.mark.parametrize("redactor", ["masks", 1])
def test_a_redactor_that_cannot_be_called_is_refused(tmp_path: Path, redactor: Any) -> None:
    with pytest.raises(ValueError, match="screenshot_redactor"):
        session(tmp_path / "b", screenshot_redactor=redactor)


def test_an_async_redactor_is_refused(tmp_path: Path) -> None:
    async def redactor(*_: Any) -> list[Any]:
        return []

    with pytest.raises(ValueError, match="plain function"):
        session(tmp_path / "b", screenshot_redactor=redactor)


@pytest.mark.anyio
async def test_it_is_never_called_on_the_event_loop(tmp_path: Path) -> None:
    threads: set[int] = set()

    def redactor(*_: Any) -> list[Any]:
        threads.add(threading.get_ident())
        return [BOX]

    async with AsyncDebugSession(
        run_id="r",
        client_name="c",
        out_dir=tmp_path / "b",
        capture_mode="full",
        screenshot_redactor=redactor,
    ) as s:
        for index in range(5):
            await s.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
            await s.record_step(step(index))
        await s.flush()
    assert threads
    assert threading.get_ident() not in threads
