"""Hypothesis strategies: valid records of every shape, and records broken in one place."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from augur_sdk.models.json_schema import JSON, schema_of
from augur_sdk.models.registry import shape_of

__all__ = ["broken_records", "json_values", "records"]

CHARACTERS = st.characters(exclude_categories=["Cs"])
TEXT = st.text(CHARACTERS, max_size=8)
NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXT


def json_values() -> st.SearchStrategy[Any]:
    return st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
        max_leaves=4,
    )


def records(record: str) -> st.SearchStrategy[Any]:
    """Valid records of a name as in contract/records.md."""
    return of_schema(schema_of(shape_of(record)))


def of_schema(schema: JSON) -> st.SearchStrategy[Any]:
    if "anyOf" in schema:
        return st.one_of(*map(of_schema, schema["anyOf"]))
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case None:
            return json_values()
        case "object":
            return objects(schema)
        case "array":
            low = schema.get("minItems", 0)
            return st.lists(of_schema(schema["items"]), min_size=low, max_size=low + 1)
        case "string":
            return strings(schema)
        case "integer":
            whole = st.integers(schema.get("minimum"), schema.get("maximum"))
            return whole | st.integers(schema.get("minimum"), 2**40).map(float)
        case "number":
            return numbers(schema)
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
    raise AssertionError(schema)


def objects(schema: JSON) -> st.SearchStrategy[Any]:
    if "properties" not in schema:
        further = schema["additionalProperties"]
        values = json_values() if further is True else of_schema(further)
        return st.dictionaries(TEXT, values, max_size=2)
    fields = {name: of_schema(field) for name, field in schema["properties"].items()}
    needed = set(schema.get("required", ()))
    known = st.fixed_dictionaries(
        {name: field for name, field in fields.items() if name in needed},
        optional={name: field for name, field in fields.items() if name not in needed},
    )
    if schema["additionalProperties"] is False:
        return known
    return st.tuples(st.dictionaries(TEXT, json_values(), max_size=1), known).map(
        lambda pair: {**{k: v for k, v in pair[0].items() if k not in fields}, **pair[1]}
    )


def strings(schema: JSON) -> st.SearchStrategy[str]:
    if pattern := schema.get("pattern"):
        inside = pattern.removeprefix("^").removesuffix("$")
        return st.from_regex(inside, fullmatch=True)
    return st.text(CHARACTERS, min_size=schema.get("minLength", 0), max_size=8)


def numbers(schema: JSON) -> st.SearchStrategy[Any]:
    low, high = schema.get("minimum"), schema.get("maximum")
    return st.integers(low, high) | st.floats(low, high, allow_nan=False, allow_infinity=False)


@st.composite
def broken_records(draw: st.DrawFn, record: str) -> Any:
    """A record with one mutation, which may or may not make it invalid."""
    root = [copy.deepcopy(draw(records(record)))]
    holder, key = draw(st.sampled_from(list(places(root))))
    mutation = draw(st.sampled_from(["drop", "replace", "add"]))
    if mutation == "add" and isinstance(holder[key], dict):
        holder[key][draw(TEXT)] = draw(json_values())
    elif mutation == "drop" and isinstance(holder, dict):
        del holder[key]
    else:
        holder[key] = draw(json_values())
    return root[0]


def places(holder: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) below a container."""
    keys = list(holder) if isinstance(holder, dict) else range(len(holder))
    for key in keys:
        yield holder, key
        if isinstance(holder[key], (dict, list)):
            yield from places(holder[key])
