"""Adding up what the steps of a run have cost."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any, Final

__all__ = ["COST_FIELDS", "CostRollup"]

COST_FIELDS: Final = (
    "total_usd",
    "model_usd",
    "gpu_usd",
    "proxy_usd",
    "tokens_in",
    "tokens_out",
    "cache_hit_tokens",
)
_TOKENS: Final = frozenset({"tokens_in", "tokens_out", "cache_hit_tokens"})
_NUMBERS: Final = frozenset({int, float, type(None)})


class CostRollup:
    """What each step cost, and the sum; iterations are attempts that were paid for, too.

    Sums are rounded once, whatever the order and however often a step was recorded anew.
    """

    def __init__(self) -> None:
        self._costs: dict[Hashable, tuple[float | None, ...]] = {}

    def put(self, step: Hashable, costs: Any) -> None:
        """Set what one step record cost; anything that is no number is no cost."""
        known = _known(costs) if costs and isinstance(costs, Mapping) else ()
        if known:
            self._costs[step] = known
        else:
            self._costs.pop(step, None)

    def total(self) -> dict[str, int | float]:
        """The sum over all steps, of the dimensions that any of them names."""
        sums: dict[str, int | float] = {}
        for position, name in enumerate(COST_FIELDS):
            parts = [costs[position] for costs in self._costs.values()]
            present = [part for part in parts if part is not None and _finite(part)]
            if present:
                whole = name in _TOKENS and all(isinstance(part, int) for part in present)
                sums[name] = sum(map(int, present)) if whole else math.fsum(present)
        return sums


def _known(costs: Mapping[str, Any]) -> tuple[float | None, ...]:
    values = tuple(map(costs.get, COST_FIELDS))
    if not _NUMBERS.issuperset(map(type, values)):  # on the agent's path, most are plain
        values = tuple(map(_plain, values))
    return values if values.count(None) < len(values) else ()


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False


def _plain(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if isinstance(value, int) else float(value)
