from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import orjson
import pytest
from both_classes import Open
from scenarios import STARTED, png, read_json, step

from augur_sdk import AsyncDebugSession, DebugSession
from augur_sdk.errors import BundleReadError

Face = Callable[[Any], Any]
CONTEXT = {
    "parent_run_id": "run_a",
    "branch_point_step_index": 3,
    "mutated_axis": "model",
    "mutation": {"model": "another"},
    "branch_id": "branch_xyz",
}
SLICE = {name: value for name, value in CONTEXT.items() if name != "mutation"}


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    """A run of five steps: with pictures, one missing, an iteration, an event."""
    folder = tmp_path / "parent"
    with DebugSession(
        run_id="run_a", client_name="agent", out_dir=folder, capture_mode="full"
    ) as session:
        for index in range(5):
            pre = session.attach_observation(
                step_index=index, kind="pre", png_bytes=png(index), viewport=(32, 24), url="u"
            )
            post = "screenshots/0001_post.png" if index == 1 else None
            session.record_step(step(index, observation_pre=pre, observation_post=post))
            session.record_event({"ts": STARTED, "step_index": index, "layer": "planner"})  # type: ignore[typeddict-item]  # a lenient one
        session.record_step_iteration(2, step(2, step_id="s2-again", intent="again"))
    return folder


@pytest.fixture
def branch(session_class: Any, tmp_path: Path, face: Face) -> Open:
    def construct(**options: Any) -> Any:
        options = {
            "parent_run_id": "run_a",
            "branch_point_step_index": 3,
            "mutated_axis": "model",
            "mutation": {"model": "another"},
            "client_name": "agent",
            "out_dir": tmp_path / "b",
            **options,
        }
        return face(session_class.branch_from(**options))

    return construct


def test_a_branch_context_labels_the_session_and_its_slice_every_step(
    open_session: Open, bundle: Path
) -> None:
    with open_session(branch_context=CONTEXT) as session:
        session.record_step(step(0))
        session.record_step_iteration(0, step(0, step_id="again"))
        assert session.branch_mode is None
    trace = read_json(bundle / "trace.json")
    assert trace["session"]["branch_context"] == CONTEXT
    assert trace["steps"][0]["branch_context"] == SLICE
    iterations = [read_json(path) for path in (bundle / "steps/0000").iterdir()]
    assert [record["branch_context"] for record in iterations] == [SLICE, SLICE]


@pytest.mark.parametrize(
    "wrong",
    [
        {"parent_run_id": ""},
        {"parent_run_id": None},
        {"branch_point_step_index": -1},
        {"branch_point_step_index": "3"},
        {"mutated_axis": "weather"},
        {"mutation": "another model"},
        {"branch_id": 3},
    ],
    ids=repr,
)
def test_a_branch_context_that_cannot_be_understood_is_a_value_error(
    open_session: Open, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="expected"):
        open_session(branch_context={**CONTEXT, **wrong})
    with pytest.raises(ValueError, match="branch_context"):
        open_session(branch_context="run_a")


def test_a_replay_begins_with_the_parents_steps(branch: Open, parent: Path, bundle: Path) -> None:
    with branch(parent_bundle=parent, tags={"k": "v"}) as session:
        assert session.branch_mode == "replay"
        session.record_step(step(3, intent="otherwise"))
    trace = read_json(bundle / "trace.json")
    original = read_json(parent / "trace.json")["steps"]
    context = trace["session"]["branch_context"]
    lightweight = {name: value for name, value in context.items() if name != "mutation"}
    for new, old in zip(trace["steps"][:3], original, strict=False):
        assert {k: v for k, v in new.items() if k != "branch_context"} == old
    assert [record["branch_context"] for record in trace["steps"]] == [lightweight] * 4
    assert trace["steps"][3]["intent"] == "otherwise"
    assert trace["session"]["tags"] == {"k": "v"}
    assert context["mutation"] == {"model": "another"}


def test_a_replay_brings_the_pictures_byte_for_byte_and_shares_their_disk(
    branch: Open, parent: Path, bundle: Path
) -> None:
    with branch(parent_bundle=parent):
        pass
    for index in range(3):
        ours, theirs = (folder / f"screenshots/{index:04d}_pre.png" for folder in (bundle, parent))
        assert ours.read_bytes() == theirs.read_bytes()
        assert ours.samefile(theirs)
        assert read_json(ours.with_suffix(".json")) == read_json(theirs.with_suffix(".json"))
    assert not (bundle / "screenshots/0003_pre.png").exists()
    manifest = read_json(bundle / "manifest.json")
    assert manifest["missing"] == ["screenshots/0001_post.png"]
    assert "screenshots/0000_pre.png" in manifest["signatures"]


def test_a_replay_brings_iterations(branch: Open, parent: Path, bundle: Path) -> None:
    with branch(parent_bundle=parent):
        pass
    records = [read_json(path) for path in (bundle / "steps/0002").iterdir()]
    assert {record["step_id"] for record in records} == {"s2", "s2-again"}
    assert read_json(bundle / "trace.json")["steps"][2]["step_iterations"] == 2


def test_the_ids_of_a_branch_tell_its_parent(branch: Open, parent: Path, bundle: Path) -> None:
    with branch(parent_bundle=parent) as session:
        run_id = session.run_id
    assert re.fullmatch(r"run_a:branch:[0-9a-f]{8}", run_id)
    context = read_json(bundle / "trace.json")["session"]["branch_context"]
    assert context["branch_id"] == run_id


def test_the_ids_of_a_branch_can_be_chosen(branch: Open, parent: Path, bundle: Path) -> None:
    with branch(parent_bundle=parent, run_id="mine", branch_id="b7") as session:
        assert session.run_id == "mine"
    assert read_json(bundle / "trace.json")["session"]["branch_context"]["branch_id"] == "b7"


@pytest.mark.parametrize("mode", ["auto", "sandbox"])
def test_a_changed_action_starts_from_step_zero_in_a_sandbox(
    branch: Open, bundle: Path, mode: str
) -> None:
    with branch(mutated_axis="action", mode=mode, capture_mode="full") as session:
        assert session.branch_mode == "sandbox"
        session.record_step(step(0))
    trace = read_json(bundle / "trace.json")
    assert trace["session"]["branch_context"]["mutated_axis"] == "action"
    assert [record["step_id"] for record in trace["steps"]] == ["s0"]


@pytest.mark.parametrize("axis", ["model", "prompt", "grounder", "tool_description"])
def test_auto_replays_what_happens_before_the_action(branch: Open, parent: Path, axis: str) -> None:
    assert branch(parent_bundle=parent, mutated_axis=axis).branch_mode == "replay"
    assert branch(mutated_axis=axis, mode="sandbox").branch_mode == "sandbox"


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ({"mutated_axis": "weather"}, "mutated_axis"),
        ({"branch_point_step_index": -1}, "branch_point_step_index"),
        ({"mode": "rewind"}, "mode"),
        ({"mutated_axis": "action", "mode": "replay"}, 'mode="sandbox"'),
        ({"parent_run_id": ""}, "parent_run_id"),
        ({"mutation": "another model"}, "mutation"),
    ],
    ids=repr,
)
def test_a_branch_that_makes_no_sense_is_refused_with_what_to_do(
    branch: Open, parent: Path, wrong: dict[str, Any], hint: str
) -> None:
    with pytest.raises(ValueError, match=hint):
        branch(parent_bundle=parent, **wrong)


def test_a_replay_without_a_finished_parent_is_refused(
    branch: Open, tmp_path: Path, bundle: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for nothing in (None, tmp_path / "nowhere", tmp_path / "empty"):
        with pytest.raises(FileNotFoundError, match="sandbox"):
            branch(parent_bundle=nothing, mode="replay")
    assert not bundle.exists()


def test_a_branch_is_not_written_over_its_parent(branch: Open, parent: Path) -> None:
    before = read_json(parent / "trace.json")
    with pytest.raises(ValueError, match="folder of its own"):
        branch(parent_bundle=parent, out_dir=parent / ".." / "parent")
    assert read_json(parent / "trace.json") == before


def test_a_replay_into_a_session_that_is_off_brings_nothing(
    branch: Open, parent: Path, bundle: Path
) -> None:
    with branch(parent_bundle=parent, capture_mode="off"):
        pass
    assert read_json(bundle / "trace.json")["steps"] == []


def test_a_replay_for_which_nobody_chose_a_mode_is_captured(
    branch: Open, parent: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with branch(parent_bundle=parent) as session:
        assert session.capture_mode == "replay"
    assert len(read_json(bundle / "trace.json")["steps"]) == 3
    monkeypatch.setenv("AUGUR_CAPTURE_MODE", "trace")
    assert branch(parent_bundle=parent).capture_mode == "trace"


def test_a_branch_of_a_branch_carries_its_own_context(
    branch: Open, parent: Path, tmp_path: Path
) -> None:
    with branch(parent_bundle=parent, run_id="child"):
        pass
    with branch(
        parent_bundle=tmp_path / "b", parent_run_id="child", out_dir=tmp_path / "c"
    ) as session:
        session.record_step(step(3))
    steps = read_json(tmp_path / "c/trace.json")["steps"]
    assert {record["branch_context"]["parent_run_id"] for record in steps} == {"child"}


def test_steps_of_the_prefix_can_be_patched(branch: Open, parent: Path, bundle: Path) -> None:
    with branch(parent_bundle=parent) as session:
        session.set_score(1, 0.5)
    assert read_json(bundle / "steps/0001.json")["verdict"]["score"] == 0.5


def test_a_damaged_parent_is_said_and_the_branch_is_closed(
    branch: Open, parent: Path, bundle: Path
) -> None:
    trace = parent / "trace.json"
    trace.write_bytes(trace.read_bytes()[:-200])
    with pytest.raises(BundleReadError, match="damaged"), branch(parent_bundle=parent):
        pass
    assert read_json(bundle / "trace.json")["session"]["status"] == "halted"


def test_the_bundle_of_another_producer_can_be_replayed(
    branch: Open, tmp_path: Path, bundle: Path
) -> None:
    parent = tmp_path / "foreign"
    (parent / "shots").mkdir(parents=True)
    (parent / "shots/first.png").write_bytes(png(1))
    (tmp_path / "secret.png").write_bytes(png(2))
    steps: list[Any] = [
        step(0, observation_pre="shots/first.png", observation_post="../secret.png"),
        {"no": "step"},
        step(1, step_index="1"),
        step(2, mood="unknown to the schema"),
    ]
    trace = {"steps": steps, "session": {"run_id": "run_a"}}
    (parent / "trace.json").write_bytes(orjson.dumps(trace))
    with branch(parent_bundle=parent):
        pass
    found = read_json(bundle / "trace.json")["steps"]
    assert [record["step_index"] for record in found] == [0, 2]
    assert (bundle / "screenshots/0000_pre.png").read_bytes() == png(1)
    assert not (bundle / "screenshots/0000_post.png").exists()
    assert read_json(bundle / "manifest.json")["missing"] == ["screenshots/0000_post.png"]


@pytest.mark.anyio
async def test_on_an_event_loop_the_parent_is_looked_for_when_the_branch_opens(
    parent: Path, tmp_path: Path
) -> None:
    def construct(folder: Path) -> AsyncDebugSession:
        return AsyncDebugSession.branch_from(
            parent_run_id="run_a",
            branch_point_step_index=2,
            mutated_axis="model",
            mutation={},
            client_name="agent",
            out_dir=tmp_path / "b",
            parent_bundle=folder,
        )

    nowhere = construct(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError):
        await nowhere.__aenter__()
    async with construct(parent) as session:
        await session.record_step(step(2))
    trace = await anyio.Path(tmp_path / "b/trace.json").read_bytes()
    assert len(orjson.loads(trace)["steps"]) == 3


@pytest.mark.anyio
async def test_a_cancelled_replay_stops_and_closes_the_branch(parent: Path, tmp_path: Path) -> None:
    session = AsyncDebugSession.branch_from(
        parent_run_id="run_a",
        branch_point_step_index=5,
        mutated_axis="model",
        mutation={},
        client_name="agent",
        out_dir=tmp_path / "b",
        parent_bundle=parent,
    )
    with anyio.CancelScope() as scope:
        scope.cancel()
        await session.__aenter__()
    assert scope.cancelled_caught
    trace = orjson.loads(await anyio.Path(tmp_path / "b/trace.json").read_bytes())
    assert trace["session"]["status"] == "halted"


def test_an_explicit_branch_id_is_the_runs_id_too(
    branch: Open, parent: Path, tmp_path: Path
) -> None:
    named = {"parent_bundle": parent, "branch_id": "branch_xyz"}
    with branch(**named) as session:
        assert session.run_id == "branch_xyz"
    with branch(**named, run_id="mine", out_dir=tmp_path / "other") as session:
        assert session.run_id == "mine"
