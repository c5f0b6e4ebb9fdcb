"""Asserting in a test that a run still does what a recorded one did."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Final

from augur_sdk.comparison import AlignedStep, BundleComparison, compare_bundles

__all__ = ["assert_trajectory_matches"]

_LISTED: Final = 10


def assert_trajectory_matches(
    actual: Path | str,
    expected: Path | str,
    *,
    allowed_differences: int = 0,
    compare_outcomes: bool = True,
) -> BundleComparison:
    """Assert that one bundle's run did the same as another's, step for step.

    Steps are aligned by action, target and picture, so that a step more or less is one difference
    and not one for each step after it. Coordinates, times, costs and pixels may differ: a click
    is the same on the same label, or within 2 % of the screen.

    Args:
        actual: The bundle of the run under test.
        expected: The bundle that it should match.
        allowed_differences: How many steps may differ.
        compare_outcomes: Whether a step that did the same and ended otherwise counts.

    Returns:
        The comparison, with `expected` as its side A.

    Raises:
        AssertionError: They differ; the message lists the first differences and says where they
            begin.
        BundleReadError: One of them is no bundle.
    """
    __tracebackhide__ = True
    comparison = compare_bundles(expected, actual)
    counted = [
        row for row in comparison.differences() if compare_outcomes or row.difference != "outcome"
    ]
    if len(counted) > allowed_differences:
        raise AssertionError(_message(comparison, counted, allowed_differences))
    return comparison


def _message(comparison: BundleComparison, counted: list[AlignedStep], allowed: int) -> str:
    bound = f", {allowed} are allowed" if allowed else ""
    share = f"{comparison.similarity:.0%} in common"
    lines = [
        f"the trajectory differs from the expected one in {len(counted)} steps{bound} ({share})",
        f"  expected: {comparison.a.bundle_dir} ({comparison.a.steps} steps)",
        f"  actual:   {comparison.b.bundle_dir} ({comparison.b.steps} steps)",
    ]
    lines += [f"  {_line(row)}" for row in islice(counted, _LISTED)]
    if len(counted) > _LISTED:
        lines.append(f"  and {len(counted) - _LISTED} more")
    return "\n".join(lines)


def _line(row: AlignedStep) -> str:
    expected = f"step {row.a}: {row.action_a} -> {row.outcome_a}"
    actual = f"step {row.b}: {row.action_b} -> {row.outcome_b}"
    if row.difference == "only_a":
        return f"missing: {expected}"
    if row.difference == "only_b":
        return f"unexpected: {actual}"
    return f"expected {expected}; got {actual}"
