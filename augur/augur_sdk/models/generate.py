"""Generate the JSON Schemas of the records, for other languages and for bundles.

    python -m augur_sdk.models.generate schemas/
    python -m augur_sdk.models.generate --check schemas/

The first form writes the folder, the second reports where it differs from the record types.
"""

import argparse
import ast
import inspect
import sys
import textwrap
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import orjson
from typing_extensions import is_typeddict

from augur_sdk.models.json_schema import JSON, schema_of
from augur_sdk.models.registry import RECORDS, VOCABULARIES
from augur_sdk.models.vocabulary import SCHEMA_VERSION

__all__ = ["all_schemas", "main", "schema_text"]

_SUFFIX: Final = ".schema.json"
_LAYOUT: Final = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE

_DESCRIPTIONS: Final[Mapping[str, str]] = {
    "capture_mode": "How much of a run is kept, from nothing to everything.",
    "coordinate_space": "The space that coordinates are in; every coordinate has one.",
    "failure_class": "Why a step failed. Any word will do; the examples are known to every reader.",
    "prior_steps": "The steps before a replay fixture's step, in their order.",
    "provenance": "What the coordinates of an action were derived from.",
}
"""For the shapes that are no classes and so have no docstring."""


def all_schemas() -> dict[str, bytes]:
    """Generate every schema, by record name."""
    return {name: schema_text(name) for name in sorted([*RECORDS, *VOCABULARIES])}


def schema_text(record: str) -> bytes:
    """Generate the standalone schema of one record, in the bytes of its file.

    Raises:
        KeyError: No record has that name.
    """
    shape = {**RECORDS, **VOCABULARIES}[record]
    schema: JSON = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://augur.dev/schemas/{SCHEMA_VERSION}/{record}{_SUFFIX}",
        "title": _title(record, shape),
        **schema_of(shape, _field_notes),
    }
    if record in _DESCRIPTIONS:
        schema["description"] = _DESCRIPTIONS[record]
    return orjson.dumps(schema, option=_LAYOUT)


def _title(record: str, shape: Any) -> str:
    if is_typeddict(shape):
        return str(shape.__name__)
    return "".join(word.capitalize() for word in record.split("_"))


def _field_notes(shape: type) -> dict[str, str]:
    """Return the docstrings below an object type's fields, its bases' included."""
    notes: dict[str, str] = {}
    for base in getattr(shape, "__orig_bases__", ()):
        if is_typeddict(base):
            notes |= _field_notes(base)
    definition = ast.parse(textwrap.dedent(inspect.getsource(shape))).body[0]
    for field, note in pairwise(getattr(definition, "body", [])):
        match field, note:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                notes[name] = text
    return notes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns 1 when `--check` finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m augur_sdk.models.generate")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true", help="change nothing, report differences")
    options = parser.parse_args(arguments)
    wanted = {f"{name}{_SUFFIX}": text for name, text in all_schemas().items()}
    stale = _differences(options.folder, wanted)
    if not options.check:
        _write(options.folder, wanted, stale)
        return 0
    for name in stale:
        sys.stderr.write(f"{name} differs from the record types\n")
    return 1 if stale else 0


def _differences(folder: Path, wanted: Mapping[str, bytes]) -> list[str]:
    present = {file.name: file.read_bytes() for file in folder.glob(f"*{_SUFFIX}")}
    names = wanted.keys() | present.keys()
    return sorted(name for name in names if wanted.get(name) != present.get(name))


def _write(folder: Path, wanted: Mapping[str, bytes], names: Sequence[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if name in wanted:
            (folder / name).write_bytes(wanted[name])
        else:
            (folder / name).unlink()


if __name__ == "__main__":
    raise SystemExit(main())
