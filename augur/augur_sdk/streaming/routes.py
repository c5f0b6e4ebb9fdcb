"""Which request carries which record (contract/http.md); pure, and a table.

`lane` orders: records of one lane travel one at a time, in order, whatever happens to others.
Records that share a URL share a lane. `MERGE` says what may be done with several of one identity
that wait in a lane: only the latest counts, or each travels. None share a body: a request is
repeated under the key of its one record, whoever repeats it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal
from urllib.parse import quote

import orjson

__all__ = [
    "ADDS_UP",
    "BARRIERS",
    "FILE_NAME",
    "MERGE",
    "PART_NAME",
    "Merge",
    "Route",
    "Wire",
    "commands_path",
    "compose",
    "envelope_path",
    "file_path",
    "inventory_path",
    "lane",
    "route",
]

PART_NAME: Final = "image"
FILE_NAME: Final = "shot.png"


class Wire(StrEnum):
    """The kinds of record that travel. The names are those of `entry.Kind` where both exist."""

    SESSION = "session"
    COSTS = "costs"
    STEP = "step"
    EVENT = "event"
    SCREENSHOT = "screenshot"
    MODELIO = "modelio"
    LOG = "log"
    SIDE_EFFECT = "side_effect"
    REASONING = "reasoning"
    OUTCOME = "outcome"
    EVAL_CANDIDATE = "eval_candidate"
    JUDGE_DECISION = "judge_decision"
    TRACE = "trace"
    MANIFEST = "manifest"


class Merge(StrEnum):
    """What may be done with several records that wait in one lane."""

    LATEST = "latest"
    NEVER = "never"


MERGE: Final = {
    Wire.SESSION: Merge.LATEST,
    Wire.COSTS: Merge.LATEST,
    Wire.STEP: Merge.LATEST,
    Wire.SCREENSHOT: Merge.LATEST,
    Wire.EVAL_CANDIDATE: Merge.LATEST,
    Wire.TRACE: Merge.LATEST,
    Wire.MANIFEST: Merge.LATEST,
    Wire.EVENT: Merge.NEVER,
    Wire.LOG: Merge.NEVER,
    Wire.MODELIO: Merge.NEVER,
    Wire.SIDE_EFFECT: Merge.NEVER,
    Wire.REASONING: Merge.NEVER,
    Wire.OUTCOME: Merge.NEVER,
    Wire.JUDGE_DECISION: Merge.NEVER,
}

BARRIERS: Final = frozenset({Wire.MANIFEST})
"""Sent when everything before is settled, and settled before anything after is sent: it says that
the run is complete. So does the first session record, from which a server learns that the run
exists."""

ADDS_UP: Final = frozenset(
    {
        Wire.EVENT,
        Wire.LOG,
        Wire.MODELIO,
        Wire.SIDE_EFFECT,
        Wire.REASONING,
        Wire.OUTCOME,
        Wire.EVAL_CANDIDATE,
        Wire.JUDGE_DECISION,
    }
)
"""What carries a key, so that a server can tell a repeat. What replaces is repeated as it is: a
canonical step goes once more behind an iteration, and is to take effect again."""


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a percent-encoded path under the base URL."""

    method: Literal["POST", "PUT"]
    path: str


def lane(kind: Wire, *, step_index: int | None = None, name: str = "") -> str:
    """The lane of a record: what must not overtake each other."""
    match kind:
        case Wire.SCREENSHOT:
            return f"{kind}:{step_index}:{name}"
        case Wire.MODELIO | Wire.SIDE_EFFECT:
            return f"{kind}:{name}"
        case Wire.LOG:
            return f"{kind}:{step_index}:{name}"
        case Wire.SESSION | Wire.TRACE:
            return str(Wire.TRACE)
        case Wire.COSTS | Wire.MANIFEST:
            return str(kind)
    return f"{kind}:{step_index}"


def route(kind: Wire, run_id: str, *, step_index: int | None = None, name: str = "") -> Route:
    """The request that carries a record.

    Args:
        kind: What it is.
        run_id: Any text; it is one path segment.
        step_index: The step it belongs to.
        name: A screenshot's kind, or a model call's bundle-relative path.
    """
    run = f"/runs/{_segment(run_id)}"
    match kind:
        case Wire.SESSION | Wire.TRACE:
            return Route("PUT", f"{run}/trace")
        case Wire.COSTS:
            return Route("PUT", f"{run}/costs")
        case Wire.STEP:
            return Route("PUT", f"{run}/steps/{step_index}")
        case Wire.SCREENSHOT:
            return Route("POST", f"{run}/screenshots/{step_index}/{_segment(name)}")
        case Wire.MODELIO:
            return Route("POST", f"{run}/modelio/{_segment(_modelio_name(name))}")
        case Wire.JUDGE_DECISION:
            return Route("POST", f"{run}/steps/{step_index}/judge-decisions")
        case Wire.MANIFEST:
            return Route("POST", "/runs")
        case Wire.REASONING:
            return Route("POST", f"{run}/reasoning")
    plural = f"{kind.value.replace('_', '-')}s"
    return Route("POST", f"{run}/{plural}")


def commands_path(run_id: str) -> str:
    """Where an operator's commands for a run are polled."""
    return f"/runs/{_segment(run_id)}/commands"


def envelope_path(run_id: str) -> str:
    """Where many records of a run go at once."""
    return f"/runs/{_segment(run_id)}/envelope"


def file_path(run_id: str, path: str) -> str:
    """Where a file of the bundle goes that no record carries."""
    return f"/runs/{_segment(run_id)}/files/{quote(path, errors='surrogatepass')}"


def inventory_path(run_id: str) -> str:
    """Where a server says what it has of a run."""
    return f"/runs/{_segment(run_id)}/inventory"


def _segment(raw: str) -> str:
    """One path segment, whatever the text; a dot segment would be normalized away."""
    if raw in {".", ".."}:
        return raw.replace(".", "%2E")
    return quote(raw, safe="", errors="surrogatepass")


def _modelio_name(relpath: str) -> str:
    name = relpath.removeprefix("modelio/")
    return name if name.endswith(".json") else f"{name}.json"


def compose(kind: Wire, body: bytes, *, step_index: int | None, name: str) -> bytes | None:
    """The JSON body of the request that carries a record.

    Returns:
        The body, or None when there is nothing to say (costs are never sent empty).
    """
    match kind:
        case Wire.SESSION:
            return b'{"session":' + body + b',"steps":[]}'
        case Wire.COSTS:
            return body if orjson.loads(body) else None
        case Wire.EVENT:
            return _event(body, step_index)
        case Wire.LOG:
            return _log(body, step_index, name)
        case Wire.JUDGE_DECISION:
            return orjson.dumps({**orjson.loads(body), "step_index": step_index})
    return body


def _event(body: bytes, step_index: int | None) -> bytes:
    step = b"" if step_index is None else b',"step_index":%d' % step_index
    return b'{"events":[' + body + b"]" + step + b"}"


def _log(body: bytes, step_index: int | None, name: str) -> bytes:
    chunk: dict[str, Any] = {"text": str(orjson.loads(body)["text"]), "name": name or "run"}
    if step_index is not None:
        chunk["step_index"] = step_index
    return orjson.dumps(chunk)
