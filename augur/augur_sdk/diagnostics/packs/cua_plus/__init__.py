"""The pack `cua_plus`: rules that look at the pixels and at the run as a whole."""

from __future__ import annotations

from typing import Final

from augur_sdk.diagnostics.packs.cua_plus.coordinates import coordinate_transform
from augur_sdk.diagnostics.packs.cua_plus.effect_rules import (
    effect_elsewhere,
    late_effect,
    no_effect,
)
from augur_sdk.diagnostics.packs.cua_plus.repetition import loop, repeated_failure
from augur_sdk.diagnostics.packs.cua_plus.spending import cost_spike
from augur_sdk.diagnostics.rules import Rule

__all__ = ["CUA_PLUS_RULES"]

CUA_PLUS_RULES: Final[tuple[Rule, ...]] = (
    coordinate_transform,
    no_effect,
    effect_elsewhere,
    late_effect,
    loop,
    repeated_failure,
    cost_spike,
)
