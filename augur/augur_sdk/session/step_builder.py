"""Steps as blocks: `with session.step(...)`, `async with session.step(...)`."""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from augur_sdk.models import CoordinateSpace, Provenance, StepStatus
from augur_sdk.recording.recorder import Recorder
from augur_sdk.times import utc_now

if TYPE_CHECKING:
    from augur_sdk.session.aio import AsyncDebugSession
    from augur_sdk.session.blocking import DebugSession

__all__ = ["AsyncStepBuilder", "StepBuilder"]

P = ParamSpec("P")
T = TypeVar("T")

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class StepDraft:
    """A step while it happens: what both kinds of block keep, without any recording.

    Attributes:
        index: The step's index in the run, reserved when the block is entered.
        id: Its `step_id`, made from the index unless given.
        record: The step_trace record as it stands; may be edited.
    """

    def __init__(self, step_type: str, fields: Mapping[str, Any]) -> None:
        self.index: int = -1
        self.id: str = ""
        self.record: dict[str, Any] = {"step_type": step_type, **fields}
        self._began = 0.0

    def action(
        self,
        type: str | None = None,  # noqa: A002 - the record's own word
        *,
        params: Mapping[str, Any] | None = None,
        coordinate_space: CoordinateSpace | None = None,
        dispatch_backend: str | None = None,
    ) -> None:
        """Say what was done.

        Args:
            type: The action's type; the step's type unless given.
            params: Its parameters, such as x and y.
            coordinate_space: The space in which x and y are meant.
            dispatch_backend: What carried it out.
        """
        given = {
            "params": dict(params) if params is not None else None,
            "coordinate_space": coordinate_space,
            "dispatch_backend": dispatch_backend,
        }
        self.record["action"] = {"type": type or self.record["step_type"], **_present(given)}

    def grounding(
        self,
        *,
        provider: str,
        provenance: Provenance = "screenshot",
        x: float | None = None,
        y: float | None = None,
        target_label: str | None = None,
        confidence: float | None = None,
        evidence: str | None = None,
    ) -> None:
        """Say where the target was found, and by what.

        Args:
            provider: The grounder.
            provenance: What it looked at.
            x: The target, in the action's coordinate space.
            y: The target, in the action's coordinate space.
            target_label: What the target is called.
            confidence: 0..1.
            evidence: A path in the bundle, or a sentence.
        """
        given = {
            "target_label": target_label,
            "confidence": confidence,
            "evidence": evidence,
            "coordinates": {"x": x, "y": y} if x is not None and y is not None else None,
        }
        self.record["grounding"] = {
            "provider": provider,
            "provenance": provenance,
            **_present(given),
        }

    def verdict(self, /, status: str, *, reason: str | None = None, **fields: Any) -> None:
        """Say how it went.

        Args:
            status: `passed`, `failed`, `recoverable`, `skipped` or `unknown`.
            reason: Why.
            **fields: Further fields of the verdict: score, comparator, evidence_refs, ...
        """
        self.record["verdict"] = {"status": status, **_present({"reason": reason, **fields})}

    def recovery(
        self,
        type: str,  # noqa: A002 - the record's own word
        *,
        reason: str | None = None,
        attempt: int | None = None,
    ) -> None:
        """Say what was decided after a failure.

        Args:
            type: `retry`, `alternate_grounding`, `skip`, `halt`, `replan`, `human_handoff` or
                `none`.
            reason: Why.
            attempt: Which attempt this is, from 1.
        """
        given = {"reason": reason, "attempt": attempt}
        self.record["recovery_decision"] = {"type": type, **_present(given)}

    def failed(self, failure_class: str, reason: str | None = None) -> None:
        """Say that the step failed, without raising.

        Args:
            failure_class: From the open vocabulary of contract/records.md.
            reason: Why.
        """
        self.record["failure_class"] = failure_class
        self.record["status"] = "failed"
        if "verdict" not in self.record:
            self.verdict("failed", reason=reason)

    def costs(
        self,
        *,
        total_usd: float | None = None,
        model_usd: float | None = None,
        tokens_in: int | None = None,
        tokens_out: int | None = None,
        cache_hit_tokens: int | None = None,
    ) -> None:
        """Say what the step cost; calls merge, as `set_step_costs` does for a recorded step.

        Args:
            total_usd: All of it, in US dollars.
            model_usd: What model calls cost of it.
            tokens_in: Tokens read.
            tokens_out: Tokens written.
            cache_hit_tokens: How many of the tokens read came from a cache.
        """
        given = {
            "total_usd": total_usd,
            "model_usd": model_usd,
            "tokens_in": tokens_in,
            "tokens_out": tokens_out,
            "cache_hit_tokens": cache_hit_tokens,
        }
        self.record["costs"] = {**self.record.get("costs", {}), **_present(given)}

    def status(self, status: StepStatus) -> None:
        """Set the step's status, `recovered` for example; otherwise it follows the verdict."""
        self.record["status"] = status

    def _opened(self, index: int) -> dict[str, Any]:
        self._began = time.monotonic()
        self.index = index
        self.id = str(self.record.get("step_id") or f"step-{index:04d}")
        self.record = {
            "step_id": self.id,
            "step_index": index,
            "started_at": utc_now(),
            **self.record,
        }
        return {**self.record, "status": "running"}

    def _ended(self, error: BaseException | None) -> dict[str, Any]:
        elapsed = int((time.monotonic() - self._began) * 1000)
        self.record.setdefault("ended_at", utc_now())
        self.record.setdefault("duration_ms", elapsed)
        if error is not None:
            self._raised(error)
        self.record.setdefault("status", self._outcome())
        return self.record

    def _raised(self, error: BaseException) -> None:
        name = _WORD_START.sub("_", type(error).__name__).lower()
        self.record.setdefault("failure_class", name)
        self.record["status"] = "failed"
        if "verdict" not in self.record:
            self.verdict("failed", reason=f"{type(error).__name__}: {error}")

    def _outcome(self) -> str:
        verdict = self.record.get("verdict", {}).get("status")
        return {"failed": "failed", "skipped": "skipped"}.get(verdict, "succeeded")

    def _event(self, layer: str, kind: str, summary: str, detail: dict[str, Any]) -> Any:
        event = {
            "ts": utc_now(),
            "step_index": self.index,
            "layer": layer,
            "kind": kind,
            "summary": summary,
        }
        return {**event, "detail": detail} if detail else event


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


class AwaitableVerb(Generic[P]):
    """How type checkers see a draft's verb on the async builder."""

    if TYPE_CHECKING:

        @overload
        def __get__(
            self, step: None, owner: type
        ) -> Callable[Concatenate[AsyncStepBuilder, P], Awaitable[None]]: ...

        @overload
        def __get__(self, step: AsyncStepBuilder, owner: type) -> Callable[P, Awaitable[None]]: ...

        def __get__(self, step: Any, owner: type) -> Any: ...


def _awaitable(
    verb: Callable[Concatenate[StepDraft, P], None],
) -> Callable[[Callable[..., Any]], AwaitableVerb[P]]:
    """Declare a name as the form of a draft's verb that may be awaited."""

    @functools.wraps(verb)
    def method(self: AsyncStepBuilder, /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[None]:
        verb(self._draft, *args, **kwargs)
        return Recorded(self._session, None)

    def replace(_: Callable[..., Any]) -> Any:
        return method

    return replace


def _present(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


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
