"""Running rules over a bundle."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from augur_sdk.bundle import layout
from augur_sdk.diagnostics.context import BundleContext
from augur_sdk.diagnostics.findings import RuleResult, sort_findings
from augur_sdk.diagnostics.packs import load_pack
from augur_sdk.diagnostics.rules import Rule
from augur_sdk.models import DiagnosticFinding

__all__ = ["RULE_FAILED", "RulesEngine", "diagnose"]

RULE_FAILED: Final = "augur.rule_failed"
"""The finding that stands for a rule which raised."""


class RulesEngine:
    """Evaluates rules, in the order given, each on its own.

    A rule that raises costs nothing but itself: what it found before stays, and a finding
    `augur.rule_failed` says which rule failed, where, and with what kind of exception.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules: list[Rule] = list(rules)

    def evaluate(self, bundle_dir: Path | str) -> list[DiagnosticFinding]:
        """Evaluate all rules on a bundle; nothing is written.

        Returns:
            The findings, worst first, then by step and rule: the same bundle gives the same list.

        Raises:
            BundleReadError: There is no such folder.
        """
        ctx = BundleContext(bundle_dir)
        return sort_findings(finding for rule in self.rules for finding in _run(rule, ctx))


def diagnose(bundle_dir: Path | str, packs: Sequence[str] = ("cua",)) -> list[DiagnosticFinding]:
    """Evaluate the rules of one or more packs on a bundle.

    Raises:
        ValueError: No pack of that name is installed.
        BundleReadError: There is no such folder.
    """
    return RulesEngine(rule for name in packs for rule in load_pack(name)).evaluate(bundle_dir)


def _run(rule: Rule, ctx: BundleContext) -> list[DiagnosticFinding]:
    result = RuleResult(rule_id=rule.rule_id, severity=rule.severity)
    try:
        rule(ctx, result)
    except Exception as error:  # noqa: BLE001 - one rule's failure is a finding, not an end
        result.emit(
            rule_id=RULE_FAILED,
            severity="medium",
            summary=f"rule {rule.rule_id} failed with {type(error).__name__}{_where(error)}",
            recommendation="Mend the rule, or validate the bundle: a record may be malformed.",
            evidence=[{"type": "trace", "ref": layout.TRACE}],
        )
    return result.findings


def _where(error: Exception) -> str:
    """The line that raised. The exception's own text stays out: it may quote a record."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
