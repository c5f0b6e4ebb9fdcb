"""A program written for the published package finds every name and every keyword that it uses.

`tests/surface/published_0_6_1.json` was made from the published package by `tests/kit/surface.py`;
`tests/surface/ours.json` by the same script from this one: `python tests/kit/surface.py > FILE`.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any, Final

import pytest

from surface import described, surface

FILES: Final = Path(__file__).parent / "surface"
PUBLISHED: Final[dict[str, dict[str, Any]]] = json.loads(
    (FILES / "published_0_6_1.json").read_text("utf-8")
)

OTHERWISE: Final = {
    # Made by `bind_intervention`, which has the poller; nobody documents another way.
    "InterventionChannel",
    # Optional hooks are protocols of their own here, so that a missing one is known to be missing.
    "Adapter",
    # An attribute here; reading it is the same.
    "RulesEngine.rules",
    # Attributes of a dataclass with a default made for each object.
    "InterventionCommand.payload",
}
"""What is meant to differ, with the reason."""


@pytest.mark.parametrize("module", sorted(PUBLISHED))
def test_every_published_name_and_keyword_is_there(module: str) -> None:
    ours = importlib.import_module(module)
    gone = [
        problem
        for name, theirs in PUBLISHED[module].items()
        for problem in (
            differences(name, theirs, described(getattr(ours, name)))
            if hasattr(ours, name)
            else [f"{name} is missing"]
        )
    ]
    assert gone == []


def test_the_surface_is_frozen() -> None:
    """A change here is a decision: make the file anew, and say so in the changelog."""
    assert surface() == json.loads((FILES / "ours.json").read_text("utf-8"))


def differences(where: str, theirs: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    if where in OTHERWISE:
        return []
    found = [f"{where} lost {field}" for field in lacking("fields", theirs, ours)]
    found += parameters(where, theirs.get("parameters") or [], ours.get("parameters") or [])
    for name, member in (theirs.get("members") or {}).items():
        path = f"{where}.{name}"
        if path in OTHERWISE:
            continue
        if name not in ours.get("members", {}):
            found.append(f"{path} is missing")
        else:
            found += differences(path, member, ours["members"][name])
    return found


def lacking(key: str, theirs: dict[str, Any], ours: dict[str, Any]) -> set[str]:
    named: list[str] = theirs.get(key) or []
    return set(named) - set(ours.get(key) or ())


def parameters(where: str, theirs: list[list[Any]], ours: list[list[Any]]) -> list[str]:
    known = {name: (kind, default) for name, kind, default in ours}
    takes_any = any(kind == "VAR_KEYWORD" for _, kind, _ in ours)
    found = []
    for name, kind, default in theirs:
        if kind.startswith("VAR") or name in {"self", "cls"}:
            continue
        if name not in known:
            found += [] if takes_any else [f"{where} takes no {name}"]
        elif default is not None and known[name][1] is None:
            found.append(f"{where} insists on {name}")
        elif kind == "POSITIONAL_OR_KEYWORD" and known[name][0] == "KEYWORD_ONLY":
            found.append(f"{where} takes {name} by keyword only")
    return found
