"""The pack `cua`: the twelve documented rules (contract/behaviour.md)."""

from __future__ import annotations

from typing import Final

from augur_sdk.diagnostics.packs.cua.frames import (
    missing_observation,
    no_state_change,
    repeated_action_stable_frame,
)
from augur_sdk.diagnostics.packs.cua.outcomes import (
    dispatch_ok_state_fail,
    high_cost_infra_failure,
    replay_diff,
    uncategorized_failure,
    verifier_disagrees,
)
from augur_sdk.diagnostics.packs.cua.targets import (
    click_outside_viewport,
    coordinate_space_mismatch,
    dom_used_as_runtime_target,
    invalid_action_schema,
)
from augur_sdk.diagnostics.rules import Rule

__all__ = ["CUA_RULES"]

CUA_RULES: Final[tuple[Rule, ...]] = (
    repeated_action_stable_frame,
    click_outside_viewport,
    coordinate_space_mismatch,
    dom_used_as_runtime_target,
    no_state_change,
    verifier_disagrees,
    dispatch_ok_state_fail,
    invalid_action_schema,
    missing_observation,
    replay_diff,
    high_cost_infra_failure,
    uncategorized_failure,
)
"""In the order of the contract's table."""
