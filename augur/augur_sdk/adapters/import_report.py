"""What an import read, wrote and passed over."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["ImportLossWarning", "ImportReport"]


class ImportLossWarning(UserWarning):
    """Parts of a log could not be brought into its bundle."""


@dataclass(slots=True)
class ImportReport:
    """The outcome of `bundle_from_input`; nothing that was left out is missing here."""

    source: Path
    bundle: Path
    run_id: str
    messages: int = 0
    steps: int = 0
    pictures: int = 0
    pictures_elsewhere: int = 0
    """Screenshots that the log only points to, or that cannot be decoded."""
    malformed_actions: int = 0
    """Actions without a usable type; their step has none."""
    skipped: int = 0
    """Records that cannot be read, damaged lines above all."""
    first_skipped: list[tuple[int, str]] = field(default_factory=list)
    """(record number, reason) of the first few."""

    @property
    def losses(self) -> str:
        """One sentence on what was left out; empty when nothing was."""
        parts = []
        if self.skipped:
            number, reason = self.first_skipped[0]
            parts.append(
                f"{self.skipped} of its records skipped (first: record {number}, {reason})"
            )
        if self.pictures_elsewhere:
            parts.append(f"{self.pictures_elsewhere} screenshots not in the log or unreadable")
        if self.malformed_actions:
            parts.append(f"{self.malformed_actions} actions without a usable type")
        return f"{self.source.name}: {'; '.join(parts)}" if parts else ""

    def render(self) -> str:
        """The report as text for a person."""
        counts = f"{self.steps} steps and {self.pictures} screenshots from {self.messages} messages"
        lines = [f"run {self.run_id}: {counts} -> {self.bundle}"]
        if self.losses:
            lines.append(self.losses)
            lines += [f"  record {number}: {reason}" for number, reason in self.first_skipped]
        return "\n".join(lines)
