"""The engine, packs and findings: order, failures of rules, and what is written."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Iterable
from pathlib import Path

import orjson
import pytest
from handmade import BundleBuilder

from augur_sdk.diagnostics import (
    BundleContext,
    DiagnosticEvidence,
    DiagnosticFinding,
    Rule,
    RuleResult,
    RulesEngine,
    at_least,
    available_packs,
    diagnose,
    load_pack,
    packs,
    read_findings,
    rule,
    write_findings,
)
from augur_sdk.errors import BundleReadError

TRACE: list[DiagnosticEvidence] = [{"type": "trace", "ref": "trace.json"}]


@rule("mine.first", severity="low")
def first(ctx: BundleContext, result: RuleResult) -> None:
    """Finds each step."""
    for step in ctx.steps:
        result.emit(summary="a step", step_index=step["step_index"], evidence=[ctx.cite_step(step)])


@rule("mine.worst", severity="critical")
def worst(_ctx: BundleContext, result: RuleResult) -> None:
    result.emit(summary="bad", evidence=TRACE)


@rule("mine.raises")
def raises(ctx: BundleContext, result: RuleResult) -> None:
    result.emit(summary="before the end", evidence=[ctx.cite_step({})])
    raise KeyError("token=s3cret")


def test_a_rule_keeps_the_name_and_docstring_of_its_function() -> None:
    assert (first.rule_id, first.severity, first.__doc__) == (
        "mine.first",
        "low",
        "Finds each step.",
    )


@pytest.mark.parametrize(
    ("rule_id", "severity"), [("NoPack", "low"), ("a.b", "awful"), ("a", "low")]
)
def test_a_rule_with_an_impossible_name_or_severity_is_refused(rule_id: str, severity: str) -> None:
    with pytest.raises(ValueError, match=r"rule_id|severity"):
        rule(rule_id, severity=severity)(lambda _ctx, _result: None)


def test_findings_stand_worst_first_then_by_step(bundle: BundleBuilder) -> None:
    bundle.step()
    bundle.step()
    found = RulesEngine([first, worst]).evaluate(bundle.close())
    assert [(f["rule_id"], f.get("step_index")) for f in found] == [
        ("mine.worst", None),
        ("mine.first", 0),
        ("mine.first", 1),
    ]
    assert found == RulesEngine([worst, first]).evaluate(str(bundle.root))


def test_a_rule_that_raises_is_a_finding_and_its_neighbours_go_on(bundle: BundleBuilder) -> None:
    bundle.step()
    found = RulesEngine([raises, first]).evaluate(bundle.close())
    assert {f["rule_id"] for f in found} == {"mine.raises", "augur.rule_failed", "mine.first"}
    failure = next(f for f in found if f["rule_id"] == "augur.rule_failed")
    assert "mine.raises failed with KeyError at test_rules_engine.py" in failure["summary"]
    assert "s3cret" not in failure["summary"]


@pytest.mark.parametrize(
    "evidence",
    [
        [],
        [{"type": "trace", "ref": "/etc/passwd"}],
        [{"type": "trace", "ref": "../other/trace.json"}],
        [{"type": "video", "ref": "trace.json"}],
    ],
)
def test_evidence_is_a_path_inside_the_bundle(evidence: Iterable[object]) -> None:
    result = RuleResult(rule_id="a.b")
    with pytest.raises(ValueError, match="evidence"):
        result.emit(summary="x", evidence=evidence)  # type: ignore[arg-type]  # wrong on purpose


def test_evidence_may_point_into_a_file() -> None:
    result = RuleResult(rule_id="a.b")
    result.emit(summary="x", evidence=[{"type": "log", "ref": "logs/runner.log#L12-L20"}])
    assert result.findings[0]["evidence"][0]["ref"] == "logs/runner.log#L12-L20"


def test_emit_takes_the_documented_arguments() -> None:
    result = RuleResult()
    result.emit(
        rule_id="a.b",
        severity="info",
        summary="s",
        evidence=TRACE,
        step_index=3,
        recommendation="r",
    )
    assert result.findings == [
        {
            "rule_id": "a.b",
            "severity": "info",
            "summary": "s",
            "evidence": TRACE,
            "step_index": 3,
            "recommendation": "r",
        }
    ]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BundleReadError, match="not a folder"):
        diagnose(tmp_path / "nowhere")


def test_findings_at_least_as_severe(bundle: BundleBuilder) -> None:
    bundle.step()
    found = RulesEngine([first, worst]).evaluate(bundle.close())
    assert [f["rule_id"] for f in at_least(found, "high")] == ["mine.worst"]
    assert at_least(found, "info") == found
    with pytest.raises(ValueError, match="severity"):
        at_least(found, "huge")


def pack() -> list[Rule]:
    return [first, worst]


def broken_pack() -> list[Rule]:
    raise RuntimeError("at load")


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    group = "augur.rule_packs"
    entries = [
        importlib.metadata.EntryPoint("mine", f"{__name__}:pack", group),
        importlib.metadata.EntryPoint("broken", f"{__name__}:broken_pack", group),
        importlib.metadata.EntryPoint("cua", f"{__name__}:pack", group),
    ]
    monkeypatch.setattr(packs, "_installed", lambda: entries)


@pytest.mark.usefixtures("plugins")
def test_packs_are_found_by_entry_point() -> None:
    assert load_pack("mine") == [first, worst]
    assert available_packs() == ["broken", "cua", "cua_plus", "mine"]
    assert len(load_pack("cua")) == 12


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize(("name", "reason"), [("broken", "RuntimeError"), ("nope", "cua_plus")])
def test_a_pack_that_cannot_be_loaded_says_so(name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        load_pack(name)


# -- writing


def finding(summary: str = "x") -> DiagnosticFinding:
    return {"rule_id": "a.b", "severity": "low", "summary": summary, "evidence": TRACE}


def test_written_findings_are_signed_and_read_back(bundle: BundleBuilder) -> None:
    bundle.step()
    root = bundle.close()
    path = write_findings(root, [finding("b"), finding("a")])
    manifest = orjson.loads((root / "manifest.json").read_bytes())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert manifest["signatures"]["diagnostics/findings.json"] == digest
    assert [item["summary"] for item in read_findings(root) or []] == ["a", "b"]
    assert path.read_bytes().endswith(b"]\n")


def test_writing_again_gives_the_same_bundle(bundle: BundleBuilder) -> None:
    bundle.step()
    root = bundle.close()
    write_findings(root, [finding()])
    before = {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}
    write_findings(root, [finding()])
    assert before == {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize("manifest", [b"", b"{}", b'{"signatures": 3}', b"not json"])
def test_a_bundle_without_signatures_is_not_given_a_manifest(
    bundle: BundleBuilder, manifest: bytes
) -> None:
    root = bundle.close(manifest=False)
    if manifest:
        (root / "manifest.json").write_bytes(manifest)
    write_findings(root, [])
    there = root / "manifest.json"
    assert (there.read_bytes() if there.exists() else b"") == manifest
    assert read_findings(root) == []


def test_findings_that_were_never_written_or_are_damaged(bundle: BundleBuilder) -> None:
    root = bundle.close()
    assert read_findings(root) is None
    bundle.file("diagnostics/findings.json", b'{"not": "a list"}')
    with pytest.raises(BundleReadError, match="list of findings"):
        read_findings(root)
