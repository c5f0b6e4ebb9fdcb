"""Compile the JSON Schema of a record into a pydantic-core validator.

The validator accepts exactly what the schema accepts: 1.0 is an integer, true is not, nothing
is coerced. Only the keywords that the record types use are known here.

pydantic-core is used without its Python layer, whose import takes longer than everything else
that a recording process does at its start.
"""

from typing import Any

from pydantic_core import CoreSchema, PydanticKnownError, SchemaValidator, core_schema

from augur_sdk.models.json_schema import JSON

__all__ = ["compiled"]


def compiled(schema: JSON) -> SchemaValidator:
    """Return the validator of a schema."""
    return SchemaValidator(_core(schema))


def _core(schema: JSON) -> CoreSchema:
    if "anyOf" in schema:
        return _any_of(schema["anyOf"])
    if "const" in schema:
        return core_schema.literal_schema([schema["const"]])
    if "enum" in schema:
        return core_schema.literal_schema(schema["enum"])
    kind = schema.get("type")
    return _BUILDERS[kind](schema) if kind else core_schema.any_schema()


def _any_of(choices: list[JSON]) -> CoreSchema:
    solid = [choice for choice in choices if choice != {"type": "null"}]
    inner = _core(solid[0]) if len(solid) == 1 else _first_of(solid)
    return inner if len(solid) == len(choices) else core_schema.nullable_schema(inner)


def _first_of(choices: list[JSON]) -> CoreSchema:
    named = ", ".join(choice["type"] for choice in choices)
    return _union([_core(choice) for choice in choices], f"one of the types {named}")


def _union(choices: list[CoreSchema], expected: str) -> CoreSchema:
    return core_schema.union_schema(
        list(choices),
        mode="left_to_right",
        custom_error_type="expected",
        custom_error_message=f"expected {expected}",
    )


def _object(schema: JSON) -> CoreSchema:
    further = schema["additionalProperties"]
    if "properties" not in schema:
        return core_schema.dict_schema(
            values_schema=None if further is True else _core(further), strict=True
        )
    required = schema.get("required", ())
    fields = {
        name: core_schema.typed_dict_field(_core(field), required=name in required)
        for name, field in schema["properties"].items()
    }
    return core_schema.typed_dict_schema(
        fields, strict=True, extra_behavior="allow" if further else "forbid"
    )


def _array(schema: JSON) -> CoreSchema:
    return core_schema.list_schema(
        _core(schema["items"]), min_length=schema.get("minItems"), strict=True
    )


def _string(schema: JSON) -> CoreSchema:
    return core_schema.str_schema(
        pattern=schema.get("pattern"), min_length=schema.get("minLength"), strict=True
    )


def _number(schema: JSON) -> CoreSchema:
    return _union([_float(schema), _int(schema)], f"a number{_range(schema)}")


def _integer(schema: JSON) -> CoreSchema:
    whole = core_schema.no_info_after_validator_function(_whole, _float(schema))
    return _union([_int(schema), whole], f"an integer{_range(schema)}")


def _int(schema: JSON) -> CoreSchema:
    return core_schema.int_schema(ge=schema.get("minimum"), le=schema.get("maximum"), strict=True)


def _float(schema: JSON) -> CoreSchema:
    return core_schema.float_schema(
        ge=schema.get("minimum"), le=schema.get("maximum"), allow_inf_nan=False, strict=True
    )


def _whole(value: float) -> float:
    if not value.is_integer():
        raise PydanticKnownError("int_from_float")
    return value


def _range(schema: JSON) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None and high is None:
        return ""
    return f" from {low}" if high is None else f" from {low} to {high}"


_BUILDERS: dict[str, Any] = {
    "array": _array,
    "boolean": lambda _: core_schema.bool_schema(strict=True),
    "integer": _integer,
    "number": _number,
    "object": _object,
    "string": _string,
}
