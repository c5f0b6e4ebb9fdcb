"""Steps as blocks: `with session.step(...)`, `async with session.step(...)`."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Generator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar

from augur_sdk.recording.recorder import Recorder
from augur_sdk.session.methods import AsyncMethod, declared_as
from augur_sdk.session.step_draft import StepDraft

if TYPE_CHECKING:
    from augur_sdk.session.aio import AsyncDebugSession
    from augur_sdk.session.blocking import DebugSession

__all__ = ["AsyncStepBuilder", "StepBuilder"]

P = ParamSpec("P")
T = TypeVar("T")


class Recorded(Awaitable[T]):
    """What a verb gave, once it has taken effect; may be awaited, any number of times."""

    def __init__(self, session: AsyncDebugSession, result: T) -> None:
        self._session = session
        self._result = result

    def __await__(self) -> Generator[Any, Any, T]:
        yield from self._caught_up().__await__()
        return self._result

    async def _caught_up(self) -> None:
        await self._session._room()  # noqa: SLF001 - the session's own part
        await self._session._pace()  # noqa: SLF001 - the same


def _awaitable(
    verb: Callable[Concatenate[StepDraft, P], None],
) -> Callable[[Callable[..., Any]], AsyncMethod[AsyncStepBuilder, P, None]]:
    """Declare a name as the form of a draft's verb that may be awaited."""

    @functools.wraps(verb)
    def method(self: AsyncStepBuilder, /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[None]:
        verb(self._draft, *args, **kwargs)
        return Recorded(self._session, None)

    return declared_as(method)


class StepBuilder(StepDraft):
    """A step of a `DebugSession`, as a `with` block."""

    def __init__(self, session: DebugSession, step_type: str, fields: Mapping[str, Any]) -> None:
        super().__init__(step_type, fields)
        self._session = session

    def pre(self, png_bytes: bytes, **facts: Any) -> str:
        """Attach the screenshot taken before the action; see `attach_observation`."""
        path = self._session.attach_observation(
            step_index=self.index, kind="pre", png_bytes=png_bytes, **facts
        )
        self.record["observation_pre"] = path
        return path

    def post(self, png_bytes: bytes, **facts: Any) -> str:
        """Attach the screenshot taken after the action; see `attach_observation`."""
        path = self._session.attach_observation(
            step_index=self.index, kind="post", png_bytes=png_bytes, **facts
        )
        self.record["observation_post"] = path
        return path

    def event(self, layer: str, kind: str, summary: str, **detail: Any) -> None:
        """Record a decision event of this step.

        Args:
            layer: Who decided: `planner`, `grounding`, `verifier`, ... (contract/records.md).
            kind: `decision`, `observation`, `error`, `info` or `metric`.
            summary: One line.
            **detail: Whatever else there is to know.
        """
        self._session.record_event(self._event(layer, kind, summary, detail))

    def __enter__(self) -> Self:
        opening = self._opened(self._session._record(Recorder.reserve_step, waits=False))  # noqa: SLF001 - the session's own part
        self._session.record_step(opening)  # type: ignore[arg-type]  # a step_trace by construction
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._session.record_step(self._ended(exc))  # type: ignore[arg-type]  # the same


class AsyncStepBuilder:
    """A step of an `AsyncDebugSession`, as an `async with` block.

    Each verb has taken effect when it returns. Awaiting what it returns gives its result, and
    waits for room where records come faster than the disk takes them; none needs to be awaited.

    Attributes:
        index: The step's index in the run, reserved when the block is entered.
        id: Its `step_id`, made from the index unless given.
        record: The step_trace record as it stands; may be edited.
    """

    def __init__(
        self, session: AsyncDebugSession, step_type: str, fields: Mapping[str, Any]
    ) -> None:
        self._session = session
        self._draft = StepDraft(step_type, fields)

    @property
    def index(self) -> int:
        """The step's index in the run; -1 before the block is entered."""
        return self._draft.index

    @property
    def id(self) -> str:
        """Its `step_id`; empty before the block is entered."""
        return self._draft.id

    @property
    def record(self) -> dict[str, Any]:
        """The step_trace record as it stands; may be edited."""
        return self._draft.record

    @_awaitable(StepDraft.action)
    def action(self) -> None: ...  # noqa: D102 - its docstring is the draft's

    @_awaitable(StepDraft.grounding)
    def grounding(self) -> None: ...  # noqa: D102 - its docstring is the draft's

    @_awaitable(StepDraft.verdict)
    def verdict(self) -> None: ...  # noqa: D102 - its docstring is the draft's

    @_awaitable(StepDraft.recovery)
    def recovery(self) -> None: ...  # noqa: D102 - its docstring is the draft's

    @_awaitable(StepDraft.failed)
    def failed(self) -> None: ...  # noqa: D102 - its docstring is the draft's

    @_awaitable(StepDraft.costs)
    def costs(self) -> None: ...  # noqa: D102 - its docstring is the draft's

    @_awaitable(StepDraft.status)
    def status(self) -> None: ...  # noqa: D102 - its docstring is the draft's

    def pre(self, png_bytes: bytes, **facts: Any) -> Awaitable[str]:
        """Attach the screenshot taken before the action; see `attach_observation`."""
        return self._picture("pre", png_bytes, facts)

    def post(self, png_bytes: bytes, **facts: Any) -> Awaitable[str]:
        """Attach the screenshot taken after the action; see `attach_observation`."""
        return self._picture("post", png_bytes, facts)

    def event(self, layer: str, kind: str, summary: str, **detail: Any) -> Awaitable[None]:
        """Record a decision event of this step.

        Args:
            layer: Who decided: `planner`, `grounding`, `verifier`, ... (contract/records.md).
            kind: `decision`, `observation`, `error`, `info` or `metric`.
            summary: One line.
            **detail: Whatever else there is to know.
        """
        event = self._draft._event(layer, kind, summary, detail)  # noqa: SLF001 - a part of this
        return Recorded(self._session, self._now(Recorder.record_event, event))

    def _picture(self, kind: str, png_bytes: bytes, facts: Mapping[str, Any]) -> Awaitable[str]:
        given: dict[str, Any] = {"kind": kind, "png_bytes": png_bytes, **facts}
        path = self._now(Recorder.attach_observation, step_index=self.index, **given)
        self.record[f"observation_{kind}"] = path
        return Recorded(self._session, path)

    def _now(self, operation: Callable[Concatenate[Any, P], T], *a: P.args, **k: P.kwargs) -> T:
        # No verb of an open step meets one that left memory, so nothing here reads the disk.
        return self._session._core.attempt(operation, *a, **k)  # noqa: SLF001 - the session's own part

    async def __aenter__(self) -> Self:
        index = await self._session._record(Recorder.reserve_step, waits=False)  # noqa: SLF001 - the session's own part
        await self._session.record_step(self._draft._opened(index))  # type: ignore[arg-type]  # noqa: SLF001 - a step_trace by construction
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        import anyio  # the session that this is a step of has it

        with anyio.CancelScope(shield=True):
            await self._session.record_step(self._draft._ended(exc))  # type: ignore[arg-type]  # noqa: SLF001 - the same
