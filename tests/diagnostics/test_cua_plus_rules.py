"""The pack that looks at pixels and whole runs: it finds what is planted, and else is silent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from handmade import SIZE, BundleBuilder, around, screen

from augur_sdk.diagnostics import CUA_PLUS_RULES, DiagnosticFinding, RulesEngine
from augur_sdk.models.validators import problems

EMPTY = screen()


def found(bundle: BundleBuilder, rule: str = "") -> list[DiagnosticFinding]:
    findings = RulesEngine(CUA_PLUS_RULES).evaluate(bundle.close())
    assert all(not problems("diagnostic_finding", finding) for finding in findings)
    assert all(
        (bundle.root / item["ref"]).is_file()
        for finding in findings
        for item in finding["evidence"]
    )
    return [f for f in findings if f["rule_id"] == f"cua_plus.{rule}" or not rule]


def spots(seed: int, width: float, height: float) -> Iterator[tuple[float, float]]:
    """Places all over an area, others for each seed and the same on every machine."""
    dice = iter(hashlib.shake_128(bytes([seed])).digest(400))
    for x, y in zip(dice, dice, strict=True):
        yield 40 + (width - 90) * x / 255, 40 + (height - 90) * y / 255


def landing(
    bundle: BundleBuilder,
    *,
    scale: float = 1.0,
    offset: tuple[float, float] = (0.0, 0.0),
    clicks: int = 8,
    seed: int = 5,
    facts: dict[str, Any] | None = None,
    to_screen: float = 1.0,
) -> None:
    """A run whose clicks change the screen at `scale * aim * to_screen + offset`."""
    reach = min(1.0, 1 / (scale * to_screen))
    for _, (x, y) in zip(
        range(clicks), spots(seed, SIZE[0] * reach, SIZE[1] * reach), strict=False
    ):
        bundle.click(x, y)
        bundle.pre(EMPTY, **(facts or {}))
        spot = (x * scale * to_screen + offset[0], y * scale * to_screen + offset[1])
        bundle.post(screen(around(*spot)))


def test_a_healthy_run_has_no_findings(bundle: BundleBuilder) -> None:
    landing(bundle)
    assert found(bundle) == []


@pytest.mark.parametrize("scale", [0.5, 1.25, 0.8, 1.5, 2.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_planted_scale_is_found(bundle: BundleBuilder, scale: float, seed: int) -> None:
    landing(bundle, scale=scale, seed=seed)
    (finding,) = found(bundle, "coordinate_transform")
    assert f"all clicks land at {scale:.2f}x" in finding["summary"]
    assert finding["severity"] == "high"


@pytest.mark.parametrize("offset", [(0, 85), (-60, 40)])
def test_a_planted_offset_is_found(bundle: BundleBuilder, offset: tuple[int, int]) -> None:
    landing(bundle, offset=offset, seed=3)
    (finding,) = found(bundle, "coordinate_transform")
    assert f"({offset[0]:+d}, {offset[1]:+d}) px" in finding["summary"]


@pytest.mark.parametrize("seed", range(12))
def test_healthy_runs_of_every_kind_are_left_alone(bundle: BundleBuilder, seed: int) -> None:
    landing(bundle, seed=seed, clicks=5 + seed)
    assert found(bundle, "coordinate_transform") == []


@pytest.mark.parametrize("seed", range(12))
def test_effects_at_random_places_are_no_transform(bundle: BundleBuilder, seed: int) -> None:
    aims, effects = spots(seed, *SIZE), spots(seed + 100, *SIZE)
    for _, aim, effect in zip(range(4 + seed), aims, effects, strict=False):
        bundle.click(*aim)
        bundle.pre(EMPTY)
        bundle.post(screen(around(*effect)))
    assert found(bundle, "coordinate_transform") == []


def test_a_message_at_one_place_is_no_transform(bundle: BundleBuilder) -> None:
    """Buttons that all answer in the same corner."""
    for number in range(6):
        bundle.click(80 + 90 * number, 300)
        bundle.pre(EMPTY)
        bundle.post(screen((500, 10, 620, 40)))
    assert found(bundle, "coordinate_transform") == []


def test_three_clicks_are_too_few_to_tell(bundle: BundleBuilder) -> None:
    landing(bundle, scale=0.5, clicks=3)
    assert found(bundle, "coordinate_transform") == []


def test_a_declared_device_scale_factor_is_no_fault(bundle: BundleBuilder) -> None:
    """Clicks in CSS pixels on a screenshot twice as large, as the observation says."""
    viewport = {"width": SIZE[0] // 2, "height": SIZE[1] // 2, "device_scale_factor": 2}
    facts = {"viewport": viewport, "coordinate_space": "viewport_css_px"}
    landing(bundle, facts=facts, to_screen=2.0)
    assert found(bundle) == []


def test_a_page_that_also_shows_a_clock_still_gives_its_scale_away(bundle: BundleBuilder) -> None:
    for number, (x, y) in zip(range(7), spots(2, *SIZE), strict=False):
        bundle.click(x, y)
        bundle.pre(screen((600 + number, 4, 620, 12)))
        bundle.post(screen((601 + number, 4, 620, 12), around(x / 2, y / 2)))
    (finding,) = found(bundle, "coordinate_transform")
    assert "0.50x" in finding["summary"]


def test_clicks_that_one_transform_explains_are_not_reported_again(bundle: BundleBuilder) -> None:
    landing(bundle, scale=0.5)
    assert found(bundle, "effect_elsewhere") == []


# -- effects


def one_click(bundle: BundleBuilder, before: bytes, after: bytes, **fields: Any) -> None:
    bundle.click(60, 60, **fields)
    bundle.pre(before)
    bundle.post(after)


def test_a_change_far_from_the_click_is_an_effect_elsewhere(bundle: BundleBuilder) -> None:
    one_click(bundle, EMPTY, screen(around(500, 300)))
    (finding,) = found(bundle, "effect_elsewhere")
    assert "(60, 60)" in finding["summary"]
    assert "(500, 300)" in finding["summary"]


@pytest.mark.parametrize(
    ("after", "fields"),
    [
        (screen(around(60, 60)), {}),
        (screen(around(90, 60)), {}),
        (screen(around(60, 60), around(500, 300)), {}),
        (screen((80, 100, 630, 390)), {}),
        (screen(around(500, 300)), {"verdict": {"status": "passed"}}),
        (screen(around(500, 300)), {"action": {"type": "key", "params": {}}}),
    ],
    ids=["there", "beside it", "there and elsewhere", "a new page", "found good", "no click"],
)
def test_effects_that_are_where_they_should_be(
    bundle: BundleBuilder, after: bytes, fields: dict[str, Any]
) -> None:
    one_click(bundle, EMPTY, after, **fields)
    assert found(bundle, "effect_elsewhere") == []


def test_a_display_that_changes_at_every_click_is_not_elsewhere(bundle: BundleBuilder) -> None:
    """A calculator: the keys are at the bottom, what they do shows at the top."""
    for number in range(8):
        bundle.click(60 + 60 * number, 350)
        bundle.pre(screen((400, 20, 420 + 10 * number, 50)))
        bundle.post(screen((400, 20, 430 + 10 * number, 50)))
    assert found(bundle, "effect_elsewhere") == []


def test_no_pixel_changed(bundle: BundleBuilder) -> None:
    one_click(bundle, EMPTY, EMPTY)
    bundle.step("wait")
    bundle.pre(EMPTY)
    (finding,) = found(bundle, "no_effect")
    assert finding.get("step_index") == 0
    assert found(bundle, "late_effect") == []


def test_the_next_steps_picture_stands_in_for_one_that_is_missing(bundle: BundleBuilder) -> None:
    bundle.click(60, 60)
    bundle.pre(EMPTY)
    bundle.step("wait")
    bundle.pre(EMPTY)
    assert [finding.get("step_index") for finding in found(bundle, "no_effect")] == [0]


def test_an_effect_that_shows_only_in_the_next_picture_is_late(bundle: BundleBuilder) -> None:
    one_click(bundle, EMPTY, EMPTY)
    bundle.step("wait")
    bundle.pre(screen(around(60, 60)))
    (finding,) = found(bundle, "late_effect")
    assert finding.get("step_index") == 0
    assert found(bundle, "no_effect") == []


def test_a_change_in_time_is_neither_late_nor_missing(bundle: BundleBuilder) -> None:
    one_click(bundle, EMPTY, screen(around(60, 60)))
    bundle.step("wait")
    bundle.pre(screen(around(60, 60), around(300, 300)))
    bundle.post(screen(around(60, 60), around(300, 300)))
    assert found(bundle) == []


# -- whole runs


def laps(bundle: BundleBuilder, period: int, rounds: int) -> None:
    for number in range(period * rounds):
        at = 100 + 130 * (number % period)
        bundle.click(at, 200)
        bundle.pre(screen(around(at, 200, 40), (10, 10, 10 + at, 90)))


@pytest.mark.parametrize("period", [1, 2, 3])
def test_a_loop_is_found_once_with_its_length(bundle: BundleBuilder, period: int) -> None:
    bundle.step("key", {"text": "start"})
    bundle.pre(screen((0, 300, 600, 380)))
    laps(bundle, period, 5)
    (finding,) = found(bundle, "loop")
    assert finding.get("step_index") == 5 * period
    assert "repeated 5 times from step 1 on" in finding["summary"]
    assert len(finding["evidence"]) == period


def test_two_rounds_are_no_loop(bundle: BundleBuilder) -> None:
    laps(bundle, 3, 2)
    assert found(bundle, "loop") == []


def test_a_failure_that_comes_back_unchanged(bundle: BundleBuilder) -> None:
    for _ in range(4):
        bundle.click(40, 40, status="failed", failure_class="wrong_target")
    (finding,) = found(bundle, "repeated_failure")
    assert "4 times in a row: wrong_target" in finding["summary"]
    assert len(finding["evidence"]) == 4


@pytest.mark.parametrize(
    "steps",
    [
        [(40, "a"), (40, "a")],
        [(40, "a"), (90, "a"), (200, "a")],
        [(40, "a"), (40, "b"), (40, "c")],
        [(40, "a"), (40, None), (40, "a"), (40, "a")],
    ],
    ids=["twice", "other actions", "other failures", "not in a row"],
)
def test_failures_that_are_not_the_same(
    bundle: BundleBuilder, steps: list[tuple[int, str | None]]
) -> None:
    for x, failure in steps:
        bundle.click(x, 40, **({"status": "failed", "failure_class": failure} if failure else {}))
    assert found(bundle, "repeated_failure") == []


@pytest.mark.parametrize(
    ("usual", "spike"),
    [
        ({"total_usd": 0.01}, {"total_usd": 0.4}),
        ({"model_usd": 0.01, "gpu_usd": 0.002}, {"model_usd": 0.3, "gpu_usd": 0.002}),
        ({"tokens_in": 1000, "tokens_out": 50}, {"tokens_in": 90_000, "tokens_out": 60}),
    ],
)
def test_a_step_that_costs_far_more_than_the_others(
    bundle: BundleBuilder, usual: dict[str, float], spike: dict[str, float]
) -> None:
    for number in range(10):
        bundle.step(costs=spike if number == 7 else usual)
    assert [finding.get("step_index") for finding in found(bundle, "cost_spike")] == [7]


@pytest.mark.parametrize(
    "costs",
    [
        [0.01] * 10,
        [0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08],
        [0.01, 0.01, 0.5],
        [0.0] * 10,
    ],
    ids=["even", "growing", "too few", "none"],
)
def test_costs_that_are_not_out_of_the_ordinary(bundle: BundleBuilder, costs: list[float]) -> None:
    for cost in costs:
        bundle.step(costs={"total_usd": cost})
    assert found(bundle, "cost_spike") == []
