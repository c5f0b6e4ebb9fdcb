"""Every path inside a bundle is computed here and nowhere else (contract/bundle.md).

Paths are bundle-relative, with forward slashes on every platform. Ids that come from outside
never shape a path as they are: they are hashed (step ids) or reduced to a portable file name.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

__all__ = [
    "AGENT",
    "CRASH_STATE",
    "DELIVERY",
    "EVAL_CANDIDATES",
    "FINDINGS",
    "JOURNAL",
    "MANIFEST",
    "OUTCOMES",
    "PATHS",
    "REASONING",
    "REDACTION_REPORT",
    "TRACE",
    "TRACE_SPOOL",
    "UPLOADS",
    "belongs",
    "events_path",
    "fixture_path",
    "iteration_path",
    "log_path",
    "modelio_path",
    "observation_path",
    "portable_name",
    "preference_path",
    "prior_steps_path",
    "schema_path",
    "screenshot_path",
    "side_effect_path",
    "step_of",
    "step_path",
]

MANIFEST: Final = "manifest.json"
TRACE: Final = "trace.json"
AGENT: Final = "AGENT.md"
EVAL_CANDIDATES: Final = "eval_candidates.json"
OUTCOMES: Final = "outcomes.json"
REASONING: Final = "events/reasoning.jsonl"
FINDINGS: Final = "diagnostics/findings.json"
REDACTION_REPORT: Final = "redaction_report.json"

JOURNAL: Final = "journal.jsonl"
TRACE_SPOOL: Final = "trace.spool"
DELIVERY: Final = "delivery.json"
UPLOADS: Final = "uploads.json"
CRASH_STATE: Final = frozenset({JOURNAL, TRACE_SPOOL, DELIVERY, UPLOADS})
"""Files that stand beside a bundle only while it is unfinished or undelivered."""

PATHS: Final[dict[str, str]] = {
    "steps": "steps/",
    "screenshots": "screenshots/",
    "crops": "crops/",
    "diffs": "diffs/",
    "events": "events/",
    "logs": "logs/",
    "replay": "replay/",
    "diagnostics": "diagnostics/",
    "modelio": "modelio/",
    "preferences": "preferences/",
    "side_effects": "side_effects/",
    "outcomes": OUTCOMES,
    "eval_candidates": EVAL_CANDIDATES,
    "schema": "schema/",
    "agent": AGENT,
}
"""The manifest's `paths` object."""

_ENTRIES: Final = frozenset(
    {MANIFEST, TRACE, REDACTION_REPORT} | {path.rstrip("/") for path in PATHS.values()}
)

MAX_NAME_LENGTH: Final = 120
"""Leaves room for a prefix and a suffix within the 255 bytes that file systems allow."""

_OF_A_STEP = re.compile(r"(?:logs/step-|(?!logs/)[a-z_]+/)(\d{4,})[^/]*(?:/[^/]+)?")
_UNPORTABLE = re.compile(r"[^A-Za-z0-9._-]")
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul"} | {f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10)}
)


def portable_name(raw: str) -> str:
    """Reduce an id from outside to a file name that is legal everywhere, and unique.

    A name that is already portable comes back unchanged. Anything else keeps a readable part
    and gains a digest of the original, so that two different ids never share a file.
    """
    safe = _UNPORTABLE.sub("_", raw)[:MAX_NAME_LENGTH].lstrip(".").rstrip(". ")
    stem = safe.split(".", 1)[0].lower()
    if safe == raw and safe and stem not in _RESERVED:
        return safe
    digest = hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    readable = safe.strip("_.") or "id"
    return f"_{readable}-{digest}" if stem in _RESERVED else f"{readable}-{digest}"


def belongs(path: str) -> bool:
    """Whether a file in a bundle's folder is the bundle's, and not the user's or crash state."""
    return path.partition("/")[0] in _ENTRIES


def step_of(path: str) -> int | None:
    """The index of the step that a file belongs to; None for the whole run's."""
    found = _OF_A_STEP.fullmatch(path)
    return int(found[1]) if found else None


def _padded(step_index: int) -> str:
    return f"{step_index:04d}"


def step_path(step_index: int) -> str:
    """The canonical step's file, where the step has no iterations."""
    return f"steps/{_padded(step_index)}.json"


def iteration_path(step_index: int, step_id: str) -> str:
    """One iteration's file, the canonical one included, where a step has several."""
    id8 = hashlib.sha256(step_id.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"steps/{_padded(step_index)}/{id8}.json"


def events_path(step_index: int | None) -> str:
    """The decision events of one step, or of the run where there is no step."""
    return "events/run.jsonl" if step_index is None else f"events/{_padded(step_index)}.jsonl"


def screenshot_path(step_index: int, kind: str) -> str:
    """The picture before (`pre`) or after (`post`) a step."""
    return f"screenshots/{_padded(step_index)}_{portable_name(kind)}.png"


def observation_path(step_index: int, kind: str) -> str:
    """The observation record beside a picture."""
    return f"screenshots/{_padded(step_index)}_{portable_name(kind)}.json"


def modelio_path(step_index: int | None, layer: str, sequence: int) -> str:
    """One model call; `sequence` counts the calls of one step and layer from 0."""
    owner = "run" if step_index is None else _padded(step_index)
    return f"modelio/{owner}-{portable_name(layer)}-{sequence}.json"


def side_effect_path(step_index: int, side_effect_id: str) -> str:
    """One entry of the side-effect ledger."""
    return f"side_effects/{_padded(step_index)}-{portable_name(side_effect_id)}.json"


def fixture_path(step_index: int) -> str:
    """A step's replay fixture."""
    return f"replay/{_padded(step_index)}_fixture.json"


def prior_steps_path(step_index: int) -> str:
    """The steps before a replay fixture's step."""
    return f"replay/{_padded(step_index)}.prior.json"


def preference_path(step_index: int) -> str:
    """A step's preference record."""
    return f"preferences/{_padded(step_index)}.json"


def log_path(name: str, step_index: int | None) -> str:
    """A runner log, or the log of one step."""
    stem = portable_name(name) if step_index is None else f"step-{_padded(step_index)}"
    return f"logs/{stem}.log"


def schema_path(record: str) -> str:
    """The copy of a record's JSON Schema that travels with the bundle."""
    return f"schema/{record}.schema.json"
