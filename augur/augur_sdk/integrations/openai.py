"""Record the model calls of an OpenAI client: Responses and Chat Completions, sync and async.

The hook is the client's own `request`, through which every call form goes, once a call whatever
its retries. Streams are read as the program reads them; a call is recorded when it ends.
"""

from __future__ import annotations

import copy
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeVar

from augur_sdk.adapters.model_calls import response_record
from augur_sdk.integrations.guard import Guard
from augur_sdk.session import AsyncDebugSession, DebugSession

__all__ = ["record"]

Client = TypeVar("Client")

PATHS = ("/responses", "/chat/completions")
SPOKEN_ELSEWHERE = {"model", "messages", "input", "instructions", "tools"}


def record(
    client: Client,
    session: DebugSession | AsyncDebugSession,
    *,
    step: Callable[[], int | None] | None = None,
) -> Client:
    """Record each model call of `client` in `session`; results and errors stay as they are.

    Copies made with `with_options` are recorded too. Once the session is closed, calls go on
    unrecorded.

    Args:
        client: An `openai.OpenAI` or `openai.AsyncOpenAI`, or a subclass's.
        session: An open session; an `AsyncDebugSession` for an async client only.
        step: Says which step a call belongs to; without it calls belong to the run.

    Returns:
        The same client.

    Raises:
        ImportError: The package `openai` is not installed.
        TypeError: Not an OpenAI client, or a sync client with an async session.
    """
    try:
        import openai
    except ImportError as error:
        raise ImportError(
            "the openai client is missing: pip install 'augur-sdk[openai]'"
        ) from error
    if not isinstance(client, openai.OpenAI | openai.AsyncOpenAI):
        raise TypeError(f"expected an OpenAI or AsyncOpenAI client, not {type(client).__name__}")
    is_async = isinstance(client, openai.AsyncOpenAI)
    if not is_async and isinstance(session, AsyncDebugSession):
        raise TypeError("a sync client needs a DebugSession: pass one, or use AsyncOpenAI")
    _attach(client, _Calls(session, step), is_async)
    return client


def _attach(client: Any, calls: _Calls, is_async: bool) -> None:
    client.request = (calls.around_async if is_async else calls.around)(client.request)
    copied = client.copy

    def recorded_copy(*args: Any, **kwargs: Any) -> Any:
        other = copied(*args, **kwargs)
        _attach(other, calls, is_async)
        return other

    client.copy = client.with_options = recorded_copy


class _Calls:
    """The hooks around a client's `request`."""

    def __init__(self, session: Any, step: Callable[[], int | None] | None) -> None:
        self.session = session
        self.step = step
        self.guard = Guard("openai")

    def around(self, request: Callable[..., Any]) -> Callable[..., Any]:
        def recorded(cast_to: Any, options: Any, **kwargs: Any) -> Any:
            call = self.guard.call(self.begin, options)
            try:
                result = request(cast_to, options, **kwargs)
            except Exception as error:
                self.guard.call(self.end, call, error)
                raise
            if kwargs.get("stream") and hasattr(result, "_iterator"):
                result._iterator = self.read(result._iterator, call)  # noqa: SLF001  the one place that every reader of a stream goes through
            else:
                self.guard.call(self.end, call, result)
            return result

        return recorded

    def around_async(self, request: Callable[..., Any]) -> Callable[..., Any]:
        async def recorded(cast_to: Any, options: Any, **kwargs: Any) -> Any:
            call = self.guard.call(self.begin, options)
            try:
                result = await request(cast_to, options, **kwargs)
            except Exception as error:
                await self.guard.await_call(self.end, call, error)
                raise
            if kwargs.get("stream") and hasattr(result, "_iterator"):
                result._iterator = self.read_async(result._iterator, call)  # noqa: SLF001  as above
            else:
                await self.guard.await_call(self.end, call, result)
            return result

        return recorded

    def read(self, chunks: Iterator[Any], call: dict[str, Any] | None) -> Iterator[Any]:
        seen = _Streamed()
        try:
            for chunk in chunks:
                self.guard.call(seen.take, chunk)
                yield chunk
        except Exception as error:
            self.guard.call(self.end, call, error)
            raise
        self.guard.call(self.end, call, seen)

    async def read_async(
        self, chunks: AsyncIterator[Any], call: dict[str, Any] | None
    ) -> AsyncIterator[Any]:
        seen = _Streamed()
        try:
            async for chunk in chunks:
                self.guard.call(seen.take, chunk)
                yield chunk
        except Exception as error:
            await self.guard.await_call(self.end, call, error)
            raise
        await self.guard.await_call(self.end, call, seen)

    def begin(self, options: Any) -> dict[str, Any] | None:
        """What was asked, as it is now; None for calls that are no model calls."""
        body = options.json_data
        if not str(options.url).endswith(PATHS) or not isinstance(body, dict):
            return None
        asked = _asked(copy.deepcopy(body))
        return {"request": asked, "at": time.monotonic(), "step": self.step and self.step()}

    def end(self, call: dict[str, Any] | None, result: Any) -> Any:
        """Record the call; the async session's answer is to be awaited."""
        if call is None:
            return None
        took = round((time.monotonic() - call["at"]) * 1000)
        said = {
            "layer": "model",
            "request": call["request"],
            "response": _answered(result),
            "duration_ms": took,
        }
        return self.session.record_modelio(said, step_index=call["step"])


class _Streamed:
    """A response put together from a stream's chunks."""

    def __init__(self) -> None:
        self.final: Any = None
        self.text = ""
        self.stop: str | None = None
        self.usage: Any = None

    def take(self, chunk: Any) -> None:
        self.final = getattr(chunk, "response", None) or self.final
        self.usage = getattr(chunk, "usage", None) or self.usage
        for choice in getattr(chunk, "choices", None) or ():
            if choice.index == 0:
                self.text += choice.delta.content or ""
                self.stop = choice.finish_reason or self.stop


def _asked(body: dict[str, Any]) -> dict[str, Any]:
    said = body.get("messages", body.get("input"))
    messages = [{"role": "user", "content": said}] if isinstance(said, str) else said or []
    asked: dict[str, Any] = {
        "model": str(body.get("model", "")),
        "messages": [_message(item) for item in messages],
        "params": {name: body[name] for name in body.keys() - SPOKEN_ELSEWHERE},
    }
    if body.get("instructions"):
        asked["system"] = body["instructions"]
    if body.get("tools"):
        asked["tools"] = list(body["tools"])
    return asked


def _message(item: dict[str, Any]) -> dict[str, Any]:
    if "role" in item:
        return item
    return {"role": "tool" if str(item.get("type")).endswith("_output") else "assistant", **item}


def _answered(result: Any) -> dict[str, Any]:
    if isinstance(result, Exception):
        return {"stop_reason": f"error: {type(result).__name__}"}
    if isinstance(result, _Streamed):
        if result.final is not None:
            return _answered(result.final)
        said = {"content": result.text, "finish_reason": result.stop}
        return response_record({**said, "usage": _dump(result.usage)})
    body = _dump(result)
    for choice in body.get("choices") or ():
        said = {**(choice.get("message") or {}), "finish_reason": choice.get("finish_reason")}
        return response_record({**said, "usage": body.get("usage")})
    return response_record(body)


def _dump(value: Any) -> dict[str, Any]:
    dump = getattr(value, "model_dump", None)
    return dump(mode="json", warnings=False) if dump else {}
