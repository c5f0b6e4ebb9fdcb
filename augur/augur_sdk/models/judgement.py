"""Verdicts: what a verifier or a judge thought of a step or a run."""

from typing import Any, Required

from typing_extensions import TypedDict

from augur_sdk.models.constraints import Fraction, Timestamp, closed
from augur_sdk.models.vocabulary import Comparator, JudgeType, VerdictStatus

__all__ = ["JudgeDecision", "JudgeVerdict", "OutcomeVerdict", "Verdict"]


@closed
class Verdict(TypedDict, total=False):
    """Whether a step did what it meant to do."""

    status: Required[VerdictStatus]
    reason: str
    evidence_refs: list[str]
    """Bundle-relative paths, perhaps with an anchor such as `#L12`."""
    score: Fraction
    """The reward; when absent, 1 for passed, 0.5 for recoverable and 0 otherwise."""
    score_components: dict[str, Any]
    """Parts of the score by name; the canonical names are in `ScoreComponents`."""
    comparator: Comparator
    """Who produced the score."""
    should_stop: bool
    """The verifier's advice to end the run here."""
    uncertainty: Fraction
    """0 is certain, 1 is a guess."""


@closed
class JudgeVerdict(TypedDict, total=False):
    """The verdict that one judge gave."""

    status: Required[VerdictStatus]
    reason: str
    score: Fraction
    evidence_refs: list[str]


@closed
class JudgeDecision(TypedDict, total=False):
    """One judge's decision about a step; a step keeps them all, in the order given."""

    judge_id: Required[str]
    judge_type: Required[JudgeType]
    verdict: Required[JudgeVerdict]
    confidence: Fraction
    evidence_refs: list[str]
    judged_at: Timestamp


@closed
class OutcomeVerdict(TypedDict, total=False):
    """The final verdict of a step or a run."""

    status: Required[VerdictStatus]
    reason: str
    score: Fraction
