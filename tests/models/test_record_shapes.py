"""The record types say what the published schemas say."""

from typing import Any

import augur_schema
import pydantic
import pytest

from augur_sdk import models
from augur_sdk.models.json_schema import schema_of
from augur_sdk.models.registry import RECORDS, VOCABULARIES, shape_of

PUBLISHED = sorted(augur_schema.list_schemas())

ANNOTATIONS = {"$schema", "$id", "title", "description", "examples", "x-conversions"}


def bare(schema: Any) -> Any:
    """A published or generated schema in one spelling, references resolved, without prose."""
    if isinstance(schema, list):
        return [bare(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return bare(augur_schema.load_schema(schema["$ref"]))
    kept = {key: value for key, value in schema.items() if not is_prose(key, value)}
    if "anyOf" in kept:
        return {"anyOf": [bare(choice) for choice in kept["anyOf"]]}
    if isinstance(kept.get("type"), list):
        return {"anyOf": [of_one_type(kept, kind) for kind in kept["type"]]}
    if kept.get("type") == "object":
        kept.setdefault("additionalProperties", True)
    return {key: kept_value(key, value) for key, value in kept.items()}


def is_prose(key: str, value: Any) -> bool:
    return (key in ANNOTATIONS and isinstance(value, (str, list))) or key == "x-conversions"


def kept_value(key: str, value: Any) -> Any:
    if key == "properties":
        return {name: bare(field) for name, field in value.items()}
    return sorted(value) if key == "required" else bare(value)


BY_TYPE = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "minItems"},
    "integer": {"minimum", "maximum"},
    "number": {"minimum", "maximum"},
    "string": {"format", "pattern", "minLength"},
}


def of_one_type(schema: dict[str, Any], kind: str) -> Any:
    own = {key: schema[key] for key in BY_TYPE.get(kind, ()) if key in schema}
    return bare({"type": kind, **own})


@pytest.mark.parametrize("record", PUBLISHED)
def test_a_record_type_is_the_published_schema(record: str) -> None:
    """Field by field: names, types, bounds, what is required, what is closed."""
    ours, theirs = (
        bare(schema_of(shape_of(record))),
        bare(augur_schema.load_schema(record)),
    )
    assert ours == theirs


def test_every_published_schema_is_known() -> None:
    assert sorted([*RECORDS, *VOCABULARIES]) == PUBLISHED


def test_the_format_version_is_the_published_one() -> None:
    low, high = models.SUPPORTED_SCHEMA_RANGE
    assert low <= models.SCHEMA_VERSION == augur_schema.SCHEMA_VERSION <= high


def test_the_session_record_has_its_name_at_the_top_too() -> None:
    assert models.DebugSessionRecord is models.DebugSession


def test_canonical_score_components_are_the_constants() -> None:
    constants = {value for name, value in vars(models.ScoreComponents).items() if name.isupper()}
    assert constants == models.CANONICAL_SCORE_COMPONENTS
    assert len(constants) == 7


def test_every_exported_name_exists_and_no_other_is_listed_twice() -> None:
    assert len(set(models.__all__)) == len(models.__all__)
    assert all(hasattr(models, name) for name in models.__all__)


def test_a_control_key_is_typed_and_in_no_schema() -> None:
    assert "sensitive" in models.StepTrace.__annotations__
    assert "sensitive" not in schema_of(models.StepTrace)["properties"]


def test_a_type_adapter_of_pydantic_agrees_on_what_is_closed() -> None:
    """Producers that model their own data with pydantic can embed these types."""
    adapter = pydantic.TypeAdapter(models.Action)
    assert adapter.validate_python({"type": "click"}) == {"type": "click"}
    with pytest.raises(pydantic.ValidationError):
        adapter.validate_python({"type": "click", "why": "not"})
