"""What became of the findings from one run to another."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence

from augur_sdk.comparison.result import AlignedStep, FindingChanges, Promotion
from augur_sdk.diagnostics.findings import SEVERITIES
from augur_sdk.models import DiagnosticFinding

__all__ = ["finding_changes"]

Key = tuple[str, int | None]


def finding_changes(
    before: Iterable[DiagnosticFinding],
    after: Iterable[DiagnosticFinding],
    rows: Sequence[AlignedStep],
) -> FindingChanges:
    """Match findings by rule and aligned step, and tell new, resolved and promoted ones.

    Several findings of one rule at one step are matched in their order.
    """
    row_of_a = {row.a: number for number, row in enumerate(rows) if row.a is not None}
    row_of_b = {row.b: number for number, row in enumerate(rows) if row.b is not None}
    known: defaultdict[Key, deque[DiagnosticFinding]] = defaultdict(deque)
    for finding in before:
        known[_key(finding, row_of_a)].append(finding)
    changes = FindingChanges()
    unchanged = 0
    for finding in after:
        earlier = known[_key(finding, row_of_b)]
        if not earlier:
            changes.new.append(finding)
        elif _worse(finding, was := earlier.popleft()):
            changes.promoted.append(Promotion(finding, was["severity"]))
        else:
            unchanged += 1
    resolved = [finding for waiting in known.values() for finding in waiting]
    return FindingChanges(changes.new, resolved, changes.promoted, unchanged)


def _key(finding: DiagnosticFinding, row_of: dict[int, int]) -> Key:
    index = finding.get("step_index")
    return finding["rule_id"], None if index is None else row_of.get(index, -1 - index)


def _worse(finding: DiagnosticFinding, was: DiagnosticFinding) -> bool:
    return SEVERITIES.index(finding["severity"]) > SEVERITIES.index(was["severity"])
