"""What the Recorder remembers of model calls: where each prompt was recorded, and the counters."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

from augur_sdk.bundle import layout

__all__ = ["KnownCall", "ModelCalls", "stamps_of"]


class KnownCall(NamedTuple):
    """A model call that was recorded before."""

    path: str
    response: bytes
    """A digest of the response; empty when an earlier process recorded it."""


class ModelCalls:
    """Numbers the calls of each step and layer, and finds a call by its prompt hash.

    Keeps digests and paths only, some two hundred bytes a call.

    Args:
        clean: Redacts a layer from outside before it becomes part of a path.
    """

    def __init__(self, clean: Callable[[str], str]) -> None:
        self._clean = clean
        self._layers: dict[str, str] = {}
        self._next: dict[int, int] = {}
        self._known: dict[bytes, KnownCall] = {}
        self.repeats: int = 0
        self._stamps: dict[int, dict[str, str]] = {}

    def path(self, step_index: int | None, layer: str) -> str:
        """The path of the next call; taken once `took` is called."""
        name = self._layers.get(layer)
        if name is None:
            name = self._layers[layer] = self._clean(layer)
        first = layout.modelio_path(step_index, name, 0)
        return f"{_stem(first)}{self._next.get(_key(first), 0)}.json"

    def took(self, path: str) -> None:
        """Take note that a path is in use."""
        number = int(path.removesuffix(".json").rpartition("-")[2])
        self._next[_key(path)] = max(number + 1, self._next.get(_key(path), 0))

    def known(self, prompt_hash: str) -> KnownCall | None:
        """The call recorded under a prompt hash."""
        return self._known.get(_digest(prompt_hash.encode("utf-8", "surrogatepass")))

    def remember(self, prompt_hash: str, path: str, response: bytes = b"") -> None:
        """Remember where a prompt's call is; `response` is what the model answered, if known."""
        digest = _digest(response)[:8] if response else b""
        key = _digest(prompt_hash.encode("utf-8", "surrogatepass"))
        self._known[key] = KnownCall(path, digest)

    def is_other_response(self, known: KnownCall, response: bytes) -> bool:
        """Whether a repeated call brought another response than the one that was recorded."""
        return bool(known.response) and known.response != _digest(response)[:8]

    def stamp_later(self, step_index: int, versions: dict[str, str]) -> None:
        """Keep what a call says of its step until the step is recorded; the first call counts."""
        self._stamps[step_index] = {**versions, **self._stamps.get(step_index, {})}

    def stamps(self, step_index: int) -> dict[str, str]:
        """What earlier calls said of a step."""
        return self._stamps.get(step_index, {})

    def stamped(self, step_index: int) -> None:
        """The step is recorded, stamps and all."""
        self._stamps.pop(step_index, None)


def stamps_of(record: dict[str, Any]) -> dict[str, str]:
    """The versions that a model call says its step was made with."""
    request = record.get("request")
    found = {
        "model": request.get("model") if isinstance(request, dict) else None,
        "prompt_hash": record.get("prompt_hash"),
    }
    return {name: value for name, value in found.items() if isinstance(value, str) and value}


def _stem(path: str) -> str:
    return path.removesuffix(".json").rpartition("-")[0] + "-"


def _key(path: str) -> int:
    # Case is ignored, because some file systems do.
    return hash(_stem(path).casefold())


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()
