"""What the diagnostic rules found."""

from typing import Annotated, Required

from typing_extensions import TypedDict

from augur_sdk.models.constraints import Count, Keywords, closed
from augur_sdk.models.vocabulary import EvidenceType, Severity

__all__ = ["DiagnosticEvidence", "DiagnosticFinding"]

RuleId = Annotated[str, Keywords(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$")]
"""A dotted name, the pack first: `cua.no_state_change`."""


@closed
class DiagnosticEvidence(TypedDict):
    """Where in the bundle a finding can be seen."""

    type: EvidenceType
    ref: str
    """A bundle-relative path, perhaps with an anchor such as `#L12-L20`."""


@closed
class DiagnosticFinding(TypedDict, total=False):
    """One finding of the rules engine."""

    rule_id: Required[RuleId]
    severity: Required[Severity]
    summary: Required[str]
    recommendation: str
    step_index: Count
    evidence: Required[Annotated[list[DiagnosticEvidence], Keywords(minItems=1)]]
