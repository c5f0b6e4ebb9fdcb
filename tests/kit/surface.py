"""The public surface as data: names, signatures, members. `python surface.py > FILE` writes it.

Runs with the project's own package and with any other that has the same import name.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import json
import sys
from typing import Any, Final

MODULES: Final = [
    "augur_sdk",
    "augur_sdk.adapter",
    "augur_sdk.bundle",
    "augur_sdk.capture",
    "augur_sdk.diagnostics",
    "augur_sdk.fingerprint",
    "augur_sdk.intervention",
    "augur_sdk.model_api_adapter",
    "augur_sdk.models",
    "augur_sdk.recorder",
    "augur_sdk.redaction",
    "augur_sdk.rewards",
    "augur_sdk.session",
    "augur_sdk.storage",
    "augur_sdk.streaming",
    "augur_sdk.validation",
]


def surface() -> dict[str, dict[str, Any]]:
    """Each module's public names, each with what a caller can say to it."""
    return {name: _names(importlib.import_module(name)) for name in MODULES}


def as_text(modules: dict[str, dict[str, Any]]) -> str:
    """JSON with a line for each name, so that a change reads well."""
    blocks = []
    for module, names in sorted(modules.items()):
        lines = [f"{json.dumps(name)}: {json.dumps(names[name])}" for name in sorted(names)]
        blocks.append(f"{json.dumps(module)}: {{\n" + ",\n".join(lines) + "\n}")
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def _names(module: Any) -> dict[str, Any]:
    public = getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and str(getattr(value, "__module__", "")).startswith("augur_sdk")
    ]
    return {name: described(getattr(module, name)) for name in sorted(public)}


def described(value: Any) -> dict[str, Any]:
    """One name: its kind, its parameters, and the members of a class."""
    if inspect.isclass(value):
        if hasattr(value, "__required_keys__"):
            return {"kind": "record", "fields": sorted(value.__annotations__)}
        members = {name: described(_plain(value, name)) for name in _members(value)}
        # What the standard library makes (an enum's call, a protocol's) differs between Pythons.
        made = issubclass(value, enum.Enum) or getattr(value, "_is_protocol", False)
        return {"kind": "class", **({} if made else _parameters(value)), "members": members}
    if inspect.isroutine(value):
        return {"kind": "function", **_parameters(value)}
    return {"kind": "property" if isinstance(value, property) else "value"}


def _shown(name: str) -> bool:
    return not name.startswith("_")


def _members(owner: type) -> list[str]:
    own = [base for base in owner.__mro__ if base.__module__.startswith("augur_sdk")]
    return sorted({name for base in own for name in vars(base) if _shown(name)})


def _plain(owner: Any, name: str) -> Any:
    found = inspect.getattr_static(owner, name)
    return found.__func__ if isinstance(found, classmethod | staticmethod) else found


def _parameters(value: Any) -> dict[str, Any]:
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return {}
    return {
        "parameters": [
            [parameter.name, parameter.kind.name, _default(parameter)]
            for parameter in signature.parameters.values()
        ]
    }


def _default(parameter: inspect.Parameter) -> str | None:
    if parameter.default is parameter.empty:
        return None
    value = parameter.default
    plain = value is None or isinstance(value, str | int | float | bool | tuple)
    return repr(value) if plain else "..."


if __name__ == "__main__":
    sys.stdout.write(as_text(surface()))
