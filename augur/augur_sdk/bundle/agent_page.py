"""AGENT.md: what a coding agent, or a person, reads first (contract/bundle.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from augur_sdk.bundle import layout

__all__ = ["agent_page"]

_LAYOUT = """\
| path | holds |
|---|---|
| `manifest.json` | the envelope: client, capture mode, costs, a sha256 for every file |
| `trace.json` | the session and every step, in order |
| `steps/0003.json` | one step; with iterations, `steps/0003/<id8>.json`, one file each |
| `events/0003.jsonl` | the decision events of step 3; `events/run.jsonl` those of the run |
| `events/reasoning.jsonl` | what the model said it was thinking |
| `screenshots/0003_pre.png` | the screen before step 3; `0003_post.png` after it |
| `modelio/0003-planner-0.json` | one model call, input and output |
| `side_effects/0003-<id>.json` | one effect on the outside world |
| `outcomes.json`, `eval_candidates.json` | verdicts and their cost; steps worth a test |
| `replay/`, `preferences/`, `diagnostics/` | fixtures, preferences, findings |
| `logs/` | runner logs |
| `schema/` | the JSON Schema of every record here |
"""


def agent_page(session: Mapping[str, Any], step_count: int, failures: Mapping[int, str]) -> bytes:
    """Render the page.

    Args:
        session: The session record, redacted.
        step_count: Canonical steps in the run.
        failures: Failure class by step index, of the steps that failed.
    """
    client = session.get("client") or {}
    name = " ".join(str(client[k]) for k in ("name", "version", "git_sha") if client.get(k))
    lines = [
        f"# Run {_inline(session.get('run_id', ''))}",
        "",
        f"- client: {_inline(name)}",
        f"- capture mode: {session.get('capture_mode', '')}",
        f"- status: {session.get('status', '')}",
        f"- started: {session.get('started_at', '')}",
        f"- ended: {session.get('ended_at') or 'unknown'}",
        f"- steps: {step_count}",
        f"- first failed step: {_first_failure(failures)}",
        f"- failure classes: {_counted(failures)}",
        "",
        "## What is where",
        "",
        _LAYOUT,
        "## Read first",
        "",
        *_reading_order(failures),
        "",
        "## How to cite evidence",
        "",
        "`<rule_id> @ <path>`, for example `cua.no_state_change @ screenshots/0003_post.png`;",
        "every path is relative to this folder.",
        "",
    ]
    return "\n".join(lines).encode("utf-8", "backslashreplace")


def _inline(value: object) -> str:
    """One line of Markdown that an id from outside cannot break out of."""
    return "`" + " ".join(str(value).replace("`", "'").split()) + "`"


def _first_failure(failures: Mapping[int, str]) -> str:
    if not failures:
        return "none"
    index = min(failures)
    return f"{index} ({_inline(failures[index])}), see `{layout.step_path(index)}`"


def _counted(failures: Mapping[int, str]) -> str:
    if not failures:
        return "none"
    counts = sorted(Counter(failures.values()).items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{_inline(name)} {count}" for name, count in counts)


def _reading_order(failures: Mapping[int, str]) -> list[str]:
    if not failures:
        return [
            "1. `trace.json`: the steps in order, with intents and verdicts.",
            "2. `screenshots/`: the last post picture shows how the run ended.",
        ]
    index = min(failures)
    pre, post = (layout.screenshot_path(index, kind) for kind in ("pre", "post"))
    return [
        f"1. `{layout.step_path(index)}` (or the folder of that name): the first failed step.",
        f"2. `{pre}` and `{post}`: the screen around it.",
        f"3. `{layout.events_path(index)}`: what was decided there, and why.",
        "4. `trace.json`: how the run came to that point.",
    ]
