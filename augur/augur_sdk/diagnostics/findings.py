"""Findings: how a rule emits them, in which order they stand, and where they are written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, cast

import orjson

from augur_sdk.bundle import layout
from augur_sdk.bundle.canonical import pretty
from augur_sdk.errors import BundleReadError, RecordError
from augur_sdk.models import DiagnosticEvidence, DiagnosticFinding, Severity
from augur_sdk.storage import LocalFSStore
from augur_sdk.storage.paths import checked_relpath

__all__ = [
    "RuleResult",
    "at_least",
    "checked_rule_id",
    "checked_severity",
    "read_findings",
    "sort_findings",
    "write_findings",
]

SEVERITIES: Final = ("info", "low", "medium", "high", "critical")
EVIDENCE_TYPES: Final = frozenset({"log", "step", "event", "screenshot", "diff", "crop", "trace"})
_RULE_ID: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


class RuleResult:
    """Collects what one rule finds.

    Args:
        findings: A list to add to; a new one unless given.
        rule_id: What a finding is filed under when `emit` does not say.
        severity: The severity of a finding when `emit` does not say.
    """

    def __init__(
        self,
        findings: list[DiagnosticFinding] | None = None,
        *,
        rule_id: str | None = None,
        severity: str = "medium",
    ) -> None:
        self.findings: list[DiagnosticFinding] = [] if findings is None else findings
        self._rule_id = rule_id
        self._severity = severity

    def emit(
        self,
        *,
        rule_id: str | None = None,
        severity: str | None = None,
        summary: str,
        evidence: Iterable[DiagnosticEvidence],
        step_index: int | None = None,
        recommendation: str | None = None,
    ) -> None:
        """Add a finding.

        Args:
            rule_id: The running rule's when left out.
            severity: The running rule's when left out.
            summary: What is wrong, in one sentence.
            evidence: Where it can be seen: `{"type": ..., "ref": <bundle-relative path>}`, at
                least one.
            step_index: The step it is about; none for the whole run.
            recommendation: What to do about it.

        Raises:
            ValueError: An id, severity or evidence that the format does not allow.
        """
        finding: DiagnosticFinding = {
            "rule_id": checked_rule_id(rule_id or self._rule_id or ""),
            "severity": checked_severity(severity or self._severity),
            "summary": summary,
            "evidence": [_checked_evidence(item) for item in evidence],
        }
        if not finding["evidence"]:
            raise ValueError("a finding has no evidence; expected at least one path in the bundle")
        if step_index is not None:
            finding["step_index"] = step_index
        if recommendation is not None:
            finding["recommendation"] = recommendation
        self.findings.append(finding)


def sort_findings(findings: Iterable[DiagnosticFinding]) -> list[DiagnosticFinding]:
    """Put findings in their one order: worst first, then by step, rule, and text."""
    return sorted(findings, key=_rank)


def at_least(findings: Iterable[DiagnosticFinding], severity: str) -> list[DiagnosticFinding]:
    """Keep the findings that are as severe as `severity`, or more.

    Raises:
        ValueError: There is no such severity.
    """
    bar = SEVERITIES.index(checked_severity(severity))
    return [finding for finding in findings if SEVERITIES.index(finding["severity"]) >= bar]


def write_findings(bundle_dir: Path | str, findings: Iterable[DiagnosticFinding]) -> Path:
    """Write `diagnostics/findings.json` into a bundle, in one step.

    A bundle that is complete (it has a manifest) stays so: the manifest's signature of the file
    is brought up to date, in one step too. Between the two, the file is the newer one.

    Returns:
        The file's path.

    Raises:
        OSError: The bundle cannot be written to.
    """
    store = LocalFSStore(bundle_dir)
    data = pretty(sort_findings(findings))
    store.write_bytes(layout.FINDINGS, data)
    _sign(store, layout.FINDINGS, data)
    return store.path(layout.FINDINGS)


def read_findings(bundle_dir: Path | str) -> list[DiagnosticFinding] | None:
    """Read the findings that a bundle carries; None when it was never diagnosed.

    Raises:
        BundleReadError: The file does not hold a list of findings.
    """
    try:
        found = orjson.loads(LocalFSStore(bundle_dir).read_bytes(layout.FINDINGS))
    except FileNotFoundError:
        return None
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(_is_finding(item) for item in found):
        raise BundleReadError(
            f"{layout.FINDINGS} does not hold a list of findings",
            fix="Diagnose the bundle again to replace it.",
        )
    return found


def checked_rule_id(rule_id: str) -> str:
    """Return `rule_id` when it is a dotted name of lower-case words; ValueError otherwise."""
    if not _RULE_ID.fullmatch(rule_id):
        raise ValueError(
            f"rule_id {rule_id!r} is not of the form pack.rule_name (lower case, digits, _)"
        )
    return rule_id


def checked_severity(severity: str) -> Severity:
    """Return `severity` when it is one; ValueError otherwise."""
    if severity not in SEVERITIES:
        raise ValueError(f"severity {severity!r} is not one of {', '.join(SEVERITIES)}")
    return cast("Severity", severity)


def _checked_evidence(item: DiagnosticEvidence) -> DiagnosticEvidence:
    if item["type"] not in EVIDENCE_TYPES:
        raise ValueError(f"evidence type is not one of {', '.join(sorted(EVIDENCE_TYPES))}")
    try:
        checked_relpath(item["ref"].partition("#")[0])
    except RecordError as error:
        raise ValueError("evidence has to be a bundle-relative path") from error
    return {"type": item["type"], "ref": item["ref"]}


def _rank(finding: DiagnosticFinding) -> tuple[int, int, str, str, str]:
    return (
        -SEVERITIES.index(finding["severity"]),
        finding.get("step_index", -1),
        finding["rule_id"],
        finding["summary"],
        finding["evidence"][0]["ref"],
    )


def _is_finding(item: Any) -> bool:
    return isinstance(item, dict) and item.get("severity") in SEVERITIES and "rule_id" in item


def _sign(store: LocalFSStore, relpath: str, data: bytes) -> None:
    """Bring the manifest's signature of a file up to date, where there is a readable manifest."""
    try:
        manifest = orjson.loads(store.read_bytes(layout.MANIFEST))
        manifest["signatures"][relpath] = hashlib.sha256(data).hexdigest()
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return  # unfinished, unsigned or damaged: nothing that this could keep true
    store.write_bytes(layout.MANIFEST, pretty(manifest))
