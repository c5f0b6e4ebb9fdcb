from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from both_classes import Open
from scenarios import STARTED, files_of, read_json, step

from augur_sdk import DebugSession
from augur_sdk.models.validators import problems


def call(**fields: Any) -> dict[str, Any]:
    return {
        "layer": "planner",
        "request": {"model": "m-1", "messages": [{"role": "user", "content": "where?"}]},
        "response": {"text": "there"},
        **fields,
    }


def test_a_model_call_is_filled_in_and_written_where_its_step_is_found(
    open_session: Open, bundle: Path
) -> None:
    given = call()
    with open_session() as session:
        path = session.record_modelio(given, step_index=3)
    assert path == "modelio/0003-planner-0.json"
    assert given == call()
    stored = read_json(bundle / path)
    assert stored["ts"].endswith("Z")
    assert {k: v for k, v in stored.items() if k != "ts"} == {
        **call(),
        "schema_version": "0.1",
        "step_index": 3,
        "redaction_applied": True,
    }
    assert problems("modelio", stored) == []


def test_calls_are_numbered_for_each_step_and_layer(open_session: Open) -> None:
    with open_session() as session:
        paths = [
            session.record_modelio(call(), step_index=0),
            session.record_modelio(call(), step_index=0),
            session.record_modelio(call(layer="judge"), step_index=0),
            session.record_modelio(call(), step_index=1),
            session.record_modelio(call()),
            session.record_modelio(call()),
            session.record_modelio(call(step_index=12345)),
        ]
    assert paths == [
        "modelio/0000-planner-0.json",
        "modelio/0000-planner-1.json",
        "modelio/0000-judge-0.json",
        "modelio/0001-planner-0.json",
        "modelio/run-planner-0.json",
        "modelio/run-planner-1.json",
        "modelio/12345-planner-0.json",
    ]


def test_arguments_fill_in_what_the_record_does_not_say(open_session: Open, bundle: Path) -> None:
    bare = call()
    del bare["layer"]
    with open_session() as session:
        path = session.record_modelio(bare, step_index=0, layer="grounding")
        assert session.record_modelio(bare) == "modelio/run-model-0.json"
    assert path == "modelio/0000-grounding-0.json"
    assert read_json(bundle / path)["layer"] == "grounding"
    assert read_json(bundle / path)["step_index"] == 0
    assert read_json(bundle / "modelio/run-model-0.json")["layer"] == "model"


def test_arguments_never_overwrite_what_the_record_says(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        path = session.record_modelio(call(step_index=1), step_index=2, layer="grounding")
    assert path == "modelio/0001-planner-0.json"
    assert read_json(bundle / path)["step_index"] == 1
    assert read_json(bundle / path)["layer"] == "planner"


@pytest.mark.parametrize(
    "record",
    [
        {},
        call(layer="astrology"),
        call(request={}),
        call(response=None),
        call(extra=1),
        call(duration_ms=-1),
        "a string",
        None,
    ],
    ids=lambda record: repr(record)[:30],
)
def test_an_invalid_call_is_a_value_error_and_nothing_is_stored(
    open_session: Open, bundle: Path, record: Any
) -> None:
    with open_session() as session, pytest.raises(ValueError, match=r"expected|schema"):
        session.record_modelio(record, step_index=0)
    assert not [name for name in files_of(bundle) if name.startswith("modelio/")]


def test_without_validation_a_call_is_stored_as_given_and_counted(
    open_session: Open, bundle: Path
) -> None:
    with open_session() as session:
        path = session.record_modelio({"layer": "mine", "text": "x"}, step_index=0, validate=False)
    assert path == "modelio/0000-mine-0.json"
    assert read_json(bundle / path)["text"] == "x"
    assert session.stats.schema_problems == 1


def test_the_same_prompt_hash_is_the_same_call(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        first = session.record_modelio(call(prompt_hash="h"), step_index=0)
        assert session.record_modelio(call(prompt_hash="h"), step_index=0) == first
        assert session.record_modelio(call(prompt_hash="h"), step_index=4) == first
        assert session.record_modelio(call(prompt_hash="other"), step_index=0) != first
        stats = session.flush()
    assert stats.repeated_calls == 0
    assert sorted(name for name in files_of(bundle) if name.startswith("modelio/")) == [
        "modelio/0000-planner-0.json",
        "modelio/0000-planner-1.json",
    ]


def test_a_retry_is_said_once_and_counted_unless_each_attempt_is_wanted(
    open_session: Open, bundle: Path, caplog: pytest.LogCaptureFixture
) -> None:
    retry = call(prompt_hash="h", response={"text": "elsewhere"})
    with open_session() as session:
        first = session.record_modelio(call(prompt_hash="h"), step_index=0)
        assert session.record_modelio(retry, step_index=0) == first
        assert session.record_modelio(retry, step_index=0) == first
        assert session.stats.repeated_calls == 2
        other = session.record_modelio(retry, step_index=0, dedupe=False)
        assert session.record_modelio(call(prompt_hash="h"), step_index=0) == first
    assert caplog.text.count("dedupe=False") == 1
    assert read_json(bundle / first)["response"] == {"text": "there"}
    assert read_json(bundle / other)["response"] == {"text": "elsewhere"}


@pytest.mark.parametrize("before", [True, False], ids=["call first", "step first"])
def test_the_step_learns_its_model_and_prompt(
    open_session: Open, bundle: Path, before: bool
) -> None:
    with open_session() as session:
        if before:
            session.record_modelio(call(prompt_hash="h"), step_index=0)
            session.record_step(step(0, captured_versions={"code_git_sha": "c"}))
        else:
            session.record_step(step(0, captured_versions={"code_git_sha": "c"}))
            session.record_modelio(call(prompt_hash="h"), step_index=0)
    assert read_json(bundle / "steps/0000.json")["captured_versions"] == {
        "code_git_sha": "c",
        "model": "m-1",
        "prompt_hash": "h",
    }


def test_what_was_said_of_a_step_is_not_overwritten_by_its_calls(
    open_session: Open, bundle: Path
) -> None:
    grounding = call(layer="grounding", request={"model": "m-2"}, prompt_hash="h2")
    with open_session() as session:
        session.record_step(step(0))
        session.set_step_versions(0, prompt_hash="said")
        session.record_modelio(call(prompt_hash="h"), step_index=0)
        session.record_modelio(grounding, step_index=0)
        session.record_modelio(call(prompt_hash="h3"), step_index=1)
        session.record_modelio({**grounding, "prompt_hash": "h4"}, step_index=1)
        session.record_step(step(1))
    said = {"model": "m-1", "prompt_hash": "said"}
    assert read_json(bundle / "steps/0000.json")["captured_versions"] == said
    first = {"model": "m-1", "prompt_hash": "h3"}
    assert read_json(bundle / "steps/0001.json")["captured_versions"] == first


def test_layers_from_outside_never_leave_the_folder_or_share_a_file(tmp_path: Path) -> None:
    layers = ["../../etc/passwd", "a/b", "a b", "A", "a", "CON", "x" * 300, "\0", "ü", ".", ".."]
    with DebugSession(
        run_id="r", client_name="c", out_dir=tmp_path / "b", capture_mode="full"
    ) as session:
        paths = [
            session.record_modelio({"n": number}, step_index=0, layer=layer, validate=False)
            for number, layer in enumerate(layers)
        ]
    assert len({path.casefold() for path in paths}) == len(layers)
    stored = [read_json(tmp_path / "b" / path)["n"] for path in paths]
    assert stored == list(range(len(layers)))
    assert {p.parent for p in (tmp_path / "b/modelio").iterdir()} == {tmp_path / "b/modelio"}
    assert sorted(tmp_path.iterdir()) == [tmp_path / "b"]


def test_a_secret_in_a_layer_reaches_no_file_name(tmp_path: Path) -> None:
    secret = "AKIAIOSFODNN7EXAMPLE"
    with DebugSession(
        run_id="r", client_name="c", out_dir=tmp_path / "b", capture_mode="full"
    ) as session:
        path = session.record_modelio({}, layer=secret, validate=False)
        session.declare_side_effect(0, "r", "a", side_effect_id=secret)
    assert secret not in path
    assert secret not in repr(files_of(tmp_path / "b"))


def test_log_probabilities_are_kept_as_given(open_session: Open, bundle: Path) -> None:
    logprobs = [{"token": "a", "token_id": 3, "logprob": -0.5, "top_alternatives": []}]
    with open_session(capture_logprobs=True) as session:
        assert session.capture_logprobs is True
        path = session.record_modelio(
            call(response={"text": "a", "logprobs": logprobs}), step_index=0
        )
        asked = session.record_modelio(call(response={"logprobs": []}), step_index=0)
        without = session.record_modelio(call(response={"text": "b"}), step_index=0)
    assert read_json(bundle / path)["response"]["logprobs"] == logprobs
    assert read_json(bundle / asked)["response"] == {"logprobs": []}
    assert read_json(bundle / without)["response"] == {"text": "b", "logprobs": []}


def test_nobody_asked_for_log_probabilities_and_none_are_written(
    open_session: Open, bundle: Path
) -> None:
    with open_session() as session:
        path = session.record_modelio(call(response={"text": "b"}), step_index=0)
    assert read_json(bundle / path)["response"] == {"text": "b"}


def test_a_call_of_an_earlier_step_can_carry_its_own_time(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        path = session.record_modelio(call(ts=STARTED, schema_version="0.1"))
    assert read_json(bundle / path)["ts"] == STARTED
    assert read_json(bundle / path)["step_index"] is None
