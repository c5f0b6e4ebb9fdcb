"""Checked by the type checkers, never run: what a user writes has the types it should have."""

from __future__ import annotations

from typing import Any, assert_type

from augur_sdk import (
    Adapter,
    AsyncDebugSession,
    BundleManifest,
    CaptureMode,
    DebugSession,
    ModelApiAdapterBase,
    S3Store,
    SessionStats,
    StepTrace,
)


def a_blocking_run(step: StepTrace) -> None:
    with DebugSession(run_id="r", client_name="c", out_dir="b", capture_mode="full") as session:
        assert_type(session, DebugSession)
        assert_type(session.record_step(step), None)
        assert_type(session.record_modelio({}, step_index=0, layer="planner"), str)
        assert_type(session.declare_side_effect(0, "orders/1", "submit"), str)
        assert_type(session.abort_pending_side_effects("why"), list[str])
        assert_type(session.finalize_outcome(scope="step", step_index=0), dict[str, Any])
        assert_type(session.record_reasoning(None, "text"), dict[str, Any])
        assert_type(session.successful_task_cost_summary(), dict[str, int | float] | None)
        assert_type(session.attach_observation(step_index=0, kind="pre", png_bytes=b""), str)
        assert_type(session.flush(), SessionStats)
        assert_type(session.capture_mode, CaptureMode)
        assert_type(session.branch_mode, str | None)
        assert_type(session.close(), BundleManifest)
        with session.step("click") as block:
            assert_type(block.index, int)
        # The arguments are checked through the registration as well.
        session.set_score("0", 1.0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # an index is a number
        session.attach_verifier(0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # a status is required
        session.record_step({"step_id": "s"})  # type: ignore[typeddict-item]  # pyright: ignore[reportArgumentType]  # incomplete


async def an_async_run(step: StepTrace) -> None:
    async with AsyncDebugSession(run_id="r", client_name="c", out_dir="b") as session:
        assert_type(session, AsyncDebugSession)
        assert_type(await session.record_step(step), None)
        assert_type(await session.record_modelio({}, step_index=0), str)
        assert_type(await session.declare_side_effect(0, "orders/1", "submit"), str)
        assert_type(await session.flush(), SessionStats)
        assert_type(await session.close(), BundleManifest)
        async with session.step("click") as block:
            assert_type(block.id, str)
            assert_type(await block.pre(b""), str)
            assert_type(await block.action("click", params={"x": 1}), None)
            assert_type(await block.verdict("passed", score=1.0), None)
            block.costs(model_usd=0.1)
            block.costs(price=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # no such cost


def other_ways_to_begin() -> None:
    branch = DebugSession.branch_from(
        parent_run_id="r",
        branch_point_step_index=3,
        mutated_axis="model",
        mutation={"model": "m"},
        client_name="c",
        out_dir="b",
        parent_bundle="p",
        tags={"k": "v"},
    )
    assert_type(branch, DebugSession)
    assert_type(AsyncDebugSession.open_orchestrator("r", "c", "b"), AsyncDebugSession)


def names_that_are_imported_later(adapter: Adapter, base: type[ModelApiAdapterBase]) -> None:
    assert_type(adapter.name, str)
    assert_type(base.__name__, str)
    S3Store("bucket")
