"""What a rule is, and how a plain function becomes one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Protocol

from augur_sdk.diagnostics.context import BundleContext
from augur_sdk.diagnostics.findings import RuleResult, checked_rule_id, checked_severity

__all__ = ["Check", "Rule", "rule"]

Check = Callable[[BundleContext, RuleResult], None]
"""Reads a bundle and emits what it finds."""


class Rule(Protocol):
    """A check with a name and a severity."""

    rule_id: str
    severity: str

    def __call__(self, ctx: BundleContext, result: RuleResult) -> None:
        """Look at the bundle and emit findings."""
        ...


class _FunctionRule:
    def __init__(self, check: Check, rule_id: str, severity: str) -> None:
        functools.update_wrapper(self, check)
        self.rule_id = checked_rule_id(rule_id)
        self.severity: str = checked_severity(severity)
        self._check = check

    def __call__(self, ctx: BundleContext, result: RuleResult) -> None:
        self._check(ctx, result)

    def __repr__(self) -> str:
        return f"<rule {self.rule_id} ({self.severity})>"


def rule(rule_id: str, *, severity: str = "medium") -> Callable[[Check], Rule]:
    """Make a function `(ctx, result) -> None` a rule.

    Args:
        rule_id: A dotted name, the pack first, such as `shop.cart_emptied`.
        severity: `info`, `low`, `medium`, `high` or `critical`: of the rule, and of each finding
            that does not name its own.

    Raises:
        ValueError: `rule_id` or `severity` is not of that form.
    """

    def decorate(check: Check) -> Rule:
        return _FunctionRule(check, rule_id, severity)

    return decorate
