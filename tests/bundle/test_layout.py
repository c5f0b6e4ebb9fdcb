from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from augur_sdk.bundle import layout

ids = st.text(max_size=300) | st.sampled_from(["..", "../x", "a/b", "CON", "nul.txt", "a\x00", " "])


@given(ids)
@example(":.0")
def test_a_portable_name_is_one_legal_path_component(raw: str) -> None:
    name = layout.portable_name(raw)
    assert name
    assert name not in {".", ".."}
    assert all(c.isascii() and (c.isalnum() or c in "._-") for c in name)
    assert not name.startswith(".")
    assert not name.endswith((".", " "))
    assert len(name) <= 140
    assert name.split(".")[0].lower() not in {"con", "nul", "aux", "prn", "com1", "lpt9"}


@given(ids, ids)
def test_two_ids_never_share_a_name(one: str, other: str) -> None:
    if one != other:
        assert layout.portable_name(one) != layout.portable_name(other)


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}", fullmatch=True))
def test_a_name_that_is_portable_already_stays(raw: str) -> None:
    if raw.lower() not in {"con", "nul", "aux", "prn"} and not raw.lower().startswith(
        ("com", "lpt")
    ):
        assert layout.portable_name(raw) == raw


def test_paths_are_those_of_the_contract() -> None:
    assert layout.step_path(3) == "steps/0003.json"
    assert layout.step_path(12345) == "steps/12345.json"
    assert layout.iteration_path(3, "s") == "steps/0003/043a7187.json"
    assert layout.events_path(3) == "events/0003.jsonl"
    assert layout.events_path(None) == "events/run.jsonl"
    assert layout.screenshot_path(3, "pre") == "screenshots/0003_pre.png"
    assert layout.modelio_path(3, "planner", 0) == "modelio/0003-planner-0.json"
    assert layout.modelio_path(None, "planner", 2) == "modelio/run-planner-2.json"
    assert layout.side_effect_path(3, "se_1") == "side_effects/0003-se_1.json"
    assert layout.log_path("run", None) == "logs/run.log"
    assert layout.log_path("run", 7) == "logs/step-0007.log"
    assert layout.fixture_path(11) == "replay/0011_fixture.json"
    assert layout.prior_steps_path(11) == "replay/0011.prior.json"
    assert layout.preference_path(11) == "preferences/0011.json"
