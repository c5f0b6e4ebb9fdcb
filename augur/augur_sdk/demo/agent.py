"""The demo's agent, twice: blocking with `DebugSession`, and awaited with `AsyncDebugSession`.

Each step is one block of the session: a screenshot, a decision made from it, the action, another
screenshot, a judgement. This is also the shortest honest example of an instrumented agent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio.to_thread

from augur_sdk.demo.pilot import Decision, Judgement, Pilot
from augur_sdk.demo.scenario import Goal, shopping_trip

if TYPE_CHECKING:
    from augur_sdk import AsyncDebugSession, DebugSession
    from augur_sdk.demo.environment import AsyncEnvironment, Environment
    from augur_sdk.intervention import Checkpoint
    from augur_sdk.session.step_builder import AsyncStepBuilder, StepBuilder

__all__ = ["AsyncDemoAgent", "DemoAgent", "OnStep"]

OnStep = Callable[[int, Goal, Judgement], None]
"""Told about each finished step: its index, its goal, how it went."""


class DemoAgent:
    """Buys a mug on a screen that it only knows from screenshots, and records each step.

    Args:
        session: An open session.
        environment: The screen to act on.
        pilot: Who decides; the shopping trip's goals unless given. Its `hint` and `override`
            take a person's advice between steps.
        on_step: Called after each step.
    """

    def __init__(
        self,
        session: DebugSession,
        environment: Environment,
        *,
        pilot: Pilot | None = None,
        on_step: OnStep | None = None,
    ) -> None:
        self.session = session
        self.environment = environment
        self.pilot: Pilot = pilot or Pilot(shopping_trip())
        self._on_step = on_step

    def run(self) -> bool:
        """Work until all goals are reached (True) or one was given up (False).

        Raises:
            RunKilled: The operator ended the run.
        """
        while goal := self._next_goal():
            self.step(goal)
        if self.pilot.gave_up:
            self.session.set_status("failed")
        return not self.pilot.gave_up

    def _next_goal(self) -> Goal | None:
        _follow(self.pilot, self.session.checkpoint())
        return self.pilot.next_goal()

    def step(self, goal: Goal) -> Judgement:
        """Try one goal: look, decide, act, look again, judge."""
        with self.session.step(goal.action, intent=goal.intent) as step:
            before = self.environment.screenshot()
            step.pre(before)
            decision = self.pilot.decide(goal, before)
            for layer, kind, summary, detail in decision.notes:
                step.event(layer, kind, summary, **detail)
            _write_decision(step, decision, self.environment)
            self.act(decision)
            after = self.environment.screenshot()
            step.post(after)
            judgement = self.pilot.judge(decision, before, after)
            for layer, kind, summary, detail in judgement.notes:
                step.event(layer, kind, summary, **detail)
            _write_judgement(step, goal, judgement)
        if self._on_step is not None:
            self._on_step(step.index, goal, judgement)
        return judgement

    def act(self, decision: Decision) -> None:
        """Carry out a decision on the screen."""
        if decision.point is not None:
            self.environment.click(*decision.point)
        elif decision.goal.action == "type":
            self.environment.type(decision.goal.text)
        elif decision.goal.action == "key":
            self.environment.key(decision.goal.text)


class AsyncDemoAgent:
    """The same agent for asynchronous code; looking at pixels happens in a worker thread.

    Args:
        session: An open session.
        environment: The screen to act on.
        pilot: Who decides; the shopping trip's goals unless given. Its `hint` and `override`
            take a person's advice between steps.
        on_step: Called after each step.
    """

    def __init__(
        self,
        session: AsyncDebugSession,
        environment: AsyncEnvironment,
        *,
        pilot: Pilot | None = None,
        on_step: OnStep | None = None,
    ) -> None:
        self.session = session
        self.environment = environment
        self.pilot: Pilot = pilot or Pilot(shopping_trip())
        self._on_step = on_step

    async def run(self) -> bool:
        """Work until all goals are reached (True) or one was given up (False).

        Raises:
            RunKilled: The operator ended the run.
        """
        while goal := await self._next_goal():
            await self.step(goal)
        if self.pilot.gave_up:
            await self.session.set_status("failed")
        return not self.pilot.gave_up

    async def _next_goal(self) -> Goal | None:
        _follow(self.pilot, await self.session.checkpoint())
        return self.pilot.next_goal()

    async def step(self, goal: Goal) -> Judgement:
        """Try one goal: look, decide, act, look again, judge."""
        async with self.session.step(goal.action, intent=goal.intent) as step:
            before = await self.environment.screenshot()
            await step.pre(before)
            decision = await anyio.to_thread.run_sync(self.pilot.decide, goal, before)
            for layer, kind, summary, detail in decision.notes:
                await step.event(layer, kind, summary, **detail)
            _write_decision(step, decision, self.environment)
            await self.act(decision)
            after = await self.environment.screenshot()
            await step.post(after)
            judgement = await anyio.to_thread.run_sync(self.pilot.judge, decision, before, after)
            for layer, kind, summary, detail in judgement.notes:
                await step.event(layer, kind, summary, **detail)
            _write_judgement(step, goal, judgement)
        if self._on_step is not None:
            self._on_step(step.index, goal, judgement)
        return judgement

    async def act(self, decision: Decision) -> None:
        """Carry out a decision on the screen."""
        if decision.point is not None:
            await self.environment.click(*decision.point)
        elif decision.goal.action == "type":
            await self.environment.type(decision.goal.text)
        elif decision.goal.action == "key":
            await self.environment.key(decision.goal.text)


def _follow(pilot: Pilot, checkpoint: Checkpoint) -> None:
    """Hand on what an operator said since the last step."""
    for hint in checkpoint.hints:
        pilot.hint(hint.text)
    for override in checkpoint.overrides:
        pilot.override(round(override.coordinates["x"]), round(override.coordinates["y"]))


def _write_decision(
    step: StepBuilder | AsyncStepBuilder,
    decision: Decision,
    environment: Environment | AsyncEnvironment,
) -> None:
    clicks = decision.goal.action == "click"
    step.action(
        params=decision.params,
        coordinate_space=environment.coordinate_space if clicks else None,
        dispatch_backend=environment.backend,
    )
    if clicks:
        x, y = decision.point or (None, None)
        step.grounding(
            provider=decision.provider,
            provenance=decision.provenance,
            x=x,
            y=y,
            target_label=decision.goal.label,
            confidence=decision.confidence,
            evidence=step.record.get("observation_pre"),
        )


def _write_judgement(
    step: StepBuilder | AsyncStepBuilder, goal: Goal, judgement: Judgement
) -> None:
    seen_in = [
        step.record[key] for key in ("observation_pre", "observation_post") if key in step.record
    ]
    score = 1.0 if judgement.passed else 0.0
    status = "passed" if judgement.passed else "failed"
    step.verdict(
        status, reason=judgement.reason, score=score, comparator="verifier", evidence_refs=seen_in
    )
    if judgement.recovered:
        step.status("recovered")
    if not judgement.passed:
        step.failed(judgement.failure_class, judgement.reason)
        step.recovery(judgement.recovery, reason=judgement.remedy, attempt=goal.attempt)
