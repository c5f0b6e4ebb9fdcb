"""What a comparison found, as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from augur_sdk.models import DiagnosticFinding

__all__ = [
    "AlignedStep",
    "BundleComparison",
    "Difference",
    "Divergence",
    "FindingChanges",
    "Promotion",
    "RunSide",
]

Difference = Literal["same", "action", "outcome", "only_a", "only_b"]
"""`action`: the two did something else; `outcome`: they did the same and it ended otherwise;
`only_a`, `only_b`: the step has no counterpart in the other run."""


@dataclass(frozen=True, slots=True)
class RunSide:
    """One of the two runs."""

    bundle_dir: Path
    run_id: str
    client: str
    status: str
    steps: int
    fingerprint: str
    name: str = ""
    """How the bundle was named: a URI where `bundle_dir` is a copy of what is there."""
    keeps: object = field(default=None, repr=False, compare=False)
    """What the copy lives as long as."""


@dataclass(frozen=True, slots=True)
class AlignedStep:
    """A row of the alignment: the step indices of both runs, None where one has no counterpart.

    `screen_distance` is the number of bits (0 to 64) in which the perceptual hashes of the two
    screens differ; None without both pictures.
    """

    a: int | None
    b: int | None
    difference: Difference
    action_a: str = ""
    action_b: str = ""
    outcome_a: str = ""
    outcome_b: str = ""
    screen_distance: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The row as JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first row at which the runs differ, why, and the screenshots to look at.

    Screenshots are bundle-relative paths by kind (`pre`, `post`), only those that are there.
    `point_a` and `point_b` are where the action went, as shares of the screen.
    """

    row: int
    step: AlignedStep
    summary: str
    screenshots_a: dict[str, str]
    screenshots_b: dict[str, str]
    point_a: tuple[float, float] | None = None
    point_b: tuple[float, float] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The divergence as JSON."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "step": self.step.as_dict()
        }


@dataclass(frozen=True, slots=True)
class Promotion:
    """A finding of both runs that is more severe in the second."""

    finding: DiagnosticFinding
    severity_before: str


@dataclass(frozen=True, slots=True)
class FindingChanges:
    """What became of the findings from the first run to the second."""

    new: list[DiagnosticFinding] = field(default_factory=list)
    resolved: list[DiagnosticFinding] = field(default_factory=list)
    promoted: list[Promotion] = field(default_factory=list)
    unchanged: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The changes as JSON."""
        promoted = [{**p.finding, "severity_before": p.severity_before} for p in self.promoted]
        return {
            "new": self.new,
            "resolved": self.resolved,
            "promoted": promoted,
            "unchanged": self.unchanged,
        }


@dataclass(frozen=True, slots=True)
class BundleComparison:
    """Two runs, aligned.

    `similarity` estimates the share of steps and pairs of steps that they have in common, 0 to 1
    (`cua_v2`).
    """

    a: RunSide
    b: RunSide
    rows: list[AlignedStep]
    divergence: Divergence | None
    similarity: float
    findings: FindingChanges

    @property
    def same(self) -> bool:
        """Whether the runs did the same, step for step, with the same outcomes."""
        return self.divergence is None

    def differences(self) -> Iterator[AlignedStep]:
        """The rows at which the runs differ."""
        return (row for row in self.rows if row.difference != "same")

    def as_dict(self) -> dict[str, Any]:
        """The comparison as JSON, paths as text."""
        return {
            "a": _side(self.a),
            "b": _side(self.b),
            "same": self.same,
            "similarity": round(self.similarity, 4),
            "divergence": self.divergence.as_dict() if self.divergence else None,
            "findings": self.findings.as_dict(),
            "rows": [row.as_dict() for row in self.rows],
        }


def _side(side: RunSide) -> dict[str, Any]:
    names = ("run_id", "client", "status", "steps", "fingerprint")
    facts = {name: getattr(side, name) for name in names}
    return facts | {"bundle_dir": side.name or str(side.bundle_dir)}
