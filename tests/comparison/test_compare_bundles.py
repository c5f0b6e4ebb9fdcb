"""Where two runs part, and what became of their findings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from handmade import BundleBuilder

from augur_sdk.comparison import BundleComparison, compare_bundles
from augur_sdk.comparison.finding_changes import finding_changes
from augur_sdk.errors import BundleReadError
from augur_sdk.models import DiagnosticFinding, Severity
from augur_sdk.testing.trajectory import assert_trajectory_matches

Run = Callable[..., Path]
FAILED = {"verdict": {"status": "failed"}, "failure_class": "card_declined"}


def kinds(comparison: BundleComparison) -> list[str]:
    return [row.difference for row in comparison.rows]


def test_a_run_compared_with_itself_is_the_same(run: Run) -> None:
    comparison = compare_bundles(run("a"), run("b"))
    assert comparison.same
    assert comparison.similarity == 1.0
    assert kinds(comparison) == ["same"] * 6
    assert all(row.screen_distance == 0 for row in comparison.rows)
    assert comparison.a.fingerprint == comparison.b.fingerprint


def test_a_step_left_out_is_one_difference(run: Run) -> None:
    comparison = compare_bundles(run("a"), run("b", ("Search", "Mug", "Checkout", "Pay", "Done")))
    assert kinds(comparison) == ["same", "same", "only_a", "same", "same", "same"]
    assert comparison.divergence is not None
    assert comparison.divergence.row == 2
    assert "Add to cart" in comparison.divergence.summary
    assert comparison.divergence.screenshots_a["pre"] == "screenshots/0002_pre.png"
    assert comparison.divergence.screenshots_b == {}


def test_a_step_more_is_one_difference(run: Run) -> None:
    labels = ("Search", "Banner", "Mug", "Add to cart", "Checkout", "Pay", "Done")
    comparison = compare_bundles(run("a"), run("b", labels))
    assert kinds(comparison) == ["same", "only_b", "same", "same", "same", "same", "same"]


def test_the_same_action_with_another_outcome(run: Run) -> None:
    comparison = compare_bundles(run("a"), run("b", pay=FAILED))
    assert kinds(comparison) == ["same"] * 4 + ["outcome", "same"]
    assert comparison.divergence is not None
    assert "passed in A, card_declined in B" in comparison.divergence.summary
    assert set(comparison.divergence.screenshots_b) == {"pre", "post"}


def test_another_action_on_the_same_screen(run: Run) -> None:
    typed = {"action": {"type": "type", "params": {"text": "mug"}}}
    comparison = compare_bundles(run("a"), run("b", mug=typed))
    assert kinds(comparison) == ["same", "action", "same", "same", "same", "same"]
    assert comparison.divergence is not None
    assert comparison.divergence.summary.startswith("on the same screen A did click")


def test_clicks_a_little_apart_are_the_same_click(tmp_path: Path) -> None:
    bundles = [BundleBuilder(tmp_path / name) for name in ("a", "b")]
    for shift, bundle in enumerate(bundles):
        bundle.click(100 + 5 * shift, 100)
        bundle.pre(b"", viewport={"width": 640, "height": 400})
        bundle.click(100 + 90 * shift, 100)
        bundle.pre(b"", viewport={"width": 640, "height": 400})
    comparison = compare_bundles(*(bundle.close() for bundle in bundles))
    assert kinds(comparison) == ["same", "action"]


def test_runs_without_pictures_are_compared_by_their_records(run: Run) -> None:
    comparison = compare_bundles(run("a", pictures=False), run("b", pictures=False, pay=FAILED))
    assert kinds(comparison) == ["same"] * 4 + ["outcome", "same"]
    assert comparison.rows[0].screen_distance is None


def test_empty_runs_are_the_same(tmp_path: Path) -> None:
    comparison = compare_bundles(*(BundleBuilder(tmp_path / name).close() for name in "ab"))
    assert comparison.same
    assert comparison.rows == []


def test_findings_are_new_resolved_or_unchanged(run: Run) -> None:
    before = run("a", search={"status": "failed"}, mug={"status": "failed"})
    after = run(
        "b", ("Banner", "Search", "Mug"), search={"status": "failed"}, banner={"action": {}}
    )
    changes = compare_bundles(before, after).findings
    assert [(f["rule_id"], f.get("step_index")) for f in changes.new] == [
        ("cua.invalid_action_schema", 0)
    ]
    assert [(f["rule_id"], f.get("step_index")) for f in changes.resolved] == [
        ("cua.uncategorized_failure", 1)
    ]
    assert changes.unchanged == 1


def finding(severity: Severity, step_index: int | None = None) -> DiagnosticFinding:
    found: DiagnosticFinding = {
        "rule_id": "a.b",
        "severity": severity,
        "summary": "s",
        "evidence": [{"type": "trace", "ref": "trace.json"}],
    }
    return found if step_index is None else {**found, "step_index": step_index}


def test_a_finding_that_became_more_severe_is_promoted() -> None:
    changes = finding_changes([finding("low"), finding("high")], [finding("medium")], [])
    assert [(p.finding["severity"], p.severity_before) for p in changes.promoted] == [
        ("medium", "low")
    ]
    assert [f["severity"] for f in changes.resolved] == ["high"]


def test_a_finding_that_became_milder_is_not_promoted() -> None:
    changes = finding_changes([finding("high")], [finding("low")], [])
    assert (changes.promoted, changes.unchanged) == ([], 1)


def test_the_comparison_is_json(run: Run) -> None:
    record = compare_bundles(run("a"), run("b", pay=FAILED)).as_dict()
    again = json.loads(json.dumps(record))
    assert again["divergence"]["step"]["difference"] == "outcome"
    assert again["same"] is False
    assert len(again["rows"]) == 6


def test_a_folder_that_is_not_there_is_an_error(run: Run, tmp_path: Path) -> None:
    with pytest.raises(BundleReadError):
        compare_bundles(run("a"), tmp_path / "nowhere")


# -- the pytest helper


def test_a_matching_trajectory_passes(run: Run) -> None:
    assert assert_trajectory_matches(run("b"), run("a")).same


def test_a_trajectory_that_differs_fails_and_says_where(run: Run) -> None:
    expected, actual = run("a"), run("b", ("Search", "Mug", "Checkout", "Pay", "Done"), pay=FAILED)
    with pytest.raises(AssertionError) as caught:
        assert_trajectory_matches(actual, expected)
    message = str(caught.value)
    assert "differs from the expected one in 2 steps" in message
    assert 'missing: step 2: click "Add to cart"' in message
    assert "card_declined" in message


def test_differences_within_the_allowance_pass(run: Run) -> None:
    expected, actual = run("a"), run("b", pay=FAILED)
    assert_trajectory_matches(actual, expected, allowed_differences=1)
    assert_trajectory_matches(actual, expected, compare_outcomes=False)


def test_many_differences_are_cut_short(run: Run) -> None:
    labels = tuple(f"Other {number}" for number in range(14))
    with pytest.raises(AssertionError, match=r"and \d+ more"):
        assert_trajectory_matches(run("b", labels), run("a"))
