"""Judging a recorded step: verifiers, scores, judges."""

from __future__ import annotations

from typing import Any

from augur_sdk.capture import CaptureMode
from augur_sdk.entry import Kind
from augur_sdk.models import CANONICAL_SCORE_COMPONENTS
from augur_sdk.recording import checks
from augur_sdk.recording.snapshot import clearest_text
from augur_sdk.recording.steps import StepRecording

__all__ = ["Verdicts"]


class Verdicts(StepRecording):
    """The methods that say how a step went."""

    def attach_verifier(
        self,
        step_index: int,
        *,
        status: str,
        reason: str | None = None,
        check: str | None = None,
        expected: Any = None,
        actual: Any = None,
        evidence_refs: list[str] | None = None,
    ) -> None:
        """Give a recorded step the verdict of an external check; it replaces the step's.

        For steps that the producer left as `unknown`, or misjudged. A verdict that the producer
        records for the step later wins again. The decision is also kept among the step's
        `judge_decisions`, as that of a rule called `check`.

        Args:
            step_index: The step.
            status: `passed`, `failed`, `recoverable`, `skipped` or `unknown`; another word is
                kept as given, and counted.
            reason: Why; made of `check`, `expected` and `actual` where it is not given.
            check: What was checked.
            expected: What should have been there.
            actual: What was.
            evidence_refs: Bundle-relative paths.

        Raises:
            ValueError: No step stands there, or an argument cannot be understood.
            RuntimeError: The session is not open.
        """
        self._require_open("attach_verifier")
        if self.off:
            return
        verdict: dict[str, Any] = {"status": checks.string(status, "status")}
        why = reason if reason is not None else _composed(check, expected, actual)
        if why is not None:
            verdict["reason"] = checks.string(why, "reason")
        if evidence_refs is not None:
            verdict["evidence_refs"] = checks.strings(evidence_refs, "evidence_refs")
        judge = "attach_verifier" if check is None else self.leniency.judged("check", check)
        decision = {
            "judge_id": judge,
            "judge_type": "rule",
            "verdict": dict(verdict),
            "judged_at": self._now(),
        }
        self._decide(step_index, decision, promoted=verdict)

    def set_score(
        self,
        step_index: int,
        score: float,
        *,
        comparator: str | None = None,
        components: dict[str, float] | None = None,
        should_stop: bool | None = None,
        uncertainty: float | None = None,
    ) -> None:
        """Add a reward to a recorded step's verdict; its status stays.

        A step without a verdict gets one with status `unknown`.

        Args:
            step_index: The step.
            score: The reward, clamped to 0..1.
            comparator: Who gave it: `verifier`, `model-judge`, `exact-match` or `human`.
            components: Parts of the score by name, merged with earlier ones; the names in
                `ScoreComponents` are clamped to 0..1, others are welcome.
            should_stop: The verifier's advice to end the run here.
            uncertainty: 0 is certain, 1 is a guess; clamped.

        Raises:
            ValueError: No step stands there, or an argument cannot be understood.
            RuntimeError: The session is not open.
        """
        self._require_open("set_score")
        if self.off:
            return
        given = self.leniency.given(score=score, comparator=comparator, uncertainty=uncertainty)
        if should_stop is not None:
            given["should_stop"] = bool(should_stop)
        parts = _components(components) if components is not None else {}

        def change(step: dict[str, Any]) -> set[str]:
            known = step.get("verdict")
            verdict = {"status": "unknown", **(known if isinstance(known, dict) else {}), **given}
            if parts:
                earlier = verdict.get("score_components")
                verdict["score_components"] = {
                    **(earlier if isinstance(earlier, dict) else {}),
                    **parts,
                }
            step["verdict"] = verdict
            return {"verdict"}

        self._patch(step_index, change)

    def record_judge_decision(
        self,
        step_index: int,
        *,
        judge_id: str,
        judge_type: str,
        verdict: dict[str, Any],
        confidence: float | None = None,
        evidence_refs: list[str] | None = None,
        judged_at: str | None = None,
        promote: bool = True,
    ) -> None:
        """Record what a judge thought of a recorded step; a step keeps all of them, in order.

        Args:
            step_index: The step.
            judge_id: The judge's own id.
            judge_type: `rule`, `model`, `human` or `hybrid`.
            verdict: `{"status": "passed" | "failed" | ..., "reason": ..., "score": ...}`.
            confidence: How sure the judge was, clamped to 0..1.
            evidence_refs: Bundle-relative paths.
            judged_at: When, ISO-8601; now unless given.
            promote: Also make it the step's own verdict, with `verdict_source` set to
                `<judge_type>:<judge_id>`.

        Raises:
            ValueError: No step stands there, or an argument cannot be understood.
            RuntimeError: The session is not open.
        """
        self._require_open("record_judge_decision")
        if self.off:
            return
        given = checks.verdict(verdict)
        decision: dict[str, Any] = {
            "judge_id": self.leniency.judged("judge_id", judge_id),
            "judge_type": self.leniency.judged("judge_type", judge_type),
            "verdict": given,
            "judged_at": self._now(),
            **self.leniency.given(judged_at=judged_at, confidence=confidence),
        }
        if evidence_refs is not None:
            decision["evidence_refs"] = checks.strings(evidence_refs, "evidence_refs")
        self._decide(step_index, decision, promoted=dict(given) if promote else None)

    def _decide(
        self, step_index: int, decision: dict[str, Any], *, promoted: dict[str, Any] | None
    ) -> None:
        """Keep a decision on its step, and hand it on by itself as well."""

        def change(step: dict[str, Any]) -> set[str]:
            known = step.get("judge_decisions")
            step["judge_decisions"] = [*(known if isinstance(known, list) else []), decision]
            if promoted is None:
                return {"judge_decisions"}
            step["verdict"] = promoted
            step["verdict_source"] = f"{decision['judge_type']}:{decision['judge_id']}"
            return {"judge_decisions", "verdict", "verdict_source"}

        index = self._patch(step_index, change)
        if self._bound_at(index).keeps(CaptureMode.TRACE):
            raw = self._encode({**decision, "step_index": index})
            self._emit(Kind.JUDGE_DECISION, raw, step_index=index)


def _composed(check: str | None, expected: Any, actual: Any) -> str | None:
    """`<check>: expected=<expected> actual=<actual>`, as far as there is anything to say."""
    if expected is None and actual is None:
        return check
    found = f"expected={clearest_text(expected)} actual={clearest_text(actual)}"
    return found if check is None else f"{check}: {found}"


def _components(given: Any) -> dict[str, Any]:
    parts = checks.mapping(given, "components")
    return {
        str(name): checks.unit_interval(part, "a score component")
        if name in CANONICAL_SCORE_COMPONENTS
        else checks.number(part, "a score component")
        for name, part in parts.items()
    }
