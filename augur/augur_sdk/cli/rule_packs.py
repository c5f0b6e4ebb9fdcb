"""The option `--rules` of the commands that diagnose."""

from __future__ import annotations

from collections.abc import Sequence

import typer

__all__ = ["DEFAULT_PACK", "chosen_packs", "one_of"]

DEFAULT_PACK = "cua"


def chosen_packs(rules: Sequence[str] | None) -> list[str]:
    """The packs that were asked for, repeated or separated by commas; wrong usage for others."""
    from augur_sdk.diagnostics import available_packs

    known = available_packs()
    given = [name for rule in rules or [DEFAULT_PACK] for name in rule.split(",")]
    return [one_of(known, name, "--rules") for name in given]


def one_of(known: Sequence[str], name: str, option: str) -> str:
    """The name when it is known; wrong usage otherwise."""
    if name not in known:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(known)}", param_hint=option)
    return name
