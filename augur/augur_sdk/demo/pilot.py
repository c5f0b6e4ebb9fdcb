"""The agent's judgement, without any input or output: screenshots in, decisions out.

It grounds every click on the pixels of the screenshot it is given, compares the screenshots from
before and after an action to tell whether the action did what it was meant to, and when it did
not, looks for what is in the way. Driving the screen and recording are `augur_sdk.demo.agent`'s.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from augur_sdk.demo.perception import changed_pixels, look_at
from augur_sdk.demo.scenario import Goal
from augur_sdk.models import Provenance

__all__ = ["GROUNDER", "Decision", "Judgement", "Note", "Pilot"]

GROUNDER: Final = "label-template-match"

ATTEMPTS: Final = 3
"""Tries at one goal before the run is given up."""

WAYS_OUT: Final = ("No thanks", "Not now", "Close")
"""What is written on the buttons that make a dialog go away."""

TARGET_NOT_FOUND: Final = "demo.target_not_found"

_CLICK_HINT = re.compile(r"\bclick (?:on )?[\"']?(?P<label>[^\"']+?)[\"']?[.!]?$", re.IGNORECASE)


class Note(NamedTuple):
    """A decision event, before it has a time and a step."""

    layer: str
    kind: str
    summary: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about a goal. A click without a point means: its target is not on the screen."""

    goal: Goal
    point: tuple[int, int] | None = None
    confidence: float | None = None
    provider: str = GROUNDER
    provenance: Provenance = "screenshot"
    notes: tuple[Note, ...] = ()

    @property
    def possible(self) -> bool:
        """Whether there is something to do."""
        return self.goal.action != "click" or self.point is not None

    @property
    def params(self) -> dict[str, Any]:
        """The action's parameters, as they may be recorded."""
        goal = self.goal
        if self.point is not None:
            return {"x": self.point[0], "y": self.point[1]}
        if goal.action == "key":
            return {"key": goal.text}
        if goal.action == "type":
            return {"length": len(goal.text)} if goal.secret else {"text": goal.text}
        return {}


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a step did what it was meant to, and what follows.

    Attributes:
        passed: It did.
        reason: What was seen.
        recovered: It did, after an earlier try had failed.
        failure_class: Why it did not; empty when it did.
        recovery: What is tried next (`retry` or `halt`); empty when it did.
        remedy: Why that.
        notes: The events to record.
    """

    passed: bool
    reason: str
    recovered: bool = False
    failure_class: str = ""
    recovery: str = ""
    remedy: str = ""
    notes: tuple[Note, ...] = field(default=())


class Pilot:
    """Works through goals, recovers from what gets in the way, gives up after a few tries.

    Args:
        goals: What to do, in order.
    """

    def __init__(self, goals: Iterable[Goal]) -> None:
        self._goals = deque(goals)
        self._override: tuple[int, int] | None = None
        self._hint = ""
        self.gave_up: bool = False

    def next_goal(self) -> Goal | None:
        """What to do next; None when all is done or given up."""
        return self._goals.popleft() if self._goals and not self.gave_up else None

    def hint(self, text: str) -> None:
        """Take advice from a person; "click <label>" is followed, anything else is noted."""
        self._hint = text
        if match := _CLICK_HINT.search(text):
            label = match["label"].strip()
            self._goals.appendleft(Goal(f"Follow the hint: click {label}", "click", label))

    def override(self, x: int, y: int) -> None:
        """Have the next click go where a person says."""
        self._override = (x, y)

    def decide(self, goal: Goal, png: bytes) -> Decision:
        """Choose what to do for a goal, looking at the screen as it is now."""
        detail: dict[str, Any] = {"attempt": goal.attempt, "remaining": len(self._goals)}
        if self._hint:
            detail["hint"], self._hint = self._hint, ""
        planned = Note("planner", "decision", goal.intent, detail)
        if goal.action != "click":
            return Decision(goal, notes=(planned,))
        if self._override is not None:
            return self._overridden(goal, planned)
        return self._grounded(goal, png, planned)

    def judge(self, decision: Decision, before: bytes, after: bytes) -> Judgement:
        """Tell from the two screenshots whether it worked, and plan the recovery if not."""
        goal = decision.goal
        failure_class, reason = _outcome(decision, before, after)
        kind = "error" if failure_class else "observation"
        seen = Note("verifier", kind, reason, {"changed_pixels": changed_pixels(before, after)})
        if failure_class:
            return self._recover(goal, failure_class, reason, seen, after)
        return Judgement(True, reason, recovered=goal.attempt > 1, notes=(seen,))

    def _overridden(self, goal: Goal, planned: Note) -> Decision:
        point, self._override = self._override, None
        note = Note("grounding", "info", f"a person chose {point}", {})
        return Decision(
            goal,
            point,
            1.0,
            provider="operator",
            provenance="human_override",
            notes=(planned, note),
        )

    def _grounded(self, goal: Goal, png: bytes, planned: Note) -> Decision:
        wanted = f"'{goal.label}' near '{goal.near}'" if goal.near else f"'{goal.label}'"
        sighting = look_at(png).best(goal.label, near=goal.near)
        if sighting is None:
            note = Note("grounding", "error", f"{wanted} is not on the screen", {})
            return Decision(goal, notes=(planned, note))
        x, y = sighting.center
        box = [sighting.left, sighting.top, sighting.width, sighting.height]
        note = Note(
            "grounding",
            "observation",
            f"{wanted} seen at ({x}, {y})",
            {"box": box, "score": sighting.score},
        )
        return Decision(goal, (x, y), sighting.score, notes=(planned, note))

    def _recover(
        self, goal: Goal, failure_class: str, reason: str, seen: Note, after: bytes
    ) -> Judgement:
        recovery, remedy = self._remedy(goal, after)
        decided = Note("step_recovery", "decision", remedy, {"attempt": goal.attempt})
        return Judgement(
            False,
            reason,
            failure_class=failure_class,
            recovery=recovery,
            remedy=remedy,
            notes=(seen, decided),
        )

    def _remedy(self, goal: Goal, after: bytes) -> tuple[str, str]:
        if goal.attempt >= ATTEMPTS:
            self.gave_up = True
            return "halt", f"gave up after {goal.attempt} tries"
        self._goals.appendleft(goal.again())
        way_out = next((label for label in WAYS_OUT if look_at(after).find(label)), None)
        if way_out is None or way_out == goal.label:
            return "retry", "nothing seems to be in the way: look again, try again"
        self._goals.appendleft(Goal("Close the dialog that is in the way", "click", way_out))
        return "retry", f"a dialog lies over the page: click '{way_out}', then try again"


def _outcome(decision: Decision, before: bytes, after: bytes) -> tuple[str, str]:
    """The failure class (empty when it worked), and what was seen."""
    goal = decision.goal
    if not decision.possible:
        return TARGET_NOT_FOUND, f"'{goal.label}' is not on the screen"
    if changed_pixels(before, after) == 0:
        return "no_state_change", "nothing changed on the screen"
    if goal.shows is None:
        return "", "the screen changed as expected"
    if look_at(after).find(goal.shows):
        return "", f"'{goal.shows}' stands on the screen"
    return "dispatch_ok_state_fail", f"the screen changed, but '{goal.shows}' is not there"
