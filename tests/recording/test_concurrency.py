from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import orjson
import pytest
from scenarios import read_json, step

from augur_sdk import AsyncDebugSession, DebugSession
from augur_sdk.recording.table import HOT_STEPS


def at_once(count: int, work: Callable[[int], None]) -> None:
    """Run `work(0)` ... `work(count - 1)` in a thread each, and pass on what they raise."""
    barrier = threading.Barrier(count)
    raised: list[BaseException] = []

    def run(number: int) -> None:
        try:
            barrier.wait(10)
            work(number)
        except BaseException as error:  # noqa: BLE001 - raised again on the test's own thread
            raised.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    if raised:
        raise raised[0]


def open_session(folder: Path, **options: Any) -> DebugSession:
    return DebugSession(run_id="r", client_name="c", out_dir=folder, capture_mode="full", **options)


def judge(session: Any, index: int, judge_id: str) -> Any:
    return session.record_judge_decision(
        index, judge_id=judge_id, judge_type="rule", verdict={"status": "passed"}
    )


def test_many_threads_on_one_step_lose_no_update(tmp_path: Path) -> None:
    with open_session(tmp_path / "b") as session:
        session.record_step(step(0))

        def work(number: int) -> None:
            for round_ in range(25):
                judge(session, 0, f"{number}-{round_}")
                session.attach_env_fingerprint(0, api_shapes={f"a{number}": "x"})

        at_once(8, work)
        stats = session.flush()
    record = read_json(tmp_path / "b/steps/0000.json")
    seen = [decision["judge_id"] for decision in record["judge_decisions"]]
    assert sorted(seen) == sorted(f"{n}-{r}" for n in range(8) for r in range(25))
    assert stats.accepted == stats.stored


def test_many_threads_on_a_step_that_left_memory_lose_no_update(tmp_path: Path) -> None:
    with open_session(tmp_path / "b") as session:
        for index in range(3 * HOT_STEPS):
            session.record_step(step(index))
        session.flush()

        def work(number: int) -> None:
            for round_ in range(20):
                judge(session, round_, f"{number}")
                # Patches elsewhere push the step out of memory again.
                session.set_loop_detected(HOT_STEPS + 20 * number + round_)

        at_once(8, work)
    for index in range(20):
        record = read_json(tmp_path / f"b/steps/{index:04d}.json")
        seen = {decision["judge_id"] for decision in record["judge_decisions"]}
        assert seen == {str(number) for number in range(8)}


@pytest.mark.anyio
async def test_many_tasks_on_one_step_lose_no_update(tmp_path: Path) -> None:
    async with AsyncDebugSession(
        run_id="r", client_name="c", out_dir=tmp_path / "b", capture_mode="full"
    ) as session:
        for index in range(2 * HOT_STEPS):
            await session.record_step(step(index))
        await session.flush()

        async def work(number: int) -> None:
            for round_ in range(10):
                await judge(session, round_, f"{number}")

        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(work, number)
    record = orjson.loads(await anyio.Path(tmp_path / "b/steps/0000.json").read_bytes())
    assert len(record["judge_decisions"]) == 20


def test_one_prompt_from_many_threads_is_one_call(tmp_path: Path) -> None:
    paths: list[str] = []
    record = {
        "layer": "planner",
        "request": {"model": "m"},
        "response": {"text": "x"},
        "prompt_hash": "h",
    }
    with open_session(tmp_path / "b") as session:
        at_once(8, lambda _: paths.append(session.record_modelio(record, step_index=0)))
    assert set(paths) == {"modelio/0000-planner-0.json"}
    assert len(list((tmp_path / "b/modelio").iterdir())) == 1


def test_an_effect_is_decided_once(tmp_path: Path) -> None:
    refused: list[ValueError] = []
    with open_session(tmp_path / "b") as session:
        made = session.declare_side_effect(0, "r", "a")

        def work(_: int) -> None:
            try:
                session.commit_side_effect(made)
            except ValueError as error:
                refused.append(error)

        at_once(8, work)
    assert len(refused) == 7


def test_two_hundred_sessions_in_one_process_keep_to_themselves(tmp_path: Path) -> None:
    def work(number: int) -> None:
        for part in range(25):
            name = f"{number}-{part}"
            with open_session(tmp_path / name, group_id=name) as session:
                for index in range(3):
                    session.record_step(step(index))
                    judge(session, index, name)
                session.set_costs(tokens_in=number)

    at_once(8, work)
    folders = list(tmp_path.iterdir())
    assert len(folders) == 200
    for folder in folders:
        trace = read_json(folder / "trace.json")
        assert [record["group_id"] for record in trace["steps"]] == [folder.name] * 3
        judges = {record["verdict_source"] for record in trace["steps"]}
        assert judges == {f"rule:{folder.name}"}


def test_two_hundred_sessions_can_be_open_at_once(tmp_path: Path) -> None:
    before = threading.active_count()
    sessions = [open_session(tmp_path / str(number)) for number in range(200)]
    for session in sessions:
        session.__enter__()
    threads = threading.active_count() - before
    for round_ in range(3):
        for session in sessions:
            session.record_step(step(round_))
    for number, session in enumerate(sessions):
        session.set_score(0, number / 200)
        session.close()
    assert threads <= 8
    for number in range(200):
        trace = read_json(tmp_path / f"{number}/trace.json")
        assert len(trace["steps"]) == 3
        assert trace["steps"][0]["verdict"]["score"] == number / 200
