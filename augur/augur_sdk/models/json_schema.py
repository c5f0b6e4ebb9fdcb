"""Turn the record types into JSON Schema (draft 2020-12)."""

import types
from collections.abc import Callable, Mapping
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Required,
    TypeAlias,
    Union,
    get_args,
    get_origin,
)

from typing_extensions import is_typeddict

from augur_sdk.models.constraints import Keywords, is_closed

__all__ = ["JSON", "FieldNotes", "schema_of"]

JSON: TypeAlias = dict[str, Any]
FieldNotes: TypeAlias = Callable[[type], Mapping[str, str]]
"""Gives the descriptions of an object type's fields."""

_SIMPLE: dict[Any, JSON] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    types.NoneType: {"type": "null"},
    Any: {},
}


def schema_of(annotation: Any, notes: FieldNotes | None = None) -> JSON:
    """Return the schema of a record type or of a field's annotation.

    Args:
        annotation: A type of this package's records; other types are a KeyError.
        notes: Where the descriptions come from; None leaves them out.
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _narrowed(arguments, notes)
    if origin in (Union, types.UnionType):
        return {"anyOf": [schema_of(choice, notes) for choice in arguments]}
    if origin is Literal:
        return _choice(arguments)
    if origin is list:
        return {"type": "array", "items": schema_of(arguments[0], notes)}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_of(arguments[1], notes) or True}
    if is_typeddict(annotation):
        return _object(annotation, notes)
    return dict(_SIMPLE[annotation])


def _narrowed(arguments: tuple[Any, ...], notes: FieldNotes | None) -> JSON:
    schema = schema_of(arguments[0], notes)
    for mark in arguments[1:]:
        if isinstance(mark, Keywords):
            schema |= mark.keywords
    return schema


def _choice(values: tuple[str, ...]) -> JSON:
    if len(values) == 1:
        return {"type": "string", "const": values[0]}
    return {"type": "string", "enum": list(values)}


def _object(shape: type, notes: FieldNotes | None) -> JSON:
    described = notes(shape) if notes else {}
    total = bool(getattr(shape, "__total__", True))
    properties: JSON = {}
    required: list[str] = []
    for name, annotation in shape.__annotations__.items():
        needed, bare = _requirement(annotation, total=total)
        schema = schema_of(bare, notes)
        if schema.get("not") == {}:
            continue
        properties[name] = schema | _described(described.get(name))
        if needed:
            required.append(name)
    schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    schema["additionalProperties"] = not is_closed(shape)
    return schema | (_described(shape.__doc__) if notes else {})


def _requirement(annotation: Any, *, total: bool) -> tuple[bool, Any]:
    origin = get_origin(annotation)
    if origin in (Required, NotRequired):
        return origin is Required, get_args(annotation)[0]
    return total, annotation


def _described(text: str | None) -> JSON:
    return {"description": " ".join(text.split())} if text else {}
