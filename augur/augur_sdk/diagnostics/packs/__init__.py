"""Rule packs: two built in, and those that are installed under `augur.rule_packs`."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from augur_sdk.diagnostics.packs.cua import CUA_RULES
from augur_sdk.diagnostics.packs.cua_plus import CUA_PLUS_RULES
from augur_sdk.diagnostics.rules import Rule

__all__ = ["CUA_PLUS_RULES", "CUA_RULES", "available_packs", "load_pack"]

_GROUP: Final = "augur.rule_packs"
_BUILT_IN: Final = {"cua": CUA_RULES, "cua_plus": CUA_PLUS_RULES}


def load_pack(name: str) -> list[Rule]:
    """Return the rules of a pack.

    `cua` and `cua_plus` are built in; any other name is looked up under the entry point group
    `augur.rule_packs`, whose entries are callables that return rules.

    Raises:
        ValueError: No such pack is installed, or it cannot be loaded.
    """
    if name in _BUILT_IN:
        return list(_BUILT_IN[name])
    for entry in _installed():
        if entry.name == name:
            return _load(entry)
    raise ValueError(
        f"no rule pack {name!r} is installed; expected one of {', '.join(available_packs())}"
    )


def available_packs() -> list[str]:
    """List the names that `load_pack` accepts."""
    return sorted({*_BUILT_IN, *(entry.name for entry in _installed())})


def _installed() -> Iterable[EntryPoint]:
    return entry_points(group=_GROUP)


def _load(entry: EntryPoint) -> list[Rule]:
    try:
        return list(entry.load()())
    except Exception as error:
        raise ValueError(
            f"rule pack {entry.name!r} ({entry.value}) cannot be loaded: {type(error).__name__}"
        ) from error
