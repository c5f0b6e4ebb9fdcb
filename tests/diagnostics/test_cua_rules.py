"""Each rule of the pack `cua`: a bundle where it fires, and one where it does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from handmade import BundleBuilder, around, screen

from augur_sdk.bundle import layout
from augur_sdk.diagnostics import CUA_RULES, DiagnosticFinding, diagnose
from augur_sdk.models.validators import problems

Build = Callable[[BundleBuilder], object]

EMPTY, FILLED = screen(), screen((10, 10, 90, 60))
CSS = {"coordinate_space": "viewport_css_px"}


def found(bundle: BundleBuilder, rule: str, *, manifest: bool = True) -> list[DiagnosticFinding]:
    findings = diagnose(bundle.close(manifest=manifest))
    assert all(not problems("diagnostic_finding", finding) for finding in findings)
    for finding in findings:
        assert all(Path(bundle.root / item["ref"]).is_file() for item in finding["evidence"])
    return [finding for finding in findings if finding["rule_id"] == f"cua.{rule}"]


def healthy_run(bundle: BundleBuilder) -> None:
    """A page where each click fills one box more."""
    boxes: list[tuple[int, int, int, int]] = []
    for number in range(4):
        bundle.click(60 + 90 * number, 200, verdict={"status": "passed"})
        bundle.pre(screen(*boxes), coordinate_space="screenshot_px")
        boxes.append(around(60 + 90 * number, 200))
        bundle.post(screen(*boxes))
        bundle.event("verifier", "as expected")


def test_a_healthy_run_has_no_findings(bundle: BundleBuilder) -> None:
    healthy_run(bundle)
    assert diagnose(bundle.close()) == []


def test_the_pack_is_the_table_of_the_contract() -> None:
    assert [(rule.rule_id, rule.severity) for rule in CUA_RULES] == [
        ("cua.repeated_action_stable_frame", "medium"),
        ("cua.click_outside_viewport", "high"),
        ("cua.coordinate_space_mismatch", "high"),
        ("cua.dom_used_as_runtime_target", "high"),
        ("cua.no_state_change", "medium"),
        ("cua.verifier_disagrees", "high"),
        ("cua.dispatch_ok_state_fail", "high"),
        ("cua.invalid_action_schema", "critical"),
        ("cua.missing_observation", "low"),
        ("cua.replay_diff", "medium"),
        ("cua.high_cost_infra_failure", "high"),
        ("cua.uncategorized_failure", "low"),
    ]


# -- repeated_action_stable_frame


def two_clicks(
    bundle: BundleBuilder, first: bytes | None, second: bytes | None, *, to: float = 50
) -> None:
    for x, picture in ((50.0, first), (to, second)):
        bundle.click(x, 50)
        if picture:
            bundle.pre(picture)


def test_a_click_repeated_on_the_same_picture_is_found(bundle: BundleBuilder) -> None:
    two_clicks(bundle, EMPTY, EMPTY)
    (finding,) = found(bundle, "repeated_action_stable_frame")
    assert finding.get("step_index") == 1
    assert {"type": "screenshot", "ref": "screenshots/0001_pre.png"} in finding["evidence"]


def test_the_same_pixels_in_another_encoding_are_the_same_frame(bundle: BundleBuilder) -> None:
    two_clicks(bundle, EMPTY, screen(kind="WEBP"))
    assert found(bundle, "repeated_action_stable_frame")


def test_a_small_change_between_two_clicks_is_seen(bundle: BundleBuilder) -> None:
    """A ticked box leaves the perceptual hash as it is; the pixels tell."""
    two_clicks(bundle, EMPTY, screen((300, 200, 303, 203)))
    assert not found(bundle, "repeated_action_stable_frame")


@pytest.mark.parametrize(
    "build",
    [
        lambda b: two_clicks(b, EMPTY, FILLED),
        lambda b: two_clicks(b, EMPTY, EMPTY, to=90),
        lambda b: two_clicks(b, None, None),
        lambda b: [b.click(50, 50), b.pre(EMPTY), b.step(), b.click(50, 50), b.pre(EMPTY)],
    ],
    ids=["the screen changed", "another place", "nothing is known", "not in a row"],
)
def test_other_pairs_of_clicks_are_not_repeated_actions(
    bundle: BundleBuilder, build: Build
) -> None:
    build(bundle)
    assert not found(bundle, "repeated_action_stable_frame")


def test_records_tell_that_nothing_changed_where_there_are_no_pictures(
    bundle: BundleBuilder,
) -> None:
    bundle.click(50, 50, failure_class="no_state_change")
    bundle.click(50, 50)
    assert found(bundle, "repeated_action_stable_frame")


# -- click_outside_viewport


@pytest.mark.parametrize(
    ("x", "y", "space", "outside"),
    [
        (319, 199, "viewport_css_px", False),
        (320, 10, "viewport_css_px", True),
        (10, 200, "viewport_css_px", True),
        (-1, 10, "viewport_css_px", True),
        (320, 200, "device_px", False),
        (640, 200, "device_px", True),
        (639, 399, "screenshot_px", False),
        (639, 400, "screenshot_px", True),
        (320, 10, "dom_client_rect", True),
    ],
)
def test_the_viewport_is_measured_in_the_actions_space(
    bundle: BundleBuilder, x: float, y: float, space: str, outside: bool
) -> None:
    params = {"x": x, "y": y}
    action = {"type": "click", "params": params, "coordinate_space": space}
    bundle.step("click", action=action)
    bundle.pre(EMPTY, viewport={"width": 320, "height": 200, "device_scale_factor": 2})
    assert bool(found(bundle, "click_outside_viewport")) == outside


def test_a_grounded_click_without_parameters_counts_too(bundle: BundleBuilder) -> None:
    grounding = {"provider": "g", "provenance": "screenshot", "coordinates": {"x": 900, "y": 5}}
    bundle.step("click", grounding=grounding)
    bundle.pre(EMPTY)
    assert found(bundle, "click_outside_viewport")


@pytest.mark.parametrize(
    "build",
    [
        lambda b: b.click(5000, 5000),
        lambda b: (b.step("scroll", {"x": 0, "y": -300}), b.pre(EMPTY)),
        lambda b: (b.step("click", {"x": "far", "y": None}), b.pre(EMPTY)),
    ],
    ids=["no observation", "a scroll's distance", "no numbers"],
)
def test_coordinates_that_cannot_be_outside(bundle: BundleBuilder, build: Build) -> None:
    build(bundle)
    assert not found(bundle, "click_outside_viewport")


# -- grounding from the DOM


def dom_click(bundle: BundleBuilder, space: str, provenance: str, **params: object) -> None:
    action = {"type": "click", "params": params, "coordinate_space": space}
    bundle.step("click", action=action, grounding={"provider": "p", "provenance": provenance})


@pytest.mark.parametrize(
    ("space", "provenance", "fires"),
    [
        ("viewport_css_px", "dom", True),
        ("screenshot_px", "dom", False),
        ("viewport_css_px", "screenshot", False),
    ],
)
def test_dom_grounding_and_a_css_action_do_not_belong_together(
    bundle: BundleBuilder, space: str, provenance: str, fires: bool
) -> None:
    dom_click(bundle, space, provenance)
    assert bool(found(bundle, "coordinate_space_mismatch")) == fires


@pytest.mark.parametrize(
    ("provenance", "params", "fires"),
    [
        ("dom", {"x": 1, "y": 2.5}, True),
        ("dom", {"selector": "#a"}, False),
        ("dom", {"x": True, "y": "2"}, False),
        ("screenshot", {"x": 1, "y": 2}, False),
    ],
)
def test_dom_coordinates_are_no_runtime_target(
    bundle: BundleBuilder, provenance: str, params: dict[str, object], fires: bool
) -> None:
    dom_click(bundle, "screenshot_px", provenance, **params)
    assert bool(found(bundle, "dom_used_as_runtime_target")) == fires


# -- no_state_change


@pytest.mark.parametrize(
    "fields",
    [
        {"failure_class": "no_state_change"},
        {"failure_class": "mantis.no_state_change"},
        {"verdict": {"status": "recoverable", "reason": "Nothing changed on the screen"}},
        {"verdict": {"status": "recoverable", "reason": "no_state_change"}},
    ],
)
def test_records_that_say_so_are_no_state_change(
    bundle: BundleBuilder, fields: dict[str, object]
) -> None:
    bundle.click(5, 5, **fields)
    assert found(bundle, "no_state_change")


def with_pictures(kind: str, before: bytes, after: bytes) -> Build:
    return lambda b: (b.step(kind), b.pre(before), b.post(after))


def test_the_same_picture_before_and_after_is_no_state_change(bundle: BundleBuilder) -> None:
    with_pictures("click", FILLED, FILLED)(bundle)
    (finding,) = found(bundle, "no_state_change")
    assert len(finding["evidence"]) == 3


@pytest.mark.parametrize(
    "build",
    [
        with_pictures("click", EMPTY, FILLED),
        with_pictures("wait", FILLED, FILLED),
        lambda b: (b.click(5, 5), b.pre(EMPTY)),
        lambda b: b.click(5, 5, verdict={"status": "recoverable", "reason": "element was stale"}),
        lambda b: b.click(5, 5, verdict={"status": "failed", "reason": "nothing changed"}),
    ],
    ids=["it changed", "waiting", "one picture", "another reason", "failed, not recoverable"],
)
def test_what_is_not_no_state_change(bundle: BundleBuilder, build: Build) -> None:
    build(bundle)
    assert not found(bundle, "no_state_change")


# -- how a step ended


@pytest.mark.parametrize(
    ("fields", "layer", "fires"),
    [
        ({"verdict": {"status": "failed", "reason": "cart is empty"}}, "verifier", True),
        ({"failure_class": "verifier_disagrees"}, "verifier", True),
        ({"verdict": {"status": "failed"}}, "planner", False),
        ({"verdict": {"status": "passed"}}, "verifier", False),
    ],
)
def test_a_verifier_that_disagrees(
    bundle: BundleBuilder, fields: dict[str, object], layer: str, fires: bool
) -> None:
    bundle.click(5, 5, **fields)
    bundle.event(layer)
    findings = found(bundle, "verifier_disagrees")
    assert bool(findings) == fires
    assert all(finding["evidence"][0]["ref"] == "events/0000.jsonl" for finding in findings)


@pytest.mark.parametrize(
    ("failure_class", "fires"),
    [("dispatch_ok_state_fail", True), ("my.dispatch_ok_state_fail", True), ("other", False)],
)
def test_dispatched_and_yet_not_there(
    bundle: BundleBuilder, failure_class: str, fires: bool
) -> None:
    bundle.click(5, 5, failure_class=failure_class)
    assert bool(found(bundle, "dispatch_ok_state_fail")) == fires


@pytest.mark.parametrize(
    ("action", "fires"),
    [
        ({}, True),
        ({"params": {"x": 1}}, True),
        ({"type": ""}, True),
        ({"type": 7}, True),
        ({"type": "click"}, False),
        (..., False),
    ],
)
def test_an_action_needs_a_type(bundle: BundleBuilder, action: object, fires: bool) -> None:
    bundle.step(action=action)
    assert bool(found(bundle, "invalid_action_schema")) == fires


@pytest.mark.parametrize(
    ("listed", "there", "fires"), [(False, False, True), (True, False, False), (False, True, False)]
)
def test_a_screenshot_is_there_or_missing_on_purpose(
    bundle: BundleBuilder, listed: bool, there: bool, fires: bool
) -> None:
    path = layout.screenshot_path(0, "pre")
    bundle.step(observation_pre=path)
    bundle.missing = [path] if listed else []
    if there:
        bundle.pre(EMPTY)
    assert bool(found(bundle, "missing_observation")) == fires


def test_a_screenshot_outside_the_bundle_is_missing(bundle: BundleBuilder, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(EMPTY)
    bundle.click(5, 5, observation_pre="../secret.png", observation_post=str(tmp_path / "x.png"))
    assert len(found(bundle, "missing_observation")) == 2


@pytest.mark.parametrize(
    ("fields", "fixture", "fires"),
    [
        ({"status": "failed"}, True, True),
        ({"verdict": {"status": "recoverable"}}, True, True),
        ({"status": "failed"}, False, False),
        ({"verdict": {"status": "passed"}}, True, False),
    ],
)
def test_a_fixture_of_a_step_in_trouble(
    bundle: BundleBuilder, fields: dict[str, object], fixture: bool, fires: bool
) -> None:
    bundle.click(5, 5, **fields)
    if fixture:
        bundle.json(layout.fixture_path(0), {"fixture_id": "f"})
    assert bool(found(bundle, "replay_diff")) == fires


@pytest.mark.parametrize(
    ("place", "failure_class", "fires"),
    [
        (0, "infra_failure", True),
        (2, "mantis.infra_proxy", True),
        (1, "model_timeout", True),
        (3, "infra_failure", False),
        (0, "no_state_change", False),
    ],
)
def test_an_infra_failure_at_the_start(
    bundle: BundleBuilder, place: int, failure_class: str, fires: bool
) -> None:
    for at in range(5):
        bundle.step(**({"failure_class": failure_class} if at == place else {}))
    assert bool(found(bundle, "high_cost_infra_failure")) == fires


@pytest.mark.parametrize(
    ("fields", "fires"),
    [
        ({"status": "failed"}, True),
        ({"verdict": {"status": "failed"}, "failure_class": "unknown"}, True),
        ({"status": "failed", "failure_class": "infra_failure"}, False),
        ({"failure_class": "unknown"}, False),
        ({}, False),
    ],
)
def test_a_failure_needs_a_class(
    bundle: BundleBuilder, fields: dict[str, Any], fires: bool
) -> None:
    bundle.step(**fields)
    assert bool(found(bundle, "uncategorized_failure")) == fires
