"""The gate's table, cell by cell."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augur_sdk.errors import RunKilled
from augur_sdk.intervention import Hint, InterventionCommand, Override
from augur_sdk.intervention.gate import KEPT, Checkpoint, Gate, GateState


def command(kind: str, command_id: str = "c", **payload: Any) -> InterventionCommand:
    return InterventionCommand(command_id, kind, operator_id="op", payload=payload)


def gate_in(state: GateState) -> Gate:
    gate = Gate("run")
    if state is GateState.PAUSED:
        gate.apply(command("pause"))
    if state is GateState.KILLED:
        gate.apply(command("kill"))
    if state is GateState.CLOSED:
        gate.close()
    assert gate.state is state
    return gate


@pytest.mark.parametrize(
    ("before", "kind", "after"),
    [
        (GateState.RUNNING, "pause", GateState.PAUSED),
        (GateState.RUNNING, "resume", GateState.RUNNING),
        (GateState.RUNNING, "kill", GateState.KILLED),
        (GateState.RUNNING, "inject_hint", GateState.RUNNING),
        (GateState.RUNNING, "reboot", GateState.RUNNING),
        (GateState.PAUSED, "pause", GateState.PAUSED),
        (GateState.PAUSED, "resume", GateState.RUNNING),
        (GateState.PAUSED, "kill", GateState.KILLED),
        (GateState.PAUSED, "override_action", GateState.PAUSED),
        (GateState.KILLED, "pause", GateState.KILLED),
        (GateState.KILLED, "resume", GateState.KILLED),
        (GateState.CLOSED, "pause", GateState.CLOSED),
        (GateState.CLOSED, "kill", GateState.CLOSED),
    ],
)
def test_a_command_moves_the_gate(before: GateState, kind: str, after: GateState) -> None:
    gate = gate_in(before)
    gate.apply(command(kind))
    assert gate.state is after


def test_a_checkpoint_of_a_normal_run_is_passed_at_once() -> None:
    assert Gate("run").take() == Checkpoint()
    assert not Checkpoint()


def test_a_pause_holds_and_a_resume_lets_go() -> None:
    gate = gate_in(GateState.PAUSED)
    assert gate.take() is None
    gate.apply(command("resume"))
    assert gate.take() == Checkpoint()


def test_hints_and_overrides_are_handed_over_once_in_order() -> None:
    gate = Gate("run")
    gate.apply(command("inject_hint", "c1", text="left"))
    gate.apply(command("inject_hint", "c2", text="right"))
    gate.apply(command("override_action", "c3", coordinates={"x": 3, "y": 4}))
    taken = gate.take()
    assert taken == Checkpoint(
        (Hint("left", "c1", "op"), Hint("right", "c2", "op")),
        (Override({"x": 3, "y": 4}, "c3", "op", "human_override"),),
    )
    assert gate.take() == Checkpoint()


def test_what_arrives_during_a_pause_is_handed_over_after_it() -> None:
    gate = gate_in(GateState.PAUSED)
    gate.apply(command("inject_hint", text="look"))
    assert gate.take() is None
    gate.apply(command("resume"))
    taken = gate.take()
    assert taken is not None
    assert [hint.text for hint in taken.hints] == ["look"]


@pytest.mark.parametrize(
    "empty", [command("inject_hint"), command("override_action", coordinates="here")]
)
def test_an_empty_hint_or_a_point_that_is_none_is_not_handed_over(
    empty: InterventionCommand,
) -> None:
    gate = Gate("run")
    gate.apply(empty)
    assert gate.take() == Checkpoint()


def test_a_kill_is_raised_at_every_checkpoint_and_names_who() -> None:
    gate = gate_in(GateState.KILLED)
    for _ in range(2):
        with pytest.raises(RunKilled, match="by operator op") as caught:
            gate.take()
        assert caught.value.command_id == "c"


def test_a_closed_gate_holds_nobody() -> None:
    gate = gate_in(GateState.PAUSED)
    gate.close()
    assert gate.take() == Checkpoint()


def test_a_kill_outlives_the_closing() -> None:
    gate = gate_in(GateState.KILLED)
    gate.close()
    assert gate.killed


def test_an_agent_that_never_asks_does_not_fill_memory() -> None:
    gate = Gate("run")
    for number in range(KEPT + 10):
        gate.apply(command("inject_hint", text=str(number)))
    taken = gate.take()
    assert taken is not None
    assert len(taken.hints) == KEPT
    assert taken.hints[-1].text == str(KEPT + 9)


def test_subscribers_are_told_of_each_change_while_they_listen() -> None:
    gate, calls = Gate("run"), list[str]()
    with gate.subscribed(lambda: calls.append("changed")):
        gate.apply(command("pause"))
        gate.apply(command("resume"))
        gate.close()
    gate.close()
    assert calls == ["changed"] * 3


def test_a_subscriber_may_use_the_gate() -> None:
    gate = Gate("run")
    with gate.subscribed(gate.raise_if_killed), pytest.raises(RunKilled):
        gate.apply(command("kill"))


@given(kinds=st.lists(st.sampled_from(["pause", "resume", "kill", "inject_hint"]), max_size=30))
def test_every_hint_before_a_kill_is_handed_over_exactly_once(kinds: list[str]) -> None:
    gate, sent, got, dead = Gate("run"), list[str](), list[str](), False
    for number, kind in enumerate(kinds):
        gate.apply(command(kind, text=str(number)))
        if kind == "inject_hint" and not dead:
            sent.append(str(number))
        dead = dead or kind == "kill"
        if dead:
            with pytest.raises(RunKilled):
                gate.take()
        elif (taken := gate.take()) is not None:
            got += [hint.text for hint in taken.hints]
    assert got == sent[: len(got)]
    if not dead and gate.state is GateState.RUNNING:
        assert got == sent


def test_many_threads_share_the_gate() -> None:
    gate, got = Gate("run"), list[str]()

    def agent() -> None:
        for _ in range(300):
            taken = gate.take()
            got.extend(hint.text for hint in (taken or Checkpoint()).hints)

    threads = [threading.Thread(target=agent) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(100):
        gate.apply(command("inject_hint", text=str(number)))
    for thread in threads:
        thread.join()
    agent()
    assert sorted(map(int, got)) == list(range(100))
