"""Reading a bundle lazily, whoever wrote it and however far it got."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from handmade import BundleBuilder, screen
from hypothesis import given
from hypothesis import strategies as st

from augur_sdk.bundle import layout, trace_scan
from augur_sdk.diagnostics import BundleContext
from augur_sdk.diagnostics.trace_index import index_trace
from augur_sdk.errors import BundleReadError

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
records = st.dictionaries(st.text(), json_values, max_size=4)


def three_steps(bundle: BundleBuilder) -> BundleContext:
    for number in range(3):
        bundle.step(intent=f'brackets ]}} and "quotes" {number}')
    return BundleContext(bundle.close())


def test_steps_behave_like_the_list_they_stand_for(bundle: BundleBuilder) -> None:
    ctx = three_steps(bundle)
    plain = bundle.steps
    assert ctx.steps == plain
    assert list(ctx.steps) == plain
    assert (len(ctx.steps), ctx.steps[0], ctx.steps[-1]) == (3, plain[0], plain[-1])
    assert ctx.steps[1:] == plain[1:]
    assert list(reversed(ctx.steps)) == plain[::-1]
    assert [b["step_index"] for _, b in pairwise(ctx.steps)] == [1, 2]
    assert plain[1] in ctx.steps
    assert ctx.steps != plain[:2]
    with pytest.raises(IndexError):
        ctx.steps[3]


def test_trace_session_and_manifest(bundle: BundleBuilder) -> None:
    ctx = three_steps(bundle)
    written = json.loads((bundle.root / "trace.json").read_bytes())
    assert ctx.session == written["session"]
    assert ctx.trace == written
    assert ctx.manifest["run_id"] == "r"
    assert ctx.bundle_dir == bundle.root


def test_a_rule_that_changes_a_step_harms_nobody(bundle: BundleBuilder) -> None:
    ctx = three_steps(bundle)
    ctx.steps[0]["intent"] = "changed"
    assert ctx.steps[0]["intent"] == bundle.steps[0]["intent"]


@given(st.lists(records, max_size=5), records, st.sampled_from([None, 0, 2, "\t"]), st.booleans())
def test_every_formatting_of_a_trace_is_read(
    steps: list[Any], session: dict[str, Any], indent: Any, ascii_only: bool
) -> None:
    trace = {"version": "steps", "session": session, "other": [{"steps": [{}]}], "steps": steps}
    text = json.dumps(trace, indent=indent, ensure_ascii=ascii_only)
    with small_chunks(), folder() as root:
        (root / "trace.json").write_text(text, encoding="utf-8")
        ctx = BundleContext(root)
        assert list(ctx.steps) == steps
        assert ctx.session == session


@contextmanager
def small_chunks() -> Iterator[None]:
    """Strings and brackets on every side of a chunk's end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trace_scan, "_CHUNK", 7)
        yield


@contextmanager
def folder() -> Iterator[Path]:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def test_a_trace_cut_short_keeps_its_whole_steps(bundle: BundleBuilder) -> None:
    three_steps(bundle)
    trace = bundle.root / "trace.json"
    trace.write_bytes(trace.read_bytes()[:-200])
    assert BundleContext(bundle.root).steps == bundle.steps[:2]


def test_a_bundle_without_a_trace_is_read_from_its_step_files(bundle: BundleBuilder) -> None:
    three_steps(bundle)
    (bundle.root / "trace.json").unlink()
    first = {**bundle.steps[1], "step_iterations": 2}
    second = {**bundle.steps[1], "step_id": "again"}
    (bundle.root / layout.step_path(1)).unlink()
    for step in (first, second):
        bundle.json(layout.iteration_path(1, step["step_id"]), step)
    ctx = BundleContext(bundle.root)
    assert ctx.steps == [bundle.steps[0], first, bundle.steps[2]]
    assert ctx.session == {}
    assert ctx.cite_step(first)["ref"] == layout.iteration_path(1, "s1")


def test_an_empty_folder_reads_as_an_empty_bundle(tmp_path: Path) -> None:
    ctx = BundleContext(tmp_path)
    assert (ctx.manifest, ctx.session, list(ctx.steps)) == ({}, {}, [])
    assert (ctx.events_for_step(0), list(ctx.all_events()), ctx.log_paths()) == ([], [], [])
    assert ctx.log_text() is None


@pytest.mark.parametrize("content", [b"[1]", b"{", b"\xff\xfe"])
def test_a_damaged_manifest_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(BundleReadError, match=r"manifest\.json"):
        _ = BundleContext(tmp_path).manifest


def test_events_are_read_by_step_and_altogether(bundle: BundleBuilder) -> None:
    bundle.step()
    bundle.event("planner", "a")
    bundle.step()
    bundle.event("verifier", "b")
    bundle.file("events/run.jsonl", b'{"summary": "run"}\n{"summary": "torn')
    bundle.file("events/reasoning.jsonl", b'{"text": "not an event"}\n')
    ctx = BundleContext(bundle.close())
    assert [event["summary"] for event in ctx.events_for_step(1)] == ["b"]
    assert [event["summary"] for event in ctx.all_events()] == ["a", "b", "run"]


def test_logs_are_read_by_name_and_stay_inside(bundle: BundleBuilder, tmp_path: Path) -> None:
    bundle.file("logs/runner.log", b"line\xff\n")
    (tmp_path / "secret.log").write_text("secret")
    ctx = BundleContext(bundle.close())
    assert ctx.log_text() == "line\ufffd\n"
    assert ctx.log_text("logs/runner.log") == ctx.log_text("runner.log")
    assert ctx.log_text("../../secret.log") is None
    assert ctx.log_paths() == ["logs/runner.log"]


def test_pictures_are_compared_by_what_they_show(bundle: BundleBuilder) -> None:
    bundle.step()
    pre, post = bundle.pre(screen()), bundle.post(screen((0, 0, 90, 90)))
    bundle.step()
    other, broken = bundle.pre(screen(kind="WEBP")), bundle.post(b"not a picture")
    pictures = BundleContext(bundle.close()).pictures
    assert pictures.same(pre, pre) is True
    assert pictures.same(pre, other) is True
    assert pictures.same(pre, post) is False
    assert pictures.same(pre, "screenshots/none.png") is None
    assert pictures.same(pre, None) is None
    assert pictures.changes(pre, broken) is None
    assert pictures.size(pre) == (640, 400)


def test_picture_facts_come_from_the_file_where_there_is_no_record(bundle: BundleBuilder) -> None:
    bundle.step()
    pre = bundle.pre(screen((5, 5, 300, 90)))
    pictures = BundleContext(bundle.close()).pictures
    recorded = (pictures.size(pre), pictures.sha256(pre), pictures.phash_64(pre))
    (bundle.root / "screenshots/0000_pre.json").unlink()
    (bundle.root / "manifest.json").unlink()
    fresh = BundleContext(bundle.root).pictures
    assert (fresh.size(pre), fresh.sha256(pre), fresh.phash_64(pre)) == recorded


def test_ten_times_the_steps_take_no_more_memory(tmp_path: Path) -> None:
    """Reading costs what one step costs; the index costs sixteen bytes a step."""
    peaks = [_peak_of_reading(tmp_path / str(count), count) for count in (300, 3000)]
    assert peaks[1] < peaks[0] + 3_000 * 16 * 4 + 300_000


def _peak_of_reading(root: Path, count: int) -> int:
    root.mkdir()
    step = {"step_index": 0, "intent": "x" * 2000}
    (root / "trace.json").write_text(json.dumps({"session": {}, "steps": [step] * count}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trace_scan, "_CHUNK", 1 << 16)
        tracemalloc.start()
        assert sum(1 for _ in BundleContext(root).steps) == count
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


def test_a_huge_string_is_passed_over_in_linear_time(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    path.write_text(json.dumps({"session": {"a": "x" * 5_000_000 + "}"}, "steps": [{"b": 1}]}))
    index = index_trace(path)
    assert (len(index.offsets), index.session is not None) == (1, True)
