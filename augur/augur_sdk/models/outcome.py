"""How a step or a run ended, and which steps are worth keeping as regression tests."""

from typing import Required

from typing_extensions import TypedDict

from augur_sdk.models.constraints import Count, Timestamp, closed, extensible
from augur_sdk.models.judgement import OutcomeVerdict
from augur_sdk.models.session import Costs
from augur_sdk.models.vocabulary import OutcomeScope

__all__ = ["EvalCandidate", "EvalCandidates", "OutcomeRecord", "Outcomes"]


@closed
class OutcomeRecord(TypedDict, total=False):
    """The verdict and the costs of a step, or of a run, in one record."""

    scope: Required[OutcomeScope]
    step_index: Count
    task_class: str
    verdict: OutcomeVerdict
    cost_summary: Costs
    finalized_at: Required[Timestamp]


@closed
class EvalCandidate(TypedDict, total=False):
    """A step that should become a regression test."""

    step_index: Required[Count]
    reason: Required[str]
    candidate_cluster_id: str
    tagged_at: Required[Timestamp]


@extensible
class Outcomes(TypedDict):
    """The file `outcomes.json`."""

    outcomes: list[OutcomeRecord]


@extensible
class EvalCandidates(TypedDict):
    """The file `eval_candidates.json`."""

    candidates: list[EvalCandidate]
