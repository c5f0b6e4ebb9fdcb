"""Comparing two recorded runs: where they part, and what became of their findings.

comparison = compare_bundles("runs/before", "runs/after")
Path("diff.html").write_text(render_html(comparison), encoding="utf-8")
"""

from __future__ import annotations

from augur_sdk.comparison.comparing import compare_bundles
from augur_sdk.comparison.html_page import render_html
from augur_sdk.comparison.result import (
    AlignedStep,
    BundleComparison,
    Divergence,
    FindingChanges,
    RunSide,
)

__all__ = [
    "AlignedStep",
    "BundleComparison",
    "Divergence",
    "FindingChanges",
    "RunSide",
    "compare_bundles",
    "render_html",
]
