"""A bundle that somebody else made cannot reach outside its folder."""

from __future__ import annotations

import os
from pathlib import Path

import orjson
import pytest

from augur_sdk.bundle import layout
from augur_sdk.bundle.journal import JournalFile, Scan, encode_line
from augur_sdk.bundle.recover import recover_bundle
from augur_sdk.bundle.trace import TraceSpool
from augur_sdk.errors import BundleReadError
from augur_sdk.pipeline.respooling import respool
from augur_sdk.pipeline.spooled_run import SpooledRun
from augur_sdk.storage.safe_open import is_regular, open_inside, read_inside, regular_names

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")

OUTSIDE = b"what is not the bundle's\n"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    path = tmp_path / "outside" / "target"
    path.parent.mkdir()
    path.write_bytes(OUTSIDE)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "bundle"
    path.mkdir()
    return path


def _journal(root: Path, *lines: bytes) -> None:
    opening = orjson.dumps({"format": 1, "run_id": "r", "debug_session_id": "dbg_1"})
    (root / layout.JOURNAL).write_bytes(encode_line(1, "open", opening)[0] + b"".join(lines))


def _finished(root: Path) -> None:
    (root / layout.MANIFEST).write_text('{"run_id": "r", "debug_session_id": "d"}')
    (root / layout.TRACE).write_text('{"session": {"run_id": "r"}, "steps": []}')


def test_a_link_a_pipe_and_a_linked_folder_are_not_opened(root: Path, outside: Path) -> None:
    (root / "link").symlink_to(outside)
    (root / "folder").symlink_to(outside.parent)
    os.mkfifo(root / "pipe")
    for path in ("link", "folder/target", "pipe"):
        with pytest.raises(OSError):  # noqa: PT011 - which one is the platform's
            open_inside(root, path)
        assert not is_regular(root, path)
    assert regular_names(root, "folder") == []


def test_a_file_of_the_bundle_is_opened_also_through_a_linked_root(
    root: Path, tmp_path: Path
) -> None:
    (root / "logs").mkdir()
    (root / "logs" / "a.log").write_bytes(b"x")
    (tmp_path / "alias").symlink_to(root)
    assert read_inside(tmp_path / "alias", "logs/a.log") == b"x"
    assert regular_names(root, "logs/") == ["a.log"]


def test_a_journal_that_is_a_link_is_neither_read_nor_appended_to(
    root: Path, outside: Path
) -> None:
    (root / layout.JOURNAL).symlink_to(outside)
    with pytest.raises(OSError, match=r"link|symbolic"):
        JournalFile(root / layout.JOURNAL).open()
    with pytest.raises(OSError, match=r"link|symbolic"):
        recover_bundle(root)
    assert outside.read_bytes() == OUTSIDE


def test_a_trace_spool_that_is_a_link_is_replaced_and_its_target_left(
    root: Path, outside: Path
) -> None:
    (root / layout.TRACE_SPOOL).symlink_to(outside)
    spool = TraceSpool(root)
    spool.add(0, b'{\n  "step_index": 0\n}')
    assert list(spool.blocks())
    assert outside.read_bytes() == OUTSIDE
    assert not (root / layout.TRACE_SPOOL).is_symlink()
    spool.discard()


def test_no_link_of_a_finished_bundle_is_pushed(root: Path, outside: Path) -> None:
    _finished(root)
    (root / "logs").symlink_to(outside.parent)
    for part in ("modelio", "events", "screenshots"):
        (root / part).mkdir()
    (root / "modelio" / "0000-a-0.json").symlink_to(outside)
    (root / "events" / "0000.jsonl").symlink_to(outside)
    (root / "screenshots" / "0000_pre.png").symlink_to(outside)
    respool(root, "somewhere")
    journal = (root / layout.JOURNAL).read_bytes()
    assert OUTSIDE.strip() not in journal
    assert b"0000_pre.png" not in journal
    with pytest.raises(BundleReadError, match="symbolic link"):
        SpooledRun.open(root, "somewhere")


def test_a_journal_line_of_an_unknown_kind_is_counted_and_the_rest_kept(root: Path) -> None:
    step = orjson.dumps({"step_id": "s", "step_index": 0, "schema_version": "0.1"})
    _journal(
        root,
        encode_line(2, "hologram", b'{"x":1}')[0],
        encode_line(3, "step", step, item="s", step=0)[0],
    )
    report = recover_bundle(root)
    assert (report.steps, report.unknown, report.damaged) == (1, 1, 0)


@pytest.mark.parametrize("path", ["../outside/target", "/etc/passwd", "notes.txt", "a\\b"])
def test_a_journal_line_whose_path_is_not_the_bundles_is_damage(root: Path, path: str) -> None:
    _journal(root, encode_line(2, "modelio", b"{}", path=path)[0])
    found = Scan()
    journal = JournalFile(root / layout.JOURNAL)
    journal.open()
    kinds = [line.kind for line in journal.scan(found)]
    journal.close()
    assert (kinds, found.damaged) == (["open"], 1)


def test_a_bundle_that_is_not_there_is_also_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="not a bundle"):
        recover_bundle(tmp_path / "gone")
    with pytest.raises(ValueError, match="not a bundle"):
        recover_bundle(tmp_path / "gone")
