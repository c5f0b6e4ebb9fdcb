"""Steps that cost far more than the others of the run."""

from __future__ import annotations

from array import array
from statistics import median
from typing import Any, Final

from augur_sdk.diagnostics.context import BundleContext
from augur_sdk.diagnostics.findings import RuleResult
from augur_sdk.diagnostics.rules import rule
from augur_sdk.diagnostics.step_facts import object_of

__all__ = ["cost_spike"]

_ENOUGH: Final = 6
"""Fewer steps with costs do not show what is usual."""

_FACTOR: Final = 5.0
_SPREADS: Final = 10.0
"""A spike stands out from the run's own spread, too: ten median deviations."""

_MONEY: Final = ("model_usd", "gpu_usd", "proxy_usd")
_TOKENS: Final = ("tokens_in", "tokens_out")


@rule("cua_plus.cost_spike", severity="medium")
def cost_spike(ctx: BundleContext, result: RuleResult) -> None:
    """A step cost five times the median of the run, or more."""
    costs = array("d", (_cost(step, money=True) for step in ctx.steps))
    money = any(costs)
    if not money:
        costs = array("d", (_cost(step, money=False) for step in ctx.steps))
    paid = [cost for cost in costs if cost > 0]
    if len(paid) < _ENOUGH:
        return
    usual = median(paid)
    deviation = median(abs(cost - usual) for cost in paid)
    limit = max(_FACTOR * usual, usual + _SPREADS * deviation)
    for place, cost in enumerate(costs):
        if cost >= limit:
            step = ctx.steps[place]
            result.emit(
                step_index=step.get("step_index"),
                summary=f"the step cost {_shown(cost, money=money)}, {cost / usual:.0f} times the "
                f"median of the run ({_shown(usual, money=money)})",
                recommendation="Look at the model calls of this step (modelio/): retries, a prompt "
                "that grew, a cache that was missed.",
                evidence=[ctx.cite_step(step)],
            )


def _cost(step: dict[str, Any], *, money: bool) -> float:
    costs = object_of(step, "costs")
    if money and _amount(costs.get("total_usd")):
        return _amount(costs.get("total_usd"))
    return sum(_amount(costs.get(name)) for name in (_MONEY if money else _TOKENS))


def _amount(value: object) -> float:
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if numeric and isinstance(value, int | float) else 0.0


def _shown(cost: float, *, money: bool) -> str:
    return f"${cost:.4g}" if money else f"{cost:.0f} tokens"
