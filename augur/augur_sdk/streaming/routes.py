"""Which request carries which record (contract/http.md); pure, and a table.

`lane` orders: records of one lane travel one at a time, in order, whatever happens to others.
`merge` says what may be done with several that wait in a lane: only the latest counts, or
they travel together in one body, or each travels alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal
from urllib.parse import quote

import orjson

__all__ = [
    "BARRIERS",
    "FILE_NAME",
    "MERGE",
    "PART_NAME",
    "Merge",
    "Route",
    "Wire",
    "commands_path",
    "compose",
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
    TOGETHER = "together"
    NEVER = "never"


MERGE: Final = {
    Wire.SESSION: Merge.LATEST,
    Wire.COSTS: Merge.LATEST,
    Wire.STEP: Merge.LATEST,
    Wire.SCREENSHOT: Merge.LATEST,
    Wire.EVAL_CANDIDATE: Merge.LATEST,
    Wire.TRACE: Merge.LATEST,
    Wire.MANIFEST: Merge.LATEST,
    Wire.EVENT: Merge.TOGETHER,
    Wire.LOG: Merge.TOGETHER,
    Wire.MODELIO: Merge.NEVER,
    Wire.SIDE_EFFECT: Merge.NEVER,
    Wire.REASONING: Merge.NEVER,
    Wire.OUTCOME: Merge.NEVER,
    Wire.JUDGE_DECISION: Merge.NEVER,
}

BARRIERS: Final = frozenset({Wire.TRACE, Wire.MANIFEST})
"""Sent when everything before is settled, and settled before anything after is sent: the trace
says how the run ended, the manifest that it is complete. So does the first session record, from
which a server learns that the run exists."""


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a percent-encoded path under the base URL."""

    method: Literal["POST", "PUT"]
    path: str


def lane(kind: Wire, *, step_index: int | None = None, name: str = "") -> str:
    """The lane of a record, which is also the key under which several updates are one."""
    match kind:
        case Wire.SCREENSHOT:
            return f"{kind}:{step_index}:{name}"
        case Wire.MODELIO | Wire.SIDE_EFFECT:
            return f"{kind}:{name}"
        case Wire.LOG:
            return f"{kind}:{step_index}:{name}"
        case Wire.SESSION | Wire.COSTS | Wire.TRACE | Wire.MANIFEST:
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


def _segment(raw: str) -> str:
    """One path segment, whatever the text; a dot segment would be normalized away."""
    if raw in {".", ".."}:
        return raw.replace(".", "%2E")
    return quote(raw, safe="", errors="surrogatepass")


def _modelio_name(relpath: str) -> str:
    name = relpath.removeprefix("modelio/")
    return name if name.endswith(".json") else f"{name}.json"


def compose(kind: Wire, bodies: list[bytes], *, step_index: int | None, name: str) -> bytes | None:
    """The JSON body of one request from the records that travel in it.

    Returns:
        The body, or None when there is nothing to say (costs are never sent empty).
    """
    match kind:
        case Wire.SESSION:
            return b'{"session":' + bodies[-1] + b',"steps":[]}'
        case Wire.COSTS:
            return bodies[-1] if orjson.loads(bodies[-1]) else None
        case Wire.EVENT:
            return _events(bodies, step_index)
        case Wire.LOG:
            return _log(bodies, step_index, name)
        case Wire.JUDGE_DECISION:
            return orjson.dumps({**orjson.loads(bodies[-1]), "step_index": step_index})
    return bodies[-1]


def _events(bodies: list[bytes], step_index: int | None) -> bytes:
    step = b"" if step_index is None else b',"step_index":%d' % step_index
    return b'{"events":[' + b",".join(bodies) + b"]" + step + b"}"


def _log(bodies: list[bytes], step_index: int | None, name: str) -> bytes:
    text = "".join(str(orjson.loads(body)["text"]) for body in bodies)
    chunk: dict[str, Any] = {"text": text, "name": name or "run"}
    if step_index is not None:
        chunk["step_index"] = step_index
    return orjson.dumps(chunk)
