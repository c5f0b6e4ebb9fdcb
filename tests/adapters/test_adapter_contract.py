"""The contract kit, held against the adapters of this package and against bad ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from anthropic.types import ToolUseBlock
from openai.types.responses.computer_action import Click, Wait

from augur_sdk.adapters import (
    AnthropicComputerUseAdapter,
    ModelApiAdapterBase,
    OpenAIComputerUseAdapter,
)
from augur_sdk.testing.adapter_contract import AdapterContract, ModelApiAdapterContract

CLICK = {"action": "left_click", "coordinate": [10, 20]}
RAW_STEP = {"step_index": 3, "action": {"type": "click", "x": 1, "y": 2}, "intent": "Save."}


class Samples(ModelApiAdapterContract):
    @pytest.fixture
    def raw_steps(self) -> Sequence[Any]:
        return [{"step_index": 0}, {"no": "step"}]

    @pytest.fixture
    def raw_decisions(self) -> Sequence[Any]:
        return ["took the shortcut", {"layer": "planner", "kind": "decision", "summary": "go"}]

    @pytest.fixture
    def raw_observations(self, picture: Callable[[int], bytes]) -> Sequence[Any]:
        return [picture(1), {"media_type": "image/png", "width": 3, "height": 4}]


class TestAnthropicAdapter(Samples):
    @pytest.fixture
    def adapter(self) -> AnthropicComputerUseAdapter:
        return AnthropicComputerUseAdapter()

    @pytest.fixture
    def raw_actions(self) -> Sequence[Any]:
        block = ToolUseBlock(id="t", name="computer", input={**CLICK}, type="tool_use")
        return [block, block.model_dump(), CLICK]

    @pytest.fixture
    def log(self, claude: Any, picture: Callable[[int], bytes], write_json: Any) -> Path:
        claude.response(("a", CLICK), ("b", {"action": "wait", "duration": 1}), text="Go.")
        claude.results(("a", picture(1)), ("b", picture(2)))
        path: Path = write_json(claude.messages)
        return path


class TestOpenAIAdapter(Samples):
    @pytest.fixture
    def adapter(self) -> OpenAIComputerUseAdapter:
        return OpenAIComputerUseAdapter()

    @pytest.fixture
    def raw_actions(self) -> Sequence[Any]:
        click = Click(type="click", button="left", x=1, y=2)
        return [click, click.model_dump()]

    @pytest.fixture
    def raw_steps(self) -> Sequence[Any]:
        return [RAW_STEP]

    @pytest.fixture
    def log(self, gpt: Any, picture: Callable[[int], bytes], write_lines: Any) -> Path:
        gpt.response(Click(type="click", button="left", x=1, y=2), Wait(type="wait"))
        gpt.output("call_0", picture(1))
        path: Path = write_lines(gpt.messages)
        return path


class Nameless:
    name: ClassVar[str] = "My Runtime!"


class Unordered(ModelApiAdapterBase):
    name: ClassVar[str] = "unordered"

    def iter_tool_calls(
        self, messages: Iterable[Mapping[str, Any]]
    ) -> Iterator[tuple[int, int, dict[str, Any]]]:
        for turn, _ in enumerate(messages):
            yield turn, 1, {"type": "click"}
            yield turn, 0, {"type": "click"}


class Untyped(ModelApiAdapterBase):
    name: ClassVar[str] = "untyped"


def test_an_adapter_that_lacks_hooks_is_told_which() -> None:
    with pytest.raises(AssertionError, match=r"lacks .*on_step.*SUPPORTED_SCHEMA_RANGE"):
        AdapterContract().test_it_has_what_every_adapter_has(Nameless())  # type: ignore[arg-type]  # the point


def test_a_name_that_suits_no_file_is_told() -> None:
    with pytest.raises(AssertionError, match="not like"):
        AdapterContract().test_its_name_suits_files_and_failure_classes(Nameless())  # type: ignore[arg-type]  # the point


def test_actions_out_of_order_are_told(write_json: Callable[..., Path]) -> None:
    log = write_json([{"role": "assistant"}])
    with pytest.raises(AssertionError, match="places must ascend"):
        ModelApiAdapterContract().test_actions_come_in_order_with_a_type(Unordered(), log)


def test_an_action_without_a_type_is_told() -> None:
    with pytest.raises(AssertionError, match="not a step_trace: action"):
        AdapterContract().test_actions_are_records(Untyped(), [{"x": 1}])


def test_samples_that_are_not_given_are_skipped() -> None:
    with pytest.raises(pytest.skip.Exception):
        AdapterContract().test_actions_are_records(Untyped(), [])
