"""What every adapter must do, as a suite of tests for yours (docs/reference/adapter-authoring.md).

Subclass, give the fixtures, and let pytest collect it:

    import pytest
    from augur_sdk.testing.adapter_contract import AdapterContract

    class TestMyAdapter(AdapterContract):
        @pytest.fixture
        def adapter(self):
            return MyAdapter()

        @pytest.fixture
        def raw_actions(self):
            return [native_click(10, 20), native_key("ctrl+s")]

`ModelApiAdapterContract` holds an adapter made on `ModelApiAdapterBase` to its part as well; it
needs a fixture `log`, the path of a log with at least one action in it. Tests whose samples are
not given are skipped.
"""

# Tests are made of asserts, and methods need no other docstring than their name:
# ruff: noqa: D102, S101

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from augur_sdk.adapter import Adapter, SupportsSideEffects
from augur_sdk.adapters import ModelApiAdapterBase
from augur_sdk.models import RUN_STATUSES, SUPPORTED_SCHEMA_RANGE
from augur_sdk.models.validators import problems

__all__ = ["AdapterContract", "ModelApiAdapterContract"]

_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]{0,63}")

_STEP: Final = {
    "step_id": "s",
    "step_index": 3,
    "step_type": "x",
    "status": "succeeded",
    "started_at": "2026-01-01T00:00:00Z",
}


class AdapterContract:
    """The documented protocol. Needs a fixture `adapter`; the samples are yours to give."""

    @pytest.fixture
    def raw_actions(self) -> Sequence[Any]:
        """Actions as the runtime has them."""
        return ()

    @pytest.fixture
    def raw_steps(self) -> Sequence[Any]:
        """Steps as the runtime has them."""
        return ()

    @pytest.fixture
    def raw_decisions(self) -> Sequence[Any]:
        """Decisions, errors, notes as the runtime has them."""
        return ()

    @pytest.fixture
    def raw_observations(self) -> Sequence[Any]:
        """Observations as the runtime has them."""
        return ()

    def test_it_has_what_every_adapter_has(self, adapter: Adapter) -> None:
        wanted = [name for name in dir(Adapter) if name.startswith("on_")]
        missing = [
            name
            for name in (*wanted, "name", "SUPPORTED_SCHEMA_RANGE")
            if getattr(adapter, name, None) is None
        ]
        assert not missing, f"the adapter lacks {', '.join(missing)}"
        assert isinstance(adapter, Adapter)

    def test_its_name_suits_files_and_failure_classes(self, adapter: Adapter) -> None:
        assert _NAME.fullmatch(adapter.name), f"{adapter.name!r} is not like 'my-runtime'"

    def test_it_writes_a_version_that_is_read(self, adapter: Adapter) -> None:
        lowest, highest = (_version(text) for text in adapter.SUPPORTED_SCHEMA_RANGE)
        first, last = (_version(text) for text in SUPPORTED_SCHEMA_RANGE)
        assert lowest <= highest, "SUPPORTED_SCHEMA_RANGE ends before it begins"
        assert lowest <= last, f"readers know versions up to {SUPPORTED_SCHEMA_RANGE[1]}"
        assert first <= highest, f"readers know versions from {SUPPORTED_SCHEMA_RANGE[0]}"

    def test_a_run_begins_with_tags_of_text_and_ends_with_any_status(
        self, adapter: Adapter
    ) -> None:
        for status in RUN_STATUSES:
            tags = adapter.on_run_start(run_id="contract", client_version="1") or {}
            assert all(isinstance(part, str) for item in tags.items() for part in item)
            adapter.on_run_end(status=status)

    def test_actions_are_records(self, adapter: Adapter, raw_actions: Sequence[Any]) -> None:
        for raw in _given(raw_actions):
            action = adapter.on_action(raw, 3)
            _assert_valid("step_trace", {**_STEP, "action": action})

    def test_the_same_action_gives_the_same_record(
        self, adapter: Adapter, raw_actions: Sequence[Any]
    ) -> None:
        for raw in _given(raw_actions):
            first, again = adapter.on_action(raw, 3), adapter.on_action(raw, 3)
            assert first == again, f"{first} became {again}"

    def test_an_action_is_not_changed_by_translating_it(
        self, adapter: Adapter, raw_actions: Sequence[Any]
    ) -> None:
        for raw in _given(raw_actions):
            before = copy.deepcopy(raw)
            action = adapter.on_action(raw, 3)
            action.setdefault("params", {})["changed"] = True
            assert _shown(raw) == _shown(before), "the runtime's action was changed"

    def test_steps_are_records_or_nothing(self, adapter: Adapter, raw_steps: Sequence[Any]) -> None:
        for raw in _given(raw_steps):
            step = adapter.on_step(raw)
            if step is not None:
                _assert_valid("step_trace", step)

    def test_decisions_are_records_of_their_step_or_of_the_run(
        self, adapter: Adapter, raw_decisions: Sequence[Any]
    ) -> None:
        for raw in _given(raw_decisions):
            event, of_run = adapter.on_decision(raw, 3), adapter.on_decision(raw, None)
            _assert_valid("decision_event", event)
            assert event.get("step_index") == 3
            _assert_valid("decision_event", of_run)
            assert of_run.get("step_index") is None

    def test_observations_are_records(
        self, adapter: Adapter, raw_observations: Sequence[Any]
    ) -> None:
        for raw in _given(raw_observations):
            _assert_valid("observation", adapter.on_observation(raw, 3))

    def test_side_effects_can_be_declared(
        self, adapter: Adapter, raw_actions: Sequence[Any]
    ) -> None:
        if not isinstance(adapter, SupportsSideEffects):
            pytest.skip("the adapter has no on_side_effect")
        for raw in _given(raw_actions):
            declared = adapter.on_side_effect(raw, 3)
            if declared is not None:
                assert isinstance(declared, Mapping)
                assert isinstance(declared.get("resource"), str), "it names no resource"
                assert isinstance(declared.get("action"), str), "it names no action"


class ModelApiAdapterContract(AdapterContract):
    """What is asked of adapters made on `ModelApiAdapterBase`. Needs fixtures `adapter`, `log`."""

    def test_actions_come_in_order_with_a_type(
        self, adapter: ModelApiAdapterBase, log: Path
    ) -> None:
        messages, _ = adapter.load_messages(log)
        calls = list(adapter.iter_tool_calls(messages))
        places = [(turn, call) for turn, call, _ in calls]
        assert calls, "the sample log holds no action"
        assert places == sorted(set(places)), "places must ascend, none of them twice"
        assert all(isinstance(action.get("type"), str) for _, _, action in calls)

    def test_one_pass_over_the_messages_is_enough(
        self, adapter: ModelApiAdapterBase, log: Path
    ) -> None:
        first, _ = adapter.load_messages(log)
        again, _ = adapter.load_messages(log)
        assert list(adapter.iter_tool_calls(iter(first))) == list(adapter.iter_tool_calls(again))

    def test_a_turn_is_the_position_of_its_response(
        self, adapter: ModelApiAdapterBase, log: Path
    ) -> None:
        messages = list(adapter.load_messages(log)[0])
        for turn, _, _ in adapter.iter_tool_calls(messages):
            assert adapter.read_message(messages[turn]).is_response, f"message {turn} is none"

    def test_a_log_becomes_a_valid_bundle(
        self, adapter: ModelApiAdapterBase, log: Path, tmp_path: Path
    ) -> None:
        from augur_sdk.validation import validate_bundle

        bundle = adapter.bundle_from_input(log, tmp_path / "bundle", run_id="contract")
        issues = [issue.render() for issue in validate_bundle(bundle)]
        assert not issues, "\n".join(issues)
        assert _read(bundle, "manifest.json")["run_id"] == "contract"

    def test_steps_are_numbered_without_gaps(
        self, adapter: ModelApiAdapterBase, log: Path, tmp_path: Path
    ) -> None:
        steps = _steps(adapter.bundle_from_input(log, tmp_path / "bundle"))
        messages, _ = adapter.load_messages(log)
        count = sum(1 for _ in adapter.iter_tool_calls(messages))
        assert [step["step_index"] for step in steps] == list(range(count))

    def test_importing_again_gives_the_same_steps(
        self, adapter: ModelApiAdapterBase, log: Path, tmp_path: Path
    ) -> None:
        before = log.read_bytes()
        first = _steps(adapter.bundle_from_input(log, tmp_path / "first"))
        assert _steps(adapter.bundle_from_input(log, tmp_path / "second")) == first
        assert log.read_bytes() == before, "the log was changed"


def _given(samples: Sequence[Any]) -> Sequence[Any]:
    if not samples:
        pytest.skip("no samples given")
    return samples


def _assert_valid(record: str, value: object) -> None:
    found = problems(record, value)
    assert not found, f"not a {record}: " + "; ".join(str(problem) for problem in found)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _shown(raw: Any) -> str:
    dump = getattr(raw, "model_dump", None)
    return repr(dump() if callable(dump) else raw)


def _read(bundle: Path, name: str) -> Any:
    return orjson.loads((bundle / name).read_bytes())


def _steps(bundle: Path) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = _read(bundle, "trace.json")["steps"]
    return steps
