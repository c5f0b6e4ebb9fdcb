"""Loops that a session notices by itself: when, where it says so, and that nothing else changes."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from both_classes import faced
from scenarios import STARTED, files_of, png, read_json, step

from augur_sdk import AsyncDebugSession, DebugSession
from augur_sdk.bundle.recover import recover_bundle
from augur_sdk.recording import table
from augur_sdk.session import core
from augur_sdk.testing import CaptureServer
from augur_sdk.validation import validate_bundle

CLICK = {"type": "click", "params": {"x": 10, "y": 20}}
Run = Callable[[Any], None]


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as running:
        yield running


@pytest.fixture(params=[DebugSession, AsyncDebugSession], ids=["blocking", "async"])
def open_session(
    request: pytest.FixtureRequest, portal: BlockingPortal, tmp_path: Path
) -> Callable[..., Any]:
    """Constructs a session of either class that notices loops, to be used with `with`."""

    def construct(folder: str = "b", **options: Any) -> Any:
        options = {
            "run_id": "run_1",
            "client_name": "agent",
            "capture_mode": "full",
            "started_at": STARTED,
            "debug_session_id": "dbg_test",
            "auto_detect_loops": True,
            **options,
        }
        return faced(portal, request.param(out_dir=tmp_path / folder, **options))

    return construct


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return tmp_path / "b"


def record(session: Any, index: int, picture: int | None = 0, **fields: Any) -> None:
    """Record a step that saw a picture before it clicked at the same place as every other."""
    path = {}
    if picture is not None:
        path["observation_pre"] = session.attach_observation(
            step_index=index, kind="pre", png_bytes=png(picture)
        )
    session.record_step(step(index, action=CLICK, **path, **fields))


def stamped(bundle: Path) -> list[int]:
    """The steps that say they are in a loop, in the trace; the step files say the same."""
    steps = read_json(bundle / "trace.json")["steps"]
    for each in steps:
        path = bundle / f"steps/{each['step_index']:04d}.json"
        assert not path.exists() or read_json(path) == each
    return [each["step_index"] for each in steps if each.get("loop_detected") is True]


def test_a_step_repeated_on_the_same_picture_is_stamped_from_the_third_time_on(
    open_session: Callable[..., Any], bundle: Path
) -> None:
    with open_session() as session:
        for index in range(5):
            record(session, index)
    assert stamped(bundle) == [2, 3, 4]
    assert validate_bundle(bundle) == []


def test_a_loop_over_several_steps_is_noticed(
    open_session: Callable[..., Any], bundle: Path
) -> None:
    with open_session(perceptual_hashes=False) as session:
        record(session, 0, picture=40)
        for index in range(1, 7):
            record(session, index, picture=index % 2)
        record(session, 7, picture=50)
    assert stamped(bundle) == [6]


def test_the_same_click_on_changing_pictures_is_no_loop(
    open_session: Callable[..., Any], bundle: Path
) -> None:
    with open_session(perceptual_hashes=False) as session:
        for index in range(6):
            record(session, index, picture=index)
    assert stamped(bundle) == []


def test_pictures_that_look_alike_are_the_same_picture(
    open_session: Callable[..., Any], bundle: Path
) -> None:
    with open_session() as session:
        for index in range(4):
            record(session, index, picture=index)
    pictures = [read_json(bundle / f"screenshots/{i:04d}_pre.json")["hashes"] for i in range(4)]
    assert len({each["sha256"] for each in pictures}) == 4
    assert len({each["phash_64"] for each in pictures}) == 1
    assert stamped(bundle) == [2, 3]


def test_without_pictures_nothing_is_a_loop(open_session: Callable[..., Any], bundle: Path) -> None:
    with open_session() as session:
        for index in range(6):
            record(session, index, picture=None)
    assert stamped(bundle) == []


def test_it_is_off_unless_asked_for(open_session: Callable[..., Any], bundle: Path) -> None:
    with open_session(auto_detect_loops=False) as session:
        for index in range(6):
            record(session, index)
    assert stamped(bundle) == []


def test_without_perceptual_hashes_equal_bytes_are_the_same_picture(
    open_session: Callable[..., Any], bundle: Path
) -> None:
    with open_session(perceptual_hashes=False) as session:
        for index in range(4):
            record(session, index)
    assert stamped(bundle) == [2, 3]


def after_the_step(session: Any) -> None:
    for index in range(5):
        session.record_step(
            step(index, action=CLICK, observation_pre=f"screenshots/{index:04d}_pre.png")
        )
        session.attach_observation(step_index=index, kind="pre", png_bytes=png())


def after_all_steps(session: Any) -> None:
    for index in range(5):
        session.record_step(
            step(index, action=CLICK, observation_pre=f"screenshots/{index:04d}_pre.png")
        )
    for index in range(5):
        session.attach_observation(step_index=index, kind="pre", png_bytes=png())


def before_all_steps(session: Any) -> None:
    for index in range(5):
        session.attach_observation(step_index=index, kind="pre", png_bytes=png())
    for index in range(5):
        session.record_step(
            step(index, action=CLICK, observation_pre=f"screenshots/{index:04d}_pre.png")
        )


def running_first(session: Any) -> None:
    for index in range(5):
        opening = step(index, status="running")
        del opening["action"]
        session.record_step(opening)
        record(session, index)


def the_action_in_the_end(session: Any) -> None:
    for index in range(5):
        opening = step(index, status="running")
        del opening["action"]
        session.record_step(opening)
    for index in range(5):
        record(session, index)


def with_iterations(session: Any) -> None:
    for index in range(5):
        record(session, index)
        session.record_step_iteration(index, step(index, step_id=f"again-{index}"))


@pytest.mark.parametrize(
    "run",
    [
        after_the_step,
        after_all_steps,
        before_all_steps,
        running_first,
        the_action_in_the_end,
        with_iterations,
    ],
    ids=lambda run: run.__name__,
)
@pytest.mark.parametrize("in_haste", [True, False], ids=["in haste", "flushed"])
def test_the_order_of_records_does_not_matter(
    open_session: Callable[..., Any], bundle: Path, run: Run, in_haste: bool
) -> None:
    with open_session() as session:
        run(session if in_haste else Flushed(session))
    assert stamped(bundle) == [2, 3, 4]
    assert validate_bundle(bundle) == []


class Flushed:
    """A session of which every call is followed by a wait for storage."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._session, name)

        @functools.wraps(call)
        def flushed(*args: Any, **kwargs: Any) -> Any:
            result = call(*args, **kwargs)
            self._session.flush()
            return result

        return flushed


def test_the_same_calls_give_the_same_bytes_whatever_the_timing(
    open_session: Callable[..., Any], tmp_path: Path
) -> None:
    def run(session: Any) -> None:
        for index in range(12):
            record(session, index, picture=index // 6)
            session.set_step_costs(index, total_usd=0.5)

    for folder, wrapped in (("hasty", lambda s: s), ("slow", Flushed)):
        with open_session(folder, perceptual_hashes=False) as session:
            run(wrapped(session))
    hasty, slow = (
        {
            path: data
            for path, data in files_of(tmp_path / folder).items()
            if path not in {"manifest.json", "trace.json", "AGENT.md"}  # hold the time of the end
        }
        for folder in ("hasty", "slow")
    )
    assert hasty == slow
    assert stamped(tmp_path / "hasty") == stamped(tmp_path / "slow") == [2, 3, 4, 5, 8, 9, 10, 11]


def test_what_the_agent_says_wins(open_session: Callable[..., Any], bundle: Path) -> None:
    with open_session() as session:
        record(session, 0)
        record(session, 1)
        record(session, 2, loop_detected=False)
        record(session, 3)
        session.set_loop_detected(3, value=False)
        record(session, 4)
        session.set_loop_detected(0)
    assert stamped(bundle) == [0, 4]


def test_a_stamp_outlives_a_later_record_of_its_step(
    open_session: Callable[..., Any], bundle: Path
) -> None:
    with open_session() as session:
        for index in range(4):
            record(session, index)
        session.flush()
        record(session, 2, status="recovered")
    assert stamped(bundle) == [2, 3]


def test_a_step_that_left_memory_is_stamped_all_the_same(
    open_session: Callable[..., Any], bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "HOT_STEPS", 1)
    with open_session() as session:
        after_all_steps(Flushed(session))
    assert stamped(bundle) == [2, 3, 4]


def says_loop(server: CaptureServer, index: int) -> bool:
    run = server.runs.get("run_1")
    return run is not None and run.steps.get(index, {}).get("loop_detected") is True


def test_a_server_hears_of_the_stamp_while_the_run_goes_on(
    open_session: Callable[..., Any], bundle: Path
) -> None:
    with CaptureServer() as server:
        with open_session(dsn=server.dsn) as session:
            for index in range(4):
                record(session, index)
                session.flush()
            server.wait_for(lambda: says_loop(server, 2))
        steps = server.runs["run_1"].steps
        assert [index for index in sorted(steps) if steps[index].get("loop_detected")] == [2, 3]
        assert session.stats.pending == 0
        assert stamped(bundle) == [2, 3]


def test_pictures_of_sensitive_steps_are_not_compared(
    open_session: Callable[..., Any], bundle: Path
) -> None:
    with open_session() as session:
        for index in range(5):
            record(session, index, sensitive=True)
    assert stamped(bundle) == []
    assert validate_bundle(bundle) == []


def test_pictures_that_cannot_be_read_are_compared_by_their_bytes(
    open_session: Callable[..., Any], bundle: Path
) -> None:
    broken = b"\x89PNG\r\n\x1a\n" + b"no picture at all"
    with open_session() as session:
        for index in range(4):
            path = session.attach_observation(step_index=index, kind="pre", png_bytes=broken)
            session.record_step(step(index, action=CLICK, observation_pre=path))
    assert stamped(bundle) == [2, 3]


def test_a_run_that_goes_on_after_a_crash_goes_on_counting(
    open_session: Callable[..., Any], bundle: Path
) -> None:
    first = open_session()
    first.__enter__()
    record(first, 0)
    record(first, 1)
    first.flush()
    journal = (bundle / "journal.jsonl").read_bytes()
    first.close()
    # What a killed process leaves: the journal, and no manifest.
    (bundle / "manifest.json").unlink()
    (bundle / "journal.jsonl").write_bytes(journal)
    with open_session() as session:
        record(session, 2)
        record(session, 3)
    assert stamped(bundle) == [2, 3]


def test_a_stamp_that_was_stored_survives_a_crash(
    open_session: Callable[..., Any], bundle: Path, tmp_path: Path
) -> None:
    session = open_session()
    with session:
        for index in range(4):
            record(session, index)
            session.flush()
        while b'"loop_detected":true' not in (bundle / "journal.jsonl").read_bytes():
            session.add_tag("looks", "again")  # a step whose picture waits is judged later
            session.flush()
        (tmp_path / "killed").mkdir()
        journal = (bundle / "journal.jsonl").read_bytes()
        (tmp_path / "killed/journal.jsonl").write_bytes(journal)
    recover_bundle(tmp_path / "killed")
    assert stamped(tmp_path / "killed") == [2]


def test_where_there_can_be_no_thread_loops_are_noticed_too(
    monkeypatch: pytest.MonkeyPatch, bundle: Path
) -> None:
    def refused() -> Any:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(core, "lease", refused)
    with DebugSession(
        run_id="r",
        client_name="c",
        out_dir=bundle,
        capture_mode="full",
        auto_detect_loops=True,
    ) as session:
        for index in range(5):
            record(session, index)
    assert stamped(bundle) == [2, 3, 4]
    assert validate_bundle(bundle) == []


LEFT_OPEN = """
import sys
sys.path[:0] = [{kit!r}]
from scenarios import png, step
from augur_sdk import DebugSession

session = DebugSession(
    run_id="r", client_name="c", out_dir={out!r}, capture_mode="full", auto_detect_loops=True
)
session.__enter__()
for index in range(4):
    path = session.attach_observation(step_index=index, kind="pre", png_bytes=png())
    session.record_step(
        step(index, action={{"type": "click", "params": {{"x": 1, "y": 1}}}}, observation_pre=path)
    )
"""


def test_the_last_steps_of_a_session_that_nobody_closed_are_judged_at_exit(bundle: Path) -> None:
    kit = str(Path(__file__).parents[1] / "kit")
    script = LEFT_OPEN.format(kit=kit, out=str(bundle))
    subprocess.run([sys.executable, "-c", script], check=True, timeout=50)
    assert stamped(bundle) == [2, 3]
    assert read_json(bundle / "trace.json")["session"]["status"] == "halted"
    assert validate_bundle(bundle) == []


def test_counts_add_up_with_stamps(open_session: Callable[..., Any]) -> None:
    with open_session() as session:
        for index in range(4):
            record(session, index)
    stats = session.stats
    assert stats.accepted == stats.stored
    assert stats.queued == 0
    assert stats.dropped == {}
