"""Diagnostics: rules that read a bundle and cite what they found (contract/behaviour.md).

findings = RulesEngine(load_pack("cua")).evaluate("out/run_1")
write_findings("out/run_1", findings)
"""

from __future__ import annotations

from augur_sdk.diagnostics.context import BundleContext
from augur_sdk.diagnostics.engine import RulesEngine, diagnose
from augur_sdk.diagnostics.findings import (
    RuleResult,
    at_least,
    read_findings,
    sort_findings,
    write_findings,
)
from augur_sdk.diagnostics.packs import CUA_PLUS_RULES, CUA_RULES, available_packs, load_pack
from augur_sdk.diagnostics.rules import Rule, rule
from augur_sdk.images.loops import LoopDetector
from augur_sdk.models import DiagnosticEvidence, DiagnosticFinding

__all__ = [
    "CUA_PLUS_RULES",
    "CUA_RULES",
    "BundleContext",
    "DiagnosticEvidence",
    "DiagnosticFinding",
    "LoopDetector",
    "Rule",
    "RuleResult",
    "RulesEngine",
    "at_least",
    "available_packs",
    "diagnose",
    "load_pack",
    "read_findings",
    "rule",
    "sort_findings",
    "write_findings",
]
