from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from both_classes import Open
from scenarios import STARTED, files_of, read_json, step

from augur_sdk import DebugSession, recover_bundle
from augur_sdk.models.validators import problems


def ledger(bundle: Path) -> list[Any]:
    return [read_json(path) for path in sorted((bundle / "side_effects").glob("*.json"))]


def test_an_effect_is_declared_and_then_committed(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        session.record_step(step(3))
        made = session.declare_side_effect(
            3,
            "orders/42",
            "submit",
            idempotency_key="k",
            reversibility="compensated",
            compensation_handle="refund/42",
            provenance="human_declared",
            declared_at=STARTED,
        )
        session.commit_side_effect(made, {"order": 42}, committed_at=STARTED)
    assert read_json(bundle / f"side_effects/0003-{made}.json") == {
        "side_effect_id": made,
        "step_index": 3,
        "step_id": "s3",
        "resource": "orders/42",
        "action": "submit",
        "idempotency_key": "k",
        "reversibility": "compensated",
        "compensation_handle": "refund/42",
        "provenance": "human_declared",
        "status": "committed",
        "declared_at": STARTED,
        "committed_at": STARTED,
        "observed_result": {"order": 42},
    }


def test_an_effect_that_nobody_decides_stays_an_intent_and_learns_its_step(
    open_session: Open, bundle: Path
) -> None:
    with open_session() as session:
        session.declare_side_effect(0, "mail", "send")
        session.record_step(step(0))
    (effect,) = ledger(bundle)
    assert (effect["status"], effect["step_id"]) == ("intent_only", "s0")
    assert problems("side_effect", effect) == []


def test_an_effect_is_aborted_with_its_reason(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        made = session.declare_side_effect(0, "mail", "send")
        session.mark_side_effect_aborted(made, "the operator said so", aborted_at=STARTED)
    (effect,) = ledger(bundle)
    assert (effect["status"], effect["abort_reason"], effect["aborted_at"]) == (
        "aborted",
        "the operator said so",
        STARTED,
    )


def test_aborting_the_pending_ones_leaves_the_decided_ones(
    open_session: Open, bundle: Path
) -> None:
    with open_session() as session:
        done, *pending = [session.declare_side_effect(i, "r", "a") for i in range(4)]
        session.commit_side_effect(done)
        assert session.abort_pending_side_effects("killed") == pending
        assert session.abort_pending_side_effects("killed") == []
    assert [effect["status"] for effect in ledger(bundle)] == ["committed"] + ["aborted"] * 3


def test_unknown_and_decided_ids_are_value_errors(open_session: Open) -> None:
    with open_session() as session:
        committed, aborted = (session.declare_side_effect(0, "r", "a") for _ in range(2))
        session.commit_side_effect(committed)
        session.mark_side_effect_aborted(aborted, "no")
        session.record_step(step(0))
        for known in (committed, aborted):
            with pytest.raises(ValueError, match="already"):
                session.commit_side_effect(known)
            with pytest.raises(ValueError, match="already"):
                session.mark_side_effect_aborted(known, "why")
            with pytest.raises(ValueError, match="before"):
                session.declare_side_effect(0, "r", "a", side_effect_id=known)
        for unknown in ("se_none", "", None, 7):
            with pytest.raises(ValueError, match="no side effect was declared"):
                session.commit_side_effect(unknown)


@pytest.mark.parametrize(
    "wrong",
    [
        {"reversibility": "maybe"},
        {"provenance": "hearsay"},
        {"side_effect_id": 3},
        {"resource": None},
        {"step_index": -1},
    ],
    ids=repr,
)
def test_a_declaration_that_cannot_be_understood_is_a_value_error(
    open_session: Open, bundle: Path, wrong: dict[str, Any]
) -> None:
    arguments = {"step_index": 0, "resource": "r", "action": "a", **wrong}
    with open_session() as session, pytest.raises(ValueError, match="expected"):
        session.declare_side_effect(**arguments)
    assert not (bundle / "side_effects").exists()


def test_a_result_that_json_cannot_hold_is_kept_as_text(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        made = session.declare_side_effect(0, "r", "a")
        session.commit_side_effect(made, Path("receipt.pdf"))
    (effect,) = ledger(bundle)
    assert effect["observed_result"] == "receipt.pdf"


def test_ids_from_outside_never_leave_the_folder_or_share_a_file(tmp_path: Path) -> None:
    ids = [
        "../../x",
        "a/b",
        "a b",
        "a_b-" + "0" * 8,
        "A",
        "a",
        "nul",
        "x" * 300,
        "x" * 299 + "y",
        "\0",
        "ü",
        "..",
        "se_1",
    ]
    ids += [Path(path).stem.partition("-")[2] for path in _paths_of(tmp_path / "first", ids)]
    unique = list(dict.fromkeys(ids))
    paths = _paths_of(tmp_path / "second", unique)
    assert len({path.casefold() for path in paths}) == len(unique)
    assert sorted(tmp_path.iterdir()) == [tmp_path / "first", tmp_path / "second"]
    stored = {read_json(tmp_path / "second" / path)["side_effect_id"] for path in paths}
    assert stored == set(unique)


def _paths_of(folder: Path, ids: list[str]) -> list[str]:
    with DebugSession(run_id="r", client_name="c", out_dir=folder, capture_mode="full") as session:
        for number, name in enumerate(ids):
            session.declare_side_effect(0, f"r{number}", "a", side_effect_id=name)
    return [name for name in files_of(folder) if name.startswith("side_effects/")]


CHILD = """
import os, sys
from augur_sdk import DebugSession
with DebugSession(run_id="r", client_name="c", out_dir=sys.argv[1], capture_mode="full") as s:
    made = s.declare_side_effect(0, "orders/42", "submit")
    os.write(1, made.encode() + b"\\n")
    sys.stdin.read()
    s.commit_side_effect(made)
"""


def test_the_intent_is_in_the_ledger_when_the_process_dies_before_the_commit(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "b"
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        made = child.stdout.readline().decode().strip()
        child.send_signal(signal.SIGKILL)
        child.wait()
    recover_bundle(folder)
    (effect,) = ledger(folder)
    assert (effect["side_effect_id"], effect["status"]) == (made, "intent_only")


@pytest.mark.anyio
async def test_the_async_class_returns_from_a_declaration_once_it_is_stored(
    tmp_path: Path,
) -> None:
    from augur_sdk import AsyncDebugSession

    async with AsyncDebugSession(
        run_id="r", client_name="c", out_dir=tmp_path / "b", capture_mode="full"
    ) as session:
        for index in range(5):
            await session.declare_side_effect(index, "r", "a")
            assert session.stats.queued == 0


def test_the_blocking_class_returns_from_a_declaration_once_it_is_stored(tmp_path: Path) -> None:
    with DebugSession(
        run_id="r", client_name="c", out_dir=tmp_path / "b", capture_mode="full"
    ) as session:
        for index in range(5):
            session.declare_side_effect(index, "r", "a")
            assert session.stats.queued == 0
