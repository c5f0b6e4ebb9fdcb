"""The protocol, its optional hooks, and finding adapters by name."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from typing import Any, ClassVar

import pytest

from augur_sdk import adapter as module
from augur_sdk.adapter import (
    Adapter,
    SupportsActionOverride,
    SupportsHint,
    SupportsKill,
    SupportsPause,
    SupportsResume,
    SupportsSideEffects,
    adapter_names,
    load_adapter,
)
from augur_sdk.adapters import (
    AnthropicComputerUseAdapter,
    ModelApiAdapterBase,
    OpenAIComputerUseAdapter,
)

HOOKS: dict[str, Any] = {
    "on_side_effect": SupportsSideEffects,
    "on_pause": SupportsPause,
    "on_resume": SupportsResume,
    "on_kill": SupportsKill,
    "on_inject_hint": SupportsHint,
    "on_action_override": SupportsActionOverride,
}


class Offered(ModelApiAdapterBase):
    name: ClassVar[str] = "offered"

    async def on_pause(self) -> None:
        """A hook may be a coroutine."""


def make_offered() -> Offered:
    return Offered()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Any], None]:
    """Registers objects as an installed package would."""
    points: dict[str, Any] = {}

    class Point(EntryPoint):
        def load(self) -> Any:
            return points[self.name]

    def entry_points(*, group: str, name: str | None = None) -> list[EntryPoint]:
        names = [n for n in points if name in {None, n}]
        return [Point(n, "x:y", group) for n in names]

    monkeypatch.setattr(module, "entry_points", entry_points)
    return points.__setitem__


@pytest.mark.parametrize("hook", HOOKS)
def test_each_optional_hook_is_recognized_on_its_own(hook: str) -> None:
    one = type("One", (), {hook: lambda *_: None})()
    assert [name for name, protocol in HOOKS.items() if isinstance(one, protocol)] == [hook]


def test_the_base_is_an_adapter_without_optional_hooks() -> None:
    base: Adapter = ModelApiAdapterBase()
    assert isinstance(base, Adapter)
    assert not any(isinstance(base, protocol) for protocol in HOOKS.values())


def test_a_coroutine_hook_fits_its_protocol() -> None:
    hooks: SupportsPause = Offered()
    assert isinstance(hooks, SupportsPause)


def test_this_packages_adapters_are_found_by_name() -> None:
    assert isinstance(load_adapter("openai"), OpenAIComputerUseAdapter)
    loaded = load_adapter("anthropic", other_tools=True)
    assert isinstance(loaded, AnthropicComputerUseAdapter)
    assert loaded.other_tools


@pytest.mark.parametrize("target", [Offered, make_offered, Offered()])
def test_an_installed_packages_adapter_is_found(installed: Any, target: Any) -> None:
    installed("offered", target)
    assert isinstance(load_adapter("offered"), Offered)
    assert adapter_names() == ["anthropic", "offered", "openai"]


def test_a_built_in_name_cannot_be_taken(installed: Any) -> None:
    installed("openai", Offered)
    assert isinstance(load_adapter("openai"), OpenAIComputerUseAdapter)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="anthropic or openai"):
        load_adapter("opneai")


def test_what_is_no_adapter_is_refused(installed: Any) -> None:
    installed("broken", dict)
    with pytest.raises(ValueError, match="registered as adapter broken is a dict"):
        load_adapter("broken")


def test_a_derived_adapter_may_leave_optional_hooks_out() -> None:
    derived: Any = type("Derived", (Adapter,), {"on_kill": lambda _: "killed"})()
    assert derived.on_pause() is None
    assert derived.on_inject_hint("left") is None
    assert derived.on_action_override({"x": 1}, provenance="human_override") is None
    assert derived.on_side_effect({}, 0) is None
    assert derived.on_kill() == "killed"
