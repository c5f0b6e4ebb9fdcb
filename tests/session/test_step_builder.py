"""Steps as blocks: every verb alike in both classes, awaited or not, on every event loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scenarios import png, read_json

from augur_sdk import AsyncDebugSession, DebugSession

VERBS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("pre", (png(1),), {}),
    ("action", ("click",), {"params": {"x": 1, "y": 2}}),
    ("grounding", (), {"provider": "g", "x": 1, "y": 2}),
    ("event", ("planner", "info", "hello"), {}),
    ("post", (png(2),), {}),
    ("verdict", ("passed",), {"reason": "it moved"}),
    ("recovery", ("retry",), {"attempt": 1}),
    ("costs", (), {"model_usd": 0.25}),
    ("costs", (), {"tokens_in": 7}),
    ("status", ("recovered",), {}),
]
TIMED = ("started_at", "ended_at", "duration_ms")


def options(folder: Path) -> dict[str, Any]:
    return {"run_id": "r", "client_name": "c", "out_dir": folder, "capture_mode": "full"}


def told(folder: Path) -> dict[str, Any]:
    """The step without its times, and the events that were kept with it."""
    record = read_json(folder / "steps/0000.json")
    lines = (folder / "events/0000.jsonl").read_text().splitlines()
    return {**{k: v for k, v in record.items() if k not in TIMED}, "events": len(lines)}


@pytest.fixture
def of_the_blocking_class(tmp_path: Path) -> dict[str, Any]:
    with DebugSession(**options(tmp_path / "blocking")) as session, session.step("click") as step:
        for verb, args, given in VERBS:
            getattr(step, verb)(*args, **given)
    return told(tmp_path / "blocking")


@pytest.mark.anyio
@pytest.mark.may_block  # the fixture above
@pytest.mark.parametrize("awaited", [True, False])
async def test_every_verb_of_the_async_class_takes_effect_awaited_or_not(
    tmp_path: Path, of_the_blocking_class: dict[str, Any], awaited: bool
) -> None:
    results = {}
    async with (
        AsyncDebugSession(**options(tmp_path / "async")) as session,
        session.step("click") as step,
    ):
        for verb, args, given in VERBS:
            said = getattr(step, verb)(*args, **given)
            results[verb] = await said if awaited else None
        assert step.record["observation_post"] == "screenshots/0000_post.png"
    assert told(tmp_path / "async") == of_the_blocking_class
    assert of_the_blocking_class["costs"] == {"model_usd": 0.25, "tokens_in": 7}
    if awaited:
        assert results["pre"] == "screenshots/0000_pre.png"
        assert results["action"] is None


@pytest.mark.anyio
async def test_what_a_verb_gave_may_be_awaited_again(tmp_path: Path) -> None:
    async with (
        AsyncDebugSession(**options(tmp_path / "b")) as session,
        session.step("click") as step,
    ):
        picture = step.pre(png(1))
        assert await picture == await picture == step.record["observation_pre"]


@pytest.mark.anyio
async def test_a_verb_says_at_once_what_is_wrong_with_its_arguments(tmp_path: Path) -> None:
    async with (
        AsyncDebugSession(**options(tmp_path / "b")) as session,
        session.step("click") as step,
    ):
        with pytest.raises(ValueError, match="png_bytes"):
            step.pre("no bytes")  # type: ignore[arg-type]  # what is tried
