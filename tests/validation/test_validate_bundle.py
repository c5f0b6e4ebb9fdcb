"""What a valid bundle may look like, and what each kind of damage is called."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from augur_sdk.bundle import layout
from augur_sdk.validation import ValidationIssue, validate_bundle

SECRET = "hunter2-hunter2"


def found(files: Any, folder: Path) -> list[tuple[str, str]]:
    return [(issue.where, issue.path) for issue in validate_bundle(files.write(folder))]


def test_a_bundle_with_one_of_everything_is_valid(files: Any, tmp_path: Path) -> None:
    assert validate_bundle(files.write(tmp_path)) == []


def test_the_folder_may_be_given_as_text(files: Any, tmp_path: Path) -> None:
    assert validate_bundle(str(files.write(tmp_path))) == []


def test_a_bundle_without_anything_optional_is_valid(bare_bundle: Any, tmp_path: Path) -> None:
    files = bare_bundle()
    files.manifest["paths"] = {
        name: layout.PATHS[name] for name in ("steps", "screenshots", "events", "logs")
    }
    assert found(files, tmp_path) == []


def test_another_producers_spelling_is_valid(files: Any, tmp_path: Path) -> None:
    """Compact JSON, steps before the session, no signatures, no observation records."""
    session, steps = files.trace["session"], files.trace["steps"]
    files[layout.TRACE] = orjson.dumps({"steps": steps, "session": session})
    del files.manifest["signatures"]
    for path in [path for path in files if path.startswith("screenshots/") and ".json" in path]:
        del files[path]
    files["notes/mine.txt"] = b"not in the layout"
    assert found(files, tmp_path) == []


def test_what_the_published_package_writes_and_nobody_here_knows_is_no_issue(
    files: Any, tmp_path: Path
) -> None:
    given = {
        "run_id": "r",
        "debug_session_id": "d",
        "step_id": "s",
        "finalized_at": "2030-01-01T00:00:00Z",
    }
    files["outcomes.json"] = {"outcomes": [{"scope": "session", "verdict": {}, **given}]}
    files.trace["session"]["more"] = 1
    files.sign()
    files["notes.txt"] = b"of the user's"
    assert found(files, tmp_path) == []


def test_a_known_field_of_a_wrong_kind_beside_an_unknown_one_is_an_issue(
    files: Any, tmp_path: Path
) -> None:
    outcome = {"scope": "all", "verdict": {}, "run_id": "r", "finalized_at": "2030-01-01T00:00:00Z"}
    files["outcomes.json"] = {"outcomes": [outcome]}
    files.sign()
    assert found(files, tmp_path) == [("outcomes.json", "outcomes.0.scope")]


def test_whole_numbers_may_be_written_as_floats(files: Any, tmp_path: Path) -> None:
    files.trace["steps"][0]["step_index"] = 0.0
    del files.manifest["signatures"]
    assert found(files, tmp_path) == []


def test_a_screenshot_that_is_absent_on_purpose_is_no_issue(files: Any, tmp_path: Path) -> None:
    for kind in ("pre", "post"):
        del files[layout.screenshot_path(0, kind)]
        del files[layout.observation_path(0, kind)]
        files.manifest.setdefault("missing", []).append(layout.screenshot_path(0, kind))
    files.sign()
    assert found(files, tmp_path) == []


def test_an_observation_may_say_that_its_picture_is_missing(files: Any, tmp_path: Path) -> None:
    files[layout.observation_path(7, "pre")] = {
        "artifact": layout.screenshot_path(7, "pre"),
        "media_type": "image/png",
        "width": 1,
        "height": 1,
        "coordinate_space": "screenshot_px",
        "missing": True,
    }
    files.sign()
    assert found(files, tmp_path) == []


def test_references_elsewhere_and_notes_are_left_alone(files: Any, tmp_path: Path) -> None:
    step = files.trace["steps"][0]
    step["observation_pre"] = "s3://bucket/0000_pre.png"
    step["verdict"]["evidence_refs"] = ["https://ci/1", "the toast said so", "steps/0002/"]
    files.sign()
    assert found(files, tmp_path) == []


def test_an_intent_whose_step_was_never_recorded_is_no_issue(files: Any, tmp_path: Path) -> None:
    """The run was killed between the declaration and the step."""
    files[layout.side_effect_path(9, "fx9")] = {
        "side_effect_id": "fx9",
        "step_index": 9,
        "resource": "orders/9",
        "action": "submit",
        "status": "intent_only",
    }
    files.sign()
    assert found(files, tmp_path) == []


def test_what_tools_add_after_the_session_needs_no_signature(files: Any, tmp_path: Path) -> None:
    files["logs/late.log"] = b"late\n"
    files[layout.DELIVERY] = b"{}"
    files[layout.JOURNAL] = b""
    files["replay/.DS_Store"] = b""
    del files.manifest["signatures"][layout.FINDINGS]
    assert found(files, tmp_path) == []


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path: Path) -> None:
    (issue,) = validate_bundle(tmp_path)
    assert issue.where == str(tmp_path)
    assert "not a bundle" in issue.message


def test_an_unfinished_bundle_is_one_issue_that_names_the_cure(files: Any, tmp_path: Path) -> None:
    del files[layout.MANIFEST]
    files[layout.JOURNAL] = b'{"torn'
    (issue,) = validate_bundle(files.write(tmp_path))
    assert "augur recover" in issue.message


@pytest.mark.parametrize("name", ["absent", "a\0b"])
def test_a_folder_that_is_not_there_is_one_issue(tmp_path: Path, name: str) -> None:
    assert len(validate_bundle(tmp_path / name)) == 1


def test_a_file_instead_of_a_folder_is_one_issue(tmp_path: Path) -> None:
    (tmp_path / "bundle.zip").write_bytes(b"PK")
    assert len(validate_bundle(tmp_path / "bundle.zip")) == 1


Damage = Callable[[Any], Any]

DAMAGES: dict[str, tuple[Damage, str, str]] = {
    "manifest field": (
        lambda files: files.manifest.pop("client"),
        "manifest.json",
        "client",
    ),
    "schema version": (
        lambda files: files.manifest.update(schema_version="0.2"),
        "manifest.json",
        "schema_version",
    ),
    "run id": (
        lambda files: files.manifest.update(run_id="run_2"),
        "manifest.json",
        "run_id",
    ),
    "session id": (
        lambda files: files.manifest.update(debug_session_id="dbg_other"),
        "manifest.json",
        "debug_session_id",
    ),
    "costs": (
        lambda files: files.manifest.update(costs={"total_usd": 1}),
        "manifest.json",
        "costs",
    ),
    "step count": (
        lambda files: files.manifest.update(step_count=7),
        "manifest.json",
        "step_count",
    ),
    "missing but there": (
        lambda files: files.manifest.update(missing=["x.png", "screenshots/0000_pre.png"]),
        "manifest.json",
        "missing.1",
    ),
    "no trace": (lambda files: files.pop("trace.json"), "trace.json", ""),
    "session field": (
        lambda files: files.trace["session"].update(status="done"),
        "trace.json",
        "session.status",
    ),
    "no session": (
        lambda files: files.trace.pop("session"),
        "trace.json",
        "session",
    ),
    "unknown trace field": (
        lambda files: files.trace.update(more=1),
        "trace.json",
        "",
    ),
    "steps no array": (
        lambda files: files.trace.update(steps={}),
        "trace.json",
        "steps",
    ),
    "step in both": (
        lambda files: files.trace["steps"][1].update(status=SECRET),
        "steps/0001.json",
        "status",
    ),
    "step in trace alone": (
        lambda files: files.trace["steps"].__setitem__(
            1, {**files.trace["steps"][1], "duration_ms": True}
        ),
        "trace.json",
        "steps.1.duration_ms",
    ),
    "step differs": (
        lambda files: files.update({"steps/0001.json": {**files["steps/0001.json"], "intent": ""}}),
        "steps/0001.json",
        "",
    ),
    "step without file": (
        lambda files: files.pop("steps/0001.json"),
        "trace.json",
        "steps.1",
    ),
    "step order": (
        lambda files: files.trace["steps"].reverse(),
        "trace.json",
        "steps.1",
    ),
    "stray step": (
        lambda files: files.update({"steps/0005.json": {**files["steps/0001.json"]}}),
        "steps/0005.json",
        "",
    ),
    "step beside its iterations": (
        lambda files: files.update({"steps/0002.json": files.trace["steps"][2]}),
        "steps/0002.json",
        "",
    ),
    "iteration count": (
        lambda files: files.trace["steps"][2].update(step_iterations=3),
        "steps/0002/",
        "",
    ),
    "iteration path": (
        lambda files: files.update(
            {"steps/0002/00000000.json": files.pop(layout.iteration_path(2, "step-again"))}
        ),
        "steps/0002/00000000.json",
        "",
    ),
    "iteration field": (
        lambda files: files[layout.iteration_path(2, "step-again")].update(status=1),
        layout.iteration_path(2, "step-again"),
        "status",
    ),
    "screenshot gone": (
        lambda files: files.pop("screenshots/0001_post.png"),
        "trace.json",
        "steps.1.observation_post",
    ),
    "screenshot gone, seen from its record": (
        lambda files: files.pop("screenshots/0001_post.png"),
        "screenshots/0001_post.json",
        "artifact",
    ),
    "reference that leaves": (
        lambda files: files.trace["steps"][1].update(observation_pre="../../etc/passwd"),
        "trace.json",
        "steps.1.observation_pre",
    ),
    "evidence": (
        lambda files: files.trace["steps"][0]["verdict"].update(evidence_refs=["events/9.jsonl"]),
        "trace.json",
        "steps.0.verdict.evidence_refs.0",
    ),
    "judge's evidence": (
        lambda files: files.trace["steps"][0].update(
            judge_decisions=[
                {
                    "judge_id": "j",
                    "judge_type": "rule",
                    "verdict": {"status": "passed", "evidence_refs": ["crops/1.png"]},
                }
            ]
        ),
        "trace.json",
        "steps.0.judge_decisions.0.verdict.evidence_refs.0",
    ),
    "finding's evidence": (
        lambda files: files[layout.FINDINGS][0]["evidence"][1].update(ref="logs/no.log#L1"),
        layout.FINDINGS,
        "0.evidence.1.ref",
    ),
    "finding": (
        lambda files: files[layout.FINDINGS][0].update(evidence=[]),
        layout.FINDINGS,
        "0.evidence",
    ),
    "fixture's picture": (
        lambda files: files[layout.fixture_path(1)].update(observation="screenshots/9_pre.png"),
        layout.fixture_path(1),
        "observation",
    ),
    "fixture's prior steps": (
        lambda files: files.pop(layout.prior_steps_path(1)),
        layout.fixture_path(1),
        "prior_steps",
    ),
    "prior steps": (
        lambda files: files[layout.prior_steps_path(1)][0].pop("action"),
        layout.prior_steps_path(1),
        "0.action",
    ),
    "event": (
        lambda files: files["events/run.jsonl"][1].update(layer="gut"),
        "events/run.jsonl:2",
        "layer",
    ),
    "torn event": (
        lambda files: files.update({"events/0000.jsonl": b'{"ts":"t","lay'}),
        "events/0000.jsonl:1",
        "",
    ),
    "reasoning": (
        lambda files: files[layout.REASONING][1].update(step_index=None),
        "events/reasoning.jsonl:2",
        "step_index",
    ),
    "model call": (
        lambda files: files["modelio/0000-planner-0.json"]["request"].pop("model"),
        "modelio/0000-planner-0.json",
        "request.model",
    ),
    "effect": (
        lambda files: files["side_effects/0000-fx1.json"].update(observed_result=[1]),
        "side_effects/0000-fx1.json",
        "observed_result",
    ),
    "effect's step": (
        lambda files: files["side_effects/0000-fx1.json"].update(step_id="nobody"),
        "side_effects/0000-fx1.json",
        "step_id",
    ),
    "effect's step index": (
        lambda files: files["side_effects/0000-fx1.json"].update(step_index=1),
        "side_effects/0000-fx1.json",
        "step_index",
    ),
    "outcome": (
        lambda files: files[layout.OUTCOMES]["outcomes"][0].pop("scope"),
        layout.OUTCOMES,
        "outcomes.0.scope",
    ),
    "candidate": (
        lambda files: files[layout.EVAL_CANDIDATES].pop("candidates"),
        layout.EVAL_CANDIDATES,
        "candidates",
    ),
    "preference": (
        lambda files: files[layout.preference_path(1)].update(alternatives=[]),
        layout.preference_path(1),
        "alternatives",
    ),
    "observation": (
        lambda files: files[layout.observation_path(0, "pre")].update(width=0),
        layout.observation_path(0, "pre"),
        "width",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
@pytest.mark.parametrize("signed", [False, True])
def test_damage_is_found_where_it_is(files: Any, tmp_path: Path, name: str, signed: bool) -> None:
    damage, where, path = DAMAGES[name]
    damage(files)
    files.manifest.pop("signatures")
    if signed:
        files.sign()
    issues = validate_bundle(files.write(tmp_path))
    assert (where, path) in [(issue.where, issue.path) for issue in issues]
    assert SECRET not in "".join(issue.render() for issue in issues)


def test_what_a_step_and_its_file_have_wrong_is_told_once(files: Any, tmp_path: Path) -> None:
    files.trace["steps"][1]["status"] = "odd"
    files.sign()
    assert found(files, tmp_path) == [("steps/0001.json", "status")]


@pytest.mark.parametrize(
    ("in_trace", "in_file", "where"),
    [
        (1, True, [("steps/0001.json", "duration_ms")]),
        (True, 1, [("trace.json", "steps.1.duration_ms")]),
        (1, 1.0, []),
        (1, 2, [("steps/0001.json", "")]),
    ],
)
def test_equal_values_of_unequal_kinds_are_told_apart(
    files: Any, tmp_path: Path, in_trace: Any, in_file: Any, where: list[tuple[str, str]]
) -> None:
    files["steps/0001.json"] = {**files.trace["steps"][1], "duration_ms": in_file}
    files.trace["steps"][1]["duration_ms"] = in_trace
    files.sign()
    assert found(files, tmp_path) == where


def test_a_file_that_breaks_its_schema_everywhere_is_told_about_briefly(
    files: Any, tmp_path: Path
) -> None:
    files[layout.OUTCOMES] = {"outcomes": [1] * 500}
    files.sign()
    issues = validate_bundle(files.write(tmp_path))
    assert len(issues) == 21
    assert "480 more" in issues[-1].message


@pytest.mark.parametrize("path", ["screenshots/0001_pre.png", "AGENT.md", "steps/0001.json"])
def test_a_changed_file_does_not_match_its_signature(files: Any, tmp_path: Path, path: str) -> None:
    files.write(tmp_path)
    with (tmp_path / path).open("ab") as file:
        file.write(b"\n")
    (issue,) = validate_bundle(tmp_path)
    assert (issue.where, issue.path) == (path, "")
    assert "signature" in issue.message


def test_a_signed_file_that_is_gone_is_an_issue(files: Any, tmp_path: Path) -> None:
    files.manifest["signatures"]["../outside"] = "0" * 64
    del files[layout.AGENT]
    assert found(files, tmp_path) == [("../outside", ""), ("AGENT.md", "")]


def test_a_file_that_was_slipped_in_is_an_issue(files: Any, tmp_path: Path) -> None:
    files["screenshots/0009_pre.png"] = b"PNG"
    assert found(files, tmp_path) == [("screenshots/0009_pre.png", "")]


def test_a_pipe_in_the_folder_does_not_block(files: Any, tmp_path: Path) -> None:
    files.write(tmp_path)
    os.mkfifo(tmp_path / "logs" / "live.log")
    assert validate_bundle(tmp_path) == []


def test_an_odd_file_name_is_printable(files: Any, tmp_path: Path) -> None:
    del files.manifest["signatures"]
    folder = os.fsencode(files.write(tmp_path)) + b"/events/"
    with open(folder + b"a\nb\xff.jsonl", "wb") as file:  # noqa: PTH123 - a name that is no text
        file.write(b"{")
    (issue,) = validate_bundle(tmp_path)
    issue.render().encode()
    assert "\n" not in issue.render()


def test_an_issue_renders_as_one_line() -> None:
    assert ValidationIssue("steps/0001.json", "expected a string", "intent").render() == (
        "steps/0001.json: intent: expected a string"
    )
    assert ValidationIssue(where="AGENT.md", message="odd", path="").render() == "AGENT.md: odd"
