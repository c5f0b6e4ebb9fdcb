"""Decisions and recoveries, from screenshots alone."""

from __future__ import annotations

from collections.abc import Callable

from augur_sdk.demo.desktop import Desktop
from augur_sdk.demo.pilot import ATTEMPTS, GROUNDER, Pilot
from augur_sdk.demo.scenario import Goal

ADD = Goal("Add it", "click", "Add to cart", near="Enamel mug", shows="Cart (1)")


def test_a_click_is_grounded_on_the_screenshot(desktop: Desktop) -> None:
    decision = Pilot([]).decide(Goal("Log in", "click", "Log in"), desktop.screenshot())
    assert (decision.provider, decision.provenance) == (GROUNDER, "screenshot")
    assert decision.params.keys() == {"x", "y"}
    assert decision.confidence is not None
    assert 0.8 < decision.confidence <= 1


def test_typed_text_is_recorded_unless_it_is_secret(desktop: Desktop) -> None:
    png = desktop.screenshot()
    pilot = Pilot([])
    assert pilot.decide(Goal("Type", "type", text="mug"), png).params == {"text": "mug"}
    secret = pilot.decide(Goal("Type", "type", text="hush", secret=True), png)
    assert secret.params == {"length": 4}


def test_a_dialog_in_the_way_is_closed_before_the_next_try(results: Desktop) -> None:
    pilot = Pilot([])
    before = results.screenshot()
    decision = pilot.decide(ADD, before)
    assert decision.point is not None
    results.click(*decision.point)
    judgement = pilot.judge(decision, before, results.screenshot())
    assert (judgement.failure_class, judgement.recovery) == ("no_state_change", "retry")
    way_out, again = pilot.next_goal(), pilot.next_goal()
    assert way_out is not None
    assert way_out.label == "No thanks"
    assert again == ADD.again()


def test_a_change_that_is_not_the_expected_one_fails(
    results: Desktop, click: Callable[[str], None]
) -> None:
    pilot = Pilot([])
    before = results.screenshot()
    click("No thanks")
    judgement = pilot.judge(pilot.decide(ADD, before), before, results.screenshot())
    assert judgement.failure_class == "dispatch_ok_state_fail"


def test_a_target_that_is_not_there_is_given_up_after_a_few_tries(desktop: Desktop) -> None:
    pilot = Pilot([Goal("Fly", "click", "Take off"), Goal("Land", "click", "Land")])
    png = desktop.screenshot()
    recoveries = []
    while goal := pilot.next_goal():
        decision = pilot.decide(goal, png)
        assert not decision.possible
        judgement = pilot.judge(decision, png, png)
        recoveries.append((judgement.failure_class, judgement.recovery))
    assert [recovery for _, recovery in recoveries] == ["retry"] * (ATTEMPTS - 1) + ["halt"]
    assert {failure for failure, _ in recoveries} == {"demo.target_not_found"}
    assert pilot.gave_up


def test_a_hint_to_click_is_followed_next(desktop: Desktop) -> None:
    pilot = Pilot([ADD])
    pilot.hint('close the dialog: click "No thanks"')
    goal = pilot.next_goal()
    assert goal is not None
    assert goal.label == "No thanks"
    noted = pilot.decide(goal, desktop.screenshot()).notes[0].detail
    assert noted["hint"] == 'close the dialog: click "No thanks"'


def test_any_other_hint_is_only_noted(desktop: Desktop) -> None:
    pilot = Pilot([ADD])
    pilot.hint("mind the dialog")
    goal = pilot.next_goal()
    assert goal == ADD
    assert pilot.decide(ADD, desktop.screenshot()).notes[0].detail["hint"] == "mind the dialog"
    assert "hint" not in pilot.decide(ADD, desktop.screenshot()).notes[0].detail


def test_an_override_moves_the_next_click_only(desktop: Desktop) -> None:
    pilot = Pilot([])
    pilot.override(12, 34)
    goal = Goal("Log in", "click", "Log in")
    overridden = pilot.decide(goal, desktop.screenshot())
    assert (overridden.point, overridden.provenance) == ((12, 34), "human_override")
    assert pilot.decide(goal, desktop.screenshot()).provenance == "screenshot"
