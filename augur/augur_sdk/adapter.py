"""The contract between a runtime and the SDK: what an adapter provides, and how one is found.

An adapter translates a runtime's own objects into records. `Adapter` is what every one has; the
`Supports...` protocols are hooks that one may have besides, each on its own: an adapter simply
defines the method (contract/behaviour.md, Adapters). Hooks of an intervention may be coroutines.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, ClassVar, Final, Protocol, runtime_checkable

from augur_sdk.errors import RecordError
from augur_sdk.models import DecisionEvent, Observation, StepTrace

__all__ = [
    "ADAPTER_GROUP",
    "Adapter",
    "SupportsActionOverride",
    "SupportsHint",
    "SupportsKill",
    "SupportsPause",
    "SupportsResume",
    "SupportsSideEffects",
    "adapter_names",
    "load_adapter",
]

ADAPTER_GROUP: Final = "augur.adapters"
"""The entry point group in which packages offer adapters."""

_BUILT_IN: Final = {
    "anthropic": ("augur_sdk.adapters.anthropic_computer_use", "AnthropicComputerUseAdapter"),
    "openai": ("augur_sdk.adapters.openai_computer_use", "OpenAIComputerUseAdapter"),
}


_OPTIONAL: Final = (
    "on_side_effect",
    "on_pause",
    "on_resume",
    "on_kill",
    "on_inject_hint",
    "on_action_override",
)


def _nothing(_self: Any, *_args: Any, **_kwargs: Any) -> None:
    """What a hook does that an adapter leaves out."""


@runtime_checkable
class Adapter(Protocol):
    """Translates a runtime's own objects into records (contract/api-reference.txt).

    A class that derives from it may call any hook of the `Supports...` protocols on itself: one
    that it does not define does nothing.
    """

    name: ClassVar[str]
    """Names the producer in every bundle: lower case, no spaces."""
    SUPPORTED_SCHEMA_RANGE: ClassVar[tuple[str, str]]
    """The lowest and the highest schema version that it writes."""

    def on_run_start(self, *, run_id: str, client_version: str) -> dict[str, str] | None:
        """A run begins; the tags for its session, if any."""
        ...

    def on_step(self, raw_step: Any) -> StepTrace | None:
        """A step as a record; None for something that is no step of its own."""
        ...

    def on_action(self, raw_action: Any, step_index: int) -> dict[str, Any]:
        """An action as a record: `type`, `params`, `coordinate_space`."""
        ...

    def on_decision(self, raw_event: Any, step_index: int | None) -> DecisionEvent:
        """A decision as an event; of the run where there is no step."""
        ...

    def on_observation(self, raw_obs: Any, step_index: int) -> Observation:
        """What the agent saw, as a record."""
        ...

    def on_run_end(self, *, status: str) -> None:
        """The run is over."""
        ...

    def __init_subclass__(cls) -> None:
        """Give a class that derives from this one the hooks that it leaves out, doing nothing."""
        super().__init_subclass__()
        for name in _OPTIONAL:
            if not hasattr(cls, name):
                setattr(cls, name, _nothing)


@runtime_checkable
class SupportsSideEffects(Protocol):
    """An adapter that knows which actions change the world outside."""

    def on_side_effect(self, raw_action: Any, step_index: int) -> Mapping[str, Any] | None:
        """Arguments for `declare_side_effect` (`resource`, `action`, ...); None for no effect."""
        ...


@runtime_checkable
class SupportsPause(Protocol):
    """An adapter whose runtime can be paused."""

    def on_pause(self) -> Awaitable[None] | None:
        """Stop acting until resumed."""
        ...


@runtime_checkable
class SupportsResume(Protocol):
    """An adapter whose runtime can go on after a pause."""

    def on_resume(self) -> Awaitable[None] | None:
        """Go on acting."""
        ...


@runtime_checkable
class SupportsKill(Protocol):
    """An adapter whose runtime can be ended."""

    def on_kill(self) -> Awaitable[None] | None:
        """End the run. Side effects that were not committed are aborted already."""
        ...


@runtime_checkable
class SupportsHint(Protocol):
    """An adapter whose runtime takes advice from the operator."""

    def on_inject_hint(self, text: str) -> Awaitable[None] | None:
        """Show the model a text from the operator."""
        ...


@runtime_checkable
class SupportsActionOverride(Protocol):
    """An adapter whose runtime lets the operator aim."""

    def on_action_override(self, coords: Any, provenance: str) -> Awaitable[None] | None:
        """Act at the operator's coordinates; `provenance` is always `human_override`."""
        ...


def adapter_names() -> list[str]:
    """The names that `load_adapter` knows: this package's, and those of installed packages."""
    return sorted({*_BUILT_IN, *(point.name for point in entry_points(group=ADAPTER_GROUP))})


def load_adapter(name: str, **options: Any) -> Adapter:
    """Make the adapter of a name.

    Args:
        name: One of `adapter_names()`. This package's own names cannot be taken by another.
        options: Arguments for the adapter's constructor.

    Raises:
        ValueError: No installed package offers that adapter, or what it offers is none.
    """
    target = _target(name)
    made = target(**options) if callable(target) else target
    if isinstance(made, Adapter):
        return made
    raise RecordError(
        f"what is registered as adapter {name} is a {type(made).__name__}",
        expected="an adapter, or a class or function that makes one",
        fix="augur_sdk.testing.adapter_contract tells what is missing.",
    )


def _target(name: str) -> Any:
    if name in _BUILT_IN:
        module, attribute = _BUILT_IN[name]
        return getattr(import_module(module), attribute)
    point = next(iter(_points(name)), None)
    if point is not None:
        return point.load()
    raise RecordError(
        "there is no adapter of that name",
        expected=" or ".join(adapter_names()),
        fix=f"Packages offer adapters under the entry point group {ADAPTER_GROUP}.",
    )


def _points(name: str) -> list[EntryPoint]:
    return list(entry_points(group=ADAPTER_GROUP, name=name))
