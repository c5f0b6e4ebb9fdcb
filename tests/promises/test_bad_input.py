"""Rows 15 and 23: bad input among good records, and ids from outside."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from scenarios import event, files_of, png, read_json, step

from augur_sdk import DebugSession
from augur_sdk.validation import validate_bundle


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    y: int


def cycle() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["self"] = value
    return value


def nested(depth: int) -> Any:
    value: Any = "bottom"
    for _ in range(depth):
        value = [value]
    return value


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError("no text form")

    __repr__ = __str__


def numpy_array() -> Any:
    numpy = pytest.importorskip("numpy")
    return numpy.array([1.5, 2.5])


REPAIRED: dict[str, tuple[Any, Any]] = {
    "datetime": (datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC), "2026-01-02T00:00:00+00:00"),
    "date": (datetime.date(2026, 1, 2), "2026-01-02"),
    "decimal": (decimal.Decimal("1.10"), "1.10"),
    "bytes": (b"text", "text"),
    "raw bytes": (b"\xff\x00", "base64:/wA="),
    "set": ({2, 1}, [1, 2]),
    "path": (Path("a/b"), str(Path("a/b"))),
    "dataclass": (Point(1, 2), {"x": 1, "y": 2}),
    "nan": (float("nan"), "NaN"),
    "infinity": (float("inf"), "Infinity"),
    "minus infinity": (-float("inf"), "-Infinity"),
    "lone surrogate": ("a\ud800b", "a\\ud800b"),
    "huge integer": (2**70, str(2**70)),
    "keys that are no strings": ({1: "a", (2, 3): "b"}, {"1": "a", "(2, 3)": "b"}),
    "cycle": (cycle(), {"self": "<cycle>"}),
    "an object without a text form": (Hostile(), "<Hostile>"),
}

KEPT: dict[str, tuple[Any, Any]] = {
    "enum": (Colour.RED, "red"),
    "tuple": ((1, 2), [1, 2]),
    "uuid": (uuid.UUID(int=1), str(uuid.UUID(int=1))),
    "none": (None, None),
    "unicode": ("żółw 🐢", "żółw 🐢"),
}


def session(folder: Path, **options: Any) -> DebugSession:
    return DebugSession(run_id="r", client_name="c", out_dir=folder, capture_mode="full", **options)


@pytest.mark.parametrize("name", [*REPAIRED, *KEPT])
def test_a_value_json_cannot_hold_becomes_text_and_is_counted(tmp_path: Path, name: str) -> None:
    value, expected = {**REPAIRED, **KEPT}[name]
    with session(tmp_path / "b") as s:
        s.record_step(step(0))
        s.record_step(step(1, action={"type": "click", "params": {"value": value}}))
        s.record_step(step(2))
    records = read_json(tmp_path / "b/trace.json")["steps"]
    assert records[1]["action"]["params"]["value"] == expected
    assert [r["step_index"] for r in records] == [0, 1, 2]
    assert bool(s.stats.repaired) == (name in REPAIRED)
    assert [issue.render() for issue in validate_bundle(tmp_path / "b")] == []


@pytest.mark.parametrize("name", REPAIRED)
def test_strict_refuses_what_json_cannot_hold(tmp_path: Path, name: str) -> None:
    with session(tmp_path / "b", strict=True) as s:
        with pytest.raises(ValueError, match="JSON cannot hold"):
            s.record_step(step(0, action={"type": "click", "params": {"v": REPAIRED[name][0]}}))
        s.record_step(step(0))
    assert read_json(tmp_path / "b/manifest.json")["step_count"] == 1


def test_numpy_values_become_lists_and_numbers(tmp_path: Path) -> None:
    with session(tmp_path / "b") as s:
        s.record_step(step(0, action={"type": "x", "params": {"v": numpy_array()}}))
    assert read_json(tmp_path / "b/steps/0000.json")["action"]["params"]["v"] == [1.5, 2.5]


def test_depth_has_a_bound(tmp_path: Path) -> None:
    with session(tmp_path / "b") as s:
        s.record_step(step(0, action={"type": "x", "params": {"v": nested(5000)}}))
        s.record_step(step(1))
    assert "nested deeper" in (tmp_path / "b/steps/0000.json").read_text(encoding="utf-8")


def test_50_megabytes_are_refused_with_the_limit(tmp_path: Path) -> None:
    with session(tmp_path / "b") as s:
        with pytest.raises(ValueError, match="at most"):
            s.record_step(step(0, intent="x" * 50_000_000))
        s.record_step(step(1))
    assert read_json(tmp_path / "b/manifest.json")["step_count"] == 1


WRONG_STEPS: dict[str, Any] = {
    "no index": {"step_id": "a"},
    "negative": step(0, step_index=-1),
    "huge": step(0, step_index=2**60),
    "bool": step(0, step_index=True),
    "float": step(0, step_index=1.0),
    "text": step(0, step_index="1"),
    "none": step(0, step_index=None),
    "no id": {"step_index": 0},
    "empty id": step(0, step_id=""),
    "id of a number": step(0, step_id=7),
    "not a dict": "step",
    "a list": [step(0)],
    "nothing": None,
}

WRONG_EVENTS: dict[str, Any] = {
    "no ts": {"layer": "planner"},
    "ts of a number": event(0, ts=5),
    "empty ts": event(0, ts=""),
    "bad index": event(0, step_index=-1),
    "not a dict": 5,
}

WRONG_PICTURES: dict[str, Any] = {
    "empty": b"",
    "not a picture": b"hello world",
    "text": "iVBORw0KGgo",
    "none": None,
}


@pytest.mark.parametrize("strict", [False, True])
def test_what_cannot_be_understood_is_a_value_error_and_costs_nothing_else(
    tmp_path: Path, strict: bool
) -> None:
    with session(tmp_path / "b", strict=strict) as s:
        s.record_step(step(0))
        for wrong in WRONG_STEPS.values():
            with pytest.raises(ValueError, match=r"expected|is "):
                s.record_step(wrong)
        for wrong in WRONG_EVENTS.values():
            with pytest.raises(ValueError, match=r"expected|is "):
                s.record_event(wrong)
        for wrong in WRONG_PICTURES.values():
            with pytest.raises(ValueError, match="expected the bytes of a PNG"):
                s.attach_observation(step_index=0, kind="pre", png_bytes=wrong)
        with pytest.raises(ValueError, match="pre or post"):
            s.attach_observation(step_index=0, kind="during", png_bytes=png())  # type: ignore[arg-type]  # the point
        with pytest.raises(ValueError, match="a string"):
            s.set_status(7)  # type: ignore[arg-type]  # the point
        s.record_event(event(0))
        s.record_step(step(1))
    assert read_json(tmp_path / "b/manifest.json")["step_count"] == 2
    assert [issue.render() for issue in validate_bundle(tmp_path / "b")] == []


def test_a_record_that_merely_breaks_its_schema_is_stored_as_given(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    odd: Any = step(0, status="done", invented={"a": 1})
    with session(tmp_path / "b") as s:
        s.record_step(odd)
        s.record_step(odd | {"step_id": "s1", "step_index": 1})
        s.record_event(event(0, layer="nobody"))
    assert read_json(tmp_path / "b/steps/0000.json") == odd
    assert s.stats.schema_problems == 3
    assert caplog.text.count("step_trace breaks its schema") == 1
    assert caplog.text.count("decision_event breaks its schema") == 1
    assert "done" not in caplog.text  # no values in the log


def test_strict_refuses_what_breaks_the_schema(tmp_path: Path) -> None:
    with session(tmp_path / "b", strict=True) as s:
        with pytest.raises(ValueError, match="breaks its schema at status"):
            s.record_step(step(0, status="done"))
        with pytest.raises(ValueError, match="breaks its schema at layer"):
            s.record_event(event(0, layer="nobody"))
    assert read_json(tmp_path / "b/manifest.json")["step_count"] == 0


DAMAGED_PICTURES = {
    "jpeg": bytes.fromhex("ffd8ffe000104a46494600010100000100010000"),
    "truncated": png()[:40],
    "bomb": png()[:16] + (60000).to_bytes(4, "big") * 2 + png()[24:],
}


@pytest.mark.parametrize("name", DAMAGED_PICTURES)
def test_a_damaged_picture_is_kept_as_given(tmp_path: Path, name: str) -> None:
    with session(tmp_path / "b") as s:
        path = s.attach_observation(step_index=0, kind="pre", png_bytes=DAMAGED_PICTURES[name])
        s.record_step(step(0, observation_pre=path))
    assert (tmp_path / "b" / path).read_bytes() == DAMAGED_PICTURES[name]
    assert read_json(tmp_path / "b/manifest.json")["signatures"][path]


HOSTILE_IDS = ["../../x", "/etc/passwd", "a\x00b", "x" * 300, "C:\\x", "..", "con", "é🐢", "a b/c"]


@pytest.mark.parametrize("hostile", HOSTILE_IDS)
def test_ids_from_outside_stay_inside_the_bundle(tmp_path: Path, hostile: str) -> None:
    folder = tmp_path / "outer" / "b"
    with DebugSession(
        run_id=hostile,
        client_name=hostile,
        out_dir=folder,
        capture_mode="full",
        tags={hostile: hostile},
    ) as s:
        s.record_step(step(0, step_id=hostile))
        s.record_step_iteration(0, step(0, step_id=hostile + "2"))
        s.record_event(event(0, hostile))
    assert [path.name for path in tmp_path.iterdir()] == ["outer"]
    assert [path.name for path in (tmp_path / "outer").iterdir()] == ["b"]
    assert len(files_of(folder / "steps")) == 2
    assert read_json(folder / "manifest.json")["run_id"] == hostile
    assert [issue.render() for issue in validate_bundle(folder)] == []


def test_many_threads_lose_nothing(tmp_path: Path) -> None:
    with session(tmp_path / "b") as s:

        def work(start: int) -> None:
            for index in range(start, start + 50):
                s.record_step(step(index))
                s.record_event(event(index))

        threads = [threading.Thread(target=work, args=(n * 50,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert read_json(tmp_path / "b/manifest.json")["step_count"] == 400
    stats = s.stats
    assert stats.accepted == stats.stored + sum(stats.dropped.values())
    assert len(list((tmp_path / "b/events").iterdir())) == 400
