"""Approvals: one exact action, once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from augur_sdk.errors import RunKilled
from augur_sdk.intervention import GatePolicy, InterventionCommand, Permit
from augur_sdk.intervention.approval import ApprovalRequest, action_hash
from augur_sdk.intervention.approval_point import ApprovalPoint
from augur_sdk.intervention.events import command_event, pending_event, restore, settled_event
from augur_sdk.intervention.gate import Gate
from augur_sdk.redaction import DefaultRedactionPolicy, RedactionDoor

PAY = {"type": "click", "params": {"label": "Pay", "amount": 100}}


def say(
    kind: str, request: ApprovalRequest, command_id: str = "c", **payload: Any
) -> InterventionCommand:
    named = {"action_hash": request.action_hash, "approval_id": request.approval_id, **payload}
    return InterventionCommand(command_id, kind, operator_id="op", payload=named)


def asked(gate: Gate, action: Any = PAY, **where: Any) -> ApprovalRequest:
    request = gate.ask(action, **where)
    gate.post(request)
    return request


def answered(gate: Gate, request: ApprovalRequest) -> Permit:
    permit = gate.answer(request)
    assert permit is not None
    return permit


def test_a_question_waits_until_it_is_answered() -> None:
    gate = Gate("run")
    request = asked(gate)
    assert gate.answer(request) is None
    assert gate.pending == [request]
    gate.apply(say("approve", request))
    permit = answered(gate, request)
    assert (permit.outcome, permit.action, permit.operator_id) == ("allow", PAY, "op")
    assert permit.allowed
    assert gate.pending == []


def test_a_denial_says_why() -> None:
    gate = Gate("run")
    request = asked(gate)
    gate.apply(say("deny", request, reason="too dear"))
    permit = answered(gate, request)
    assert (permit.outcome, permit.reason, permit.allowed) == ("deny", "too dear", False)


def test_an_edit_allows_the_edited_action() -> None:
    gate = Gate("run")
    request = asked(gate)
    cheaper = {"type": "click", "params": {"label": "Pay", "amount": 10}}
    gate.apply(say("edit", request, action=cheaper))
    permit = answered(gate, request)
    assert (permit.outcome, permit.action, permit.edited) == ("allow", cheaper, True)


@pytest.mark.parametrize("junk", [{}, {"action": None}, {"action": "pay"}])
def test_an_edit_without_an_action_settles_nothing(junk: dict[str, Any]) -> None:
    gate = Gate("run")
    request = asked(gate)
    gate.apply(say("edit", request, **junk))
    assert gate.answer(request) is None


def test_an_answer_is_good_for_once() -> None:
    gate = Gate("run")
    first = asked(gate)
    gate.apply(say("approve", first))
    assert answered(gate, first).allowed
    gate.post(first)
    assert gate.answer(first) is None


def test_an_approval_is_not_good_for_another_action() -> None:
    gate = Gate("run")
    cheap, dear = asked(gate, {"pay": 1}), asked(gate, {"pay": 1000})
    gate.apply(say("approve", cheap))
    assert gate.answer(dear) is None
    forged = say("approve", cheap, approval_id=dear.approval_id)
    gate.apply(forged)
    assert gate.answer(dear) is None


@pytest.mark.parametrize("digest", ["", None, "0" * 64, 7])
def test_an_approval_without_the_hash_settles_nothing(digest: Any) -> None:
    gate = Gate("run")
    request = asked(gate)
    gate.apply(say("approve", request, action_hash=digest))
    assert gate.answer(request) is None


def test_a_second_click_does_not_approve_the_next_identical_action() -> None:
    gate = Gate("run")
    first = asked(gate)
    gate.apply(say("approve", first, "c1"))
    gate.apply(say("approve", first, "c2", approval_id=None))
    assert answered(gate, first).allowed
    second = asked(gate)
    assert second.action_hash == first.action_hash
    assert gate.answer(second) is None


def test_an_answer_before_the_question_is_dropped() -> None:
    gate = Gate("run")
    request = gate.ask(PAY)
    gate.apply(say("approve", request))
    gate.post(request)
    assert gate.answer(request) is None


def test_the_first_answer_stands() -> None:
    gate = Gate("run")
    request = asked(gate)
    gate.apply(say("deny", request, "c1"))
    gate.apply(say("approve", request, "c2"))
    assert answered(gate, request).outcome == "deny"


def test_an_answer_waits_for_the_end_of_a_pause() -> None:
    gate = Gate("run")
    request = asked(gate)
    gate.apply(say("approve", request))
    gate.apply(InterventionCommand("p", "pause"))
    assert gate.answer(request) is None
    gate.apply(InterventionCommand("r", "resume"))
    assert answered(gate, request).allowed


def test_a_kill_outranks_an_approval() -> None:
    gate = Gate("run")
    request = asked(gate)
    gate.apply(say("approve", request))
    gate.apply(InterventionCommand("k", "kill"))
    with pytest.raises(RunKilled):
        gate.answer(request)


def test_closing_denies_what_still_waits() -> None:
    gate = Gate("run")
    request = asked(gate)
    gate.close()
    assert answered(gate, request).outcome == "deny"


def test_ids_follow_from_what_is_asked_and_how_often() -> None:
    first, again = Gate("run"), Gate("run")
    ids = [first.ask(PAY, step_index=3).approval_id for _ in range(2)]
    assert ids == [again.ask(PAY, step_index=3).approval_id for _ in range(2)]
    others = [
        first.ask(PAY, step_index=4),
        first.ask({**PAY, "x": 1}, step_index=3),
        Gate("another").ask(PAY, step_index=3),
        first.ask(PAY, step_index=3, key="mine"),
    ]
    assert len({*ids, *(request.approval_id for request in others)}) == 6


def test_the_hash_is_of_the_exact_content_whatever_the_key_order() -> None:
    assert action_hash({"a": 1, "b": [1, 2]}) == action_hash({"b": [1, 2], "a": 1})
    assert action_hash({"a": 1}) != action_hash({"a": "1"})
    assert action_hash({"a": 1}) != action_hash({"a": True})
    assert action_hash({"a": 1}, b"secret") != action_hash({"a": 1})


# The point: policy first, then the operator.


def point(gate: Gate, policy: GatePolicy, events: list[Any], **more: Any) -> ApprovalPoint:
    return ApprovalPoint(gate, policy, events.append, PAY, **more)


@pytest.mark.parametrize(
    ("reversibility", "attended", "policy", "outcome"),
    [
        ("reversible", True, GatePolicy(), "allow"),
        ("compensated", True, GatePolicy(), "allow"),
        ("reversible", False, GatePolicy(), "allow"),
        ("irreversible", False, GatePolicy(), "deny"),
        ("irreversible", False, GatePolicy(unattended="allow"), "allow"),
        ("irreversible", True, GatePolicy(irreversible="allow"), "allow"),
        ("irreversible", True, GatePolicy(irreversible="deny"), "deny"),
        ("reversible", False, GatePolicy(reversible="ask"), "deny"),
    ],
)
def test_the_policy_decides_by_reversibility(
    reversibility: Any, attended: bool, policy: GatePolicy, outcome: str
) -> None:
    gate, events = Gate("run"), list[Any]()
    gate.attended = attended
    permit = point(gate, policy, events, reversibility=reversibility).passed_blocking()
    assert permit.outcome == outcome
    assert [event["summary"] for event in events] == [f"approval: {outcome}"]


def test_an_unknown_reversibility_is_refused() -> None:
    with pytest.raises(ValueError, match="reversibility"):
        point(Gate("run"), GatePolicy(), [], reversibility="maybe")


@pytest.mark.parametrize("on_timeout", ["allow", "deny"])
def test_silence_has_an_outcome(on_timeout: Any) -> None:
    gate, events = Gate("run"), list[Any]()
    gate.attended = True
    policy = GatePolicy(timeout=0.05, on_timeout=on_timeout)
    assert point(gate, policy, events).passed_blocking().outcome == on_timeout
    assert gate.pending == []
    assert [event["summary"] for event in events] == ["approval pending", f"approval: {on_timeout}"]


def test_what_was_committed_is_never_allowed_again() -> None:
    gate, events = Gate("run"), list[Any]()
    policy = GatePolicy(unattended="allow")
    first = point(gate, policy, events, key="order-7").passed_blocking()
    gate.committed(first.approval_id, {"order": 7})
    second = point(gate, policy, events, key="order-7").passed_blocking()
    assert (second.outcome, second.observed_result, second.allowed) == ("done", {"order": 7}, False)


# Resuming.


class Journal:
    """The events and effects that outlive the process."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.effects: list[dict[str, Any]] = []

    def asks(self, gate: Gate, step_index: int = 3) -> ApprovalRequest:
        request = asked(gate, step_index=step_index)
        self.events.append(pending_event(request, "irreversible", datetime.now(UTC)))
        return request

    def hears(self, gate: Gate, command: InterventionCommand) -> None:
        self.events.append(command_event(command, datetime.now(UTC)))
        gate.apply(command)

    def hands_out(self, gate: Gate, request: ApprovalRequest) -> Permit:
        permit = answered(gate, request)
        self.events.append(settled_event(request, permit, datetime.now(UTC)))
        return permit

    def resumed(self) -> Gate:
        gate = Gate("run")
        restore(gate, self.events, self.effects)
        return gate


def test_a_decision_that_was_not_handed_out_survives_the_process() -> None:
    journal, gate = Journal(), Gate("run")
    journal.hears(gate, say("approve", journal.asks(gate)))
    after = journal.resumed()
    request = asked(after, step_index=3)
    assert answered(after, request).allowed
    assert after.answer(request) is None


def test_a_decision_that_was_handed_out_does_not() -> None:
    journal, gate = Journal(), Gate("run")
    request = journal.asks(gate)
    journal.hears(gate, say("approve", request))
    journal.hands_out(gate, request)
    after = journal.resumed()
    assert after.answer(asked(after, step_index=3)) is None


def test_an_edit_is_asked_again_because_the_disk_only_has_its_redacted_form() -> None:
    journal, gate = Journal(), Gate("run")
    journal.hears(gate, say("edit", journal.asks(gate), action={"pay": "***"}))
    after = journal.resumed()
    assert after.answer(asked(after, step_index=3)) is None


def test_a_committed_effect_is_done_after_a_resume() -> None:
    journal, gate = Journal(), Gate("run")
    request = journal.asks(gate)
    journal.hears(gate, say("approve", request))
    permit = journal.hands_out(gate, request)
    journal.effects.append(
        {"idempotency_key": permit.approval_id, "status": "committed", "observed_result": "ok"}
    )
    after = journal.resumed()
    again = answered(after, asked(after, step_index=3))
    assert (again.outcome, again.observed_result) == ("done", "ok")


def test_an_effect_that_was_only_declared_is_asked_for_again() -> None:
    journal, gate = Journal(), Gate("run")
    request = journal.asks(gate)
    journal.hears(gate, say("approve", request))
    journal.effects.append({"idempotency_key": request.approval_id, "status": "intent_only"})
    after = journal.resumed()
    assert after.answer(asked(after, step_index=3)) is None


def test_a_pause_and_a_kill_stand_after_a_resume_and_are_not_carried_out_twice() -> None:
    journal, gate = Journal(), Gate("run")
    journal.hears(gate, InterventionCommand("p", "pause"))
    after = Gate("run")
    assert restore(after, journal.events, []).seen == ["p"]
    assert after.take() is None
    journal.hears(gate, InterventionCommand("k", "kill", operator_id="op"))
    with pytest.raises(RunKilled, match="op"):
        journal.resumed().take()


@pytest.mark.parametrize(
    "junk", [{}, {"detail": None}, {"detail": {"command": 3}}, {"detail": {"approval": 3}}]
)
def test_other_events_mean_nothing_to_the_gate(junk: dict[str, Any]) -> None:
    assert restore(Gate("run"), [junk], [{}, {"idempotency_key": 3}]).seen == []


def test_the_gates_events_pass_redaction_unharmed() -> None:
    journal, gate = Journal(), Gate("run")
    request = journal.asks(gate)
    journal.hears(gate, say("approve", request, "cmd_0123456789ab"))
    journal.hands_out(gate, request)
    door = RedactionDoor(DefaultRedactionPolicy())
    stored = [orjson.loads(door.record("event", orjson.dumps(e))) for e in journal.events]
    assert [e["detail"].get("approval") for e in stored] == [
        e["detail"].get("approval") for e in journal.events
    ]
    assert stored[1]["detail"] == journal.events[1]["detail"]
