"""The rewards of a run under one formula. Servers write them."""

from typing import Required

from typing_extensions import TypedDict

from augur_sdk.models.constraints import Count, Fraction, SchemaVersion, Timestamp, closed

__all__ = [
    "RewardAggregate",
    "RewardComponents",
    "RewardFlags",
    "RewardProvenance",
    "StepReward",
]


@closed
class RewardComponents(TypedDict, total=False):
    """A number for each component of the formula: its weight, or its share of a reward."""

    verifier: float
    rm_outcome: float
    progress: float
    process: float
    safety: float
    loop: float
    cost: float
    constraint_violation: float


@closed
class StepReward(TypedDict, total=False):
    """The reward of one step."""

    step_index: Required[Count]
    r_t: Required[float]
    breakdown: RewardComponents
    missing_components: list[str]


@closed
class RewardFlags(TypedDict, total=False):
    """What else a trainer wants to know about the run."""

    any_constraint_violated: bool
    any_irreversible_side_effect: bool
    first_failed_step: Count | None
    rm_verifier_disagreement: bool


@closed
class RewardProvenance(TypedDict, total=False):
    """What the rewards were computed from."""

    verdict_comparators: list[str]
    judge_ids: list[str]
    task_spec_id: str | None


@closed
class RewardAggregate(TypedDict, total=False):
    """The rewards of a whole run."""

    schema_version: Required[SchemaVersion]
    run_id: Required[str]
    formula_id: Required[str]
    weights_resolved: Required[RewardComponents]
    discount: Required[Fraction]
    step_rewards: Required[list[StepReward]]
    terminal_reward: Required[float]
    episode_return: Required[float]
    aux: Required[RewardFlags]
    computed_at: Required[Timestamp]
    input_provenance: RewardProvenance
