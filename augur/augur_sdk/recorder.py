"""`EventRecorder`: a run's records in memory, under the published name.

For programs that gather records themselves and write them with `bundle.write_bundle`. A session
does both, and loses nothing when the process dies: prefer it (contract/behaviour.md, Drop-in).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, TypeAlias

from augur_sdk.bundle import layout
from augur_sdk.errors import RecordError, UnknownIdError

__all__ = ["EventRecorder"]

Record: TypeAlias = dict[str, Any]


class EventRecorder:
    """Keeps steps, events and what else belongs to a run, until they are written.

    Nothing is checked or redacted here. Every method may be called from any thread; what goes in
    and what comes out are copies.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._steps: dict[int, list[Record]] = {}
        self._events: dict[int | None, list[Record]] = {}
        self._pictures: dict[str, bytes] = {}
        self._calls: dict[str, Record] = {}
        self._prompts: dict[str, str] = {}
        self._reserved: dict[str, int] = {}
        self._reasoning: list[Record] = []
        self._outcomes: list[Record] = []
        self._candidates: dict[int, Record] = {}
        self._effects: dict[str, Record] = {}

    # Steps.

    def record_step(self, step: Mapping[str, Any]) -> bool:
        """Keep a step, or replace the one of its `step_id`; True when it became an iteration.

        Raises:
            KeyError: It has no `step_index` or `step_id`.
        """
        with self._lock:
            there = self._steps.setdefault(step["step_index"], [])
            for position, known in enumerate(there):
                if known["step_id"] == step["step_id"]:
                    there[position] = deepcopy(dict(step))
                    return False
            there.append(deepcopy(dict(step)))
            self._count(there)
            return len(there) > 1

    def record_step_iteration(self, step_index: int, iteration: Mapping[str, Any]) -> None:
        """Keep an iteration under the canonical step.

        Raises:
            ValueError: There is no canonical step, or the iteration has its `step_id`.
        """
        with self._lock:
            there = self._steps.get(step_index)
            if not there:
                raise UnknownIdError(f"no step stands at {step_index}", fix="Record it first.")
            if there[0]["step_id"] == iteration["step_id"]:
                raise RecordError(
                    "the iteration has the canonical step's step_id", expected="an id of its own"
                )
            self.record_step({**iteration, "step_index": step_index})

    def get_step(self, step_index: int) -> Record | None:
        """The canonical step."""
        return next(iter(self.iterations_for(step_index)), None)

    def get_step_by_id(self, step_id: str) -> Record | None:
        """The step or iteration of an id."""
        with self._lock:
            every = (step for steps in self._steps.values() for step in steps)
            return deepcopy(next((step for step in every if step["step_id"] == step_id), None))

    def iterations_for(self, step_index: int) -> list[Record]:
        """All of a step, the canonical one first."""
        with self._lock:
            return deepcopy(self._steps.get(step_index, []))

    def iteration_count(self, step_index: int) -> int:
        """How many there are of a step, the canonical one counted."""
        return len(self._steps.get(step_index, ()))

    def all_steps(self) -> list[Record]:
        """The canonical steps, by index."""
        with self._lock:
            return deepcopy([self._steps[index][0] for index in sorted(self._steps)])

    def patch_step_verdict(
        self,
        step_index: int,
        *,
        status: str,
        reason: str | None = None,
        evidence_refs: list[str] | None = None,
    ) -> bool:
        """Replace a step's verdict; False when there is no such step, as of every change below."""
        verdict = _given(status=status, reason=reason, evidence_refs=evidence_refs)
        return self._change(step_index, lambda step: step.update(verdict=verdict))

    def merge_step_verdict_score(
        self,
        step_index: int,
        *,
        score: float,
        comparator: str | None = None,
        components: dict[str, float] | None = None,
    ) -> bool:
        """Add a score to a step's verdict."""
        signals = _given(score=score, comparator=comparator, score_components=components)
        return self._merge(step_index, "verdict", signals)

    def merge_step_verdict_signals(
        self, step_index: int, *, should_stop: bool | None = None, uncertainty: float | None = None
    ) -> bool:
        """Add a verifier's advice to a step's verdict."""
        signals = _given(should_stop=should_stop, uncertainty=uncertainty)
        return self._merge(step_index, "verdict", signals)

    def merge_step_costs(self, step_index: int, *, costs: dict[str, int | float]) -> bool:
        """Add to what a step has cost."""
        return self._merge(step_index, "costs", costs)

    def merge_step_captured_versions(self, step_index: int, *, versions: dict[str, str]) -> bool:
        """Add to the versions that a step was made with."""
        return self._merge(step_index, "captured_versions", versions)

    def merge_step_env_fingerprint(self, step_index: int, *, fingerprint: dict[str, Any]) -> bool:
        """Add to a step's fingerprint of its environment."""
        return self._merge(step_index, "env_fingerprint", fingerprint)

    def set_step_loop_detected(self, step_index: int, *, value: bool) -> bool:
        """Say whether the step is one of a loop."""
        return self._change(step_index, lambda step: step.update(loop_detected=value))

    def patch_step_subgoal_completion(self, step_index: int, *, entry: dict[str, Any]) -> bool:
        """Say how far a milestone is; one entry a `subgoal_id`."""

        def change(step: Record) -> None:
            others = [
                known
                for known in step.get("subgoals_completed", [])
                if known.get("subgoal_id") != entry.get("subgoal_id")
            ]
            step["subgoals_completed"] = [*others, deepcopy(entry)]

        return self._change(step_index, change)

    def append_judge_decision(
        self,
        step_index: int,
        *,
        decision: dict[str, Any],
        promote_verdict: bool,
        verdict_source: str | None = None,
    ) -> bool:
        """Add a judge's decision; promoted, its verdict becomes the step's."""

        def change(step: Record) -> None:
            step.setdefault("judge_decisions", []).append(deepcopy(decision))
            if promote_verdict:
                step["verdict"] = deepcopy(decision.get("verdict", {}))
                step.update(_given(verdict_source=verdict_source))

        return self._change(step_index, change)

    # Everything else.

    def record_event(self, event: Mapping[str, Any]) -> None:
        """Keep a decision event, under its step or under the run."""
        with self._lock:
            self._events.setdefault(event.get("step_index"), []).append(deepcopy(dict(event)))

    def events_for_step(self, step_index: int | None) -> list[Record]:
        """A step's events; the run's for None."""
        with self._lock:
            return deepcopy(self._events.get(step_index, []))

    def all_events_grouped(self) -> dict[int | None, list[Record]]:
        """All events, by step."""
        with self._lock:
            return deepcopy(self._events)

    def stage_observation_bytes(self, relpath: str, data: bytes) -> None:
        """Keep a picture for a path of the bundle."""
        self._pictures[relpath] = bytes(data)

    def staged_observations(self) -> dict[str, bytes]:
        """The pictures, by path."""
        return dict(self._pictures)

    def reserve_modelio_path(self, *, step_index: int | None, layer: str) -> str:
        """A path for a model call that no other call gets."""
        with self._lock:
            first = layout.modelio_path(step_index, layer, 0)
            number = self._reserved.get(first, 0)
            self._reserved[first] = number + 1
            return layout.modelio_path(step_index, layer, number)

    def stage_modelio(
        self, relpath: str, record: dict[str, Any], *, prompt_hash: str | None = None
    ) -> None:
        """Keep a model call for a path of the bundle."""
        with self._lock:
            self._calls[relpath] = deepcopy(record)
            if prompt_hash is not None:
                self._prompts.setdefault(prompt_hash, relpath)

    def lookup_modelio_by_hash(self, prompt_hash: str) -> str | None:
        """The path of the call with a prompt."""
        return self._prompts.get(prompt_hash)

    def staged_modelio(self) -> dict[str, Record]:
        """The model calls, by path."""
        with self._lock:
            return deepcopy(self._calls)

    def record_reasoning(self, *, trace: dict[str, Any]) -> None:
        """Keep a reasoning trace."""
        self._reasoning.append(deepcopy(trace))

    def staged_reasoning(self) -> list[Record]:
        """The reasoning traces, in order."""
        return deepcopy(self._reasoning)

    def stage_outcome(self, *, record: dict[str, Any]) -> None:
        """Keep an outcome."""
        self._outcomes.append(deepcopy(record))

    def staged_outcomes(self) -> list[Record]:
        """The outcomes, in order."""
        return deepcopy(self._outcomes)

    def mark_for_eval(
        self, *, step_index: int, reason: str, candidate_cluster_id: str | None, tagged_at: str
    ) -> Record:
        """Tag a step as one to become a regression test; the last call for a step counts."""
        cluster = _given(candidate_cluster_id=candidate_cluster_id)
        tag = {"step_index": step_index, "reason": reason, "tagged_at": tagged_at, **cluster}
        self._candidates[step_index] = tag
        return dict(tag)

    def staged_eval_candidates(self) -> list[Record]:
        """The tagged steps."""
        return deepcopy(list(self._candidates.values()))

    def stage_side_effect(self, *, record: dict[str, Any]) -> None:
        """Keep a side effect, or replace the one of its `side_effect_id`."""
        self._effects[record["side_effect_id"]] = deepcopy(record)

    def get_side_effect(self, side_effect_id: str) -> Record | None:
        """The side effect of an id."""
        return deepcopy(self._effects.get(side_effect_id))

    def staged_side_effects(self) -> list[Record]:
        """The side effects, as they stand."""
        return deepcopy(list(self._effects.values()))

    def pending_side_effects(self) -> list[Record]:
        """The side effects that are declared and neither committed nor aborted."""
        return [
            known for known in self.staged_side_effects() if known.get("status") == "intent_only"
        ]

    def snapshot(self) -> dict[str, Any]:
        """Steps, events, and the number of pictures."""
        return {
            "steps": self.all_steps(),
            "events": self.all_events_grouped(),
            "observation_bytes_count": len(self._pictures),
        }

    def _count(self, there: list[Record]) -> None:
        if len(there) > 1:
            there[0]["step_iterations"] = len(there)

    def _merge(self, step_index: int, name: str, addition: Mapping[str, Any]) -> bool:
        def change(step: Record) -> None:
            step[name] = {**step.get(name, {}), **deepcopy(dict(addition))}

        return self._change(step_index, change)

    def _change(self, step_index: int, change: Callable[[Record], None]) -> bool:
        with self._lock:
            there = self._steps.get(step_index)
            if not there:
                return False
            change(there[0])
            return True


def _given(**fields: Any) -> Record:
    return {name: value for name, value in fields.items() if value is not None}
