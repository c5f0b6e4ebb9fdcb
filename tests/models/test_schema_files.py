"""The schema files are the record types, stand alone, and are cheap to copy."""

from pathlib import Path

import augur_schema
import orjson
import pytest

from augur_sdk.models import generate, schemas

FOLDER = Path(__file__).parents[2] / "schemas"


def test_the_checked_in_schemas_are_the_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--check", str(FOLDER)]) == 0, capsys.readouterr().err


def test_the_files_that_bundles_copy_are_the_checked_in_ones() -> None:
    files = {name: (FOLDER / f"{name}.schema.json").read_bytes() for name in schemas.schema_files()}
    assert schemas.schema_files() == files == generate.all_schemas()


def test_schemas_are_generated_where_no_files_were_shipped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(schemas, "_HOMES", (tmp_path,))
    assert schemas.schema_files.__wrapped__() == generate.all_schemas()


@pytest.mark.parametrize("record", sorted(generate.all_schemas()))
def test_a_schema_stands_alone_and_explains_itself(record: str) -> None:
    text = generate.schema_text(record)
    schema = orjson.loads(text)
    type(augur_schema.validator_for(record)).check_schema(schema)
    assert b'"$ref"' not in text
    assert schema["$id"].endswith(f"/{record}.schema.json")
    assert schema["title"]
    assert schema["description"]


def test_field_notes_reach_the_schema() -> None:
    step = orjson.loads(generate.schema_text("step_trace"))["properties"]
    assert step["step_index"]["description"].startswith("The step's place in the run")
    assert step["required"]["default"] is True


def test_writing_repairs_a_folder_and_removes_strays(tmp_path: Path) -> None:
    (tmp_path / "gone.schema.json").write_text("{}")
    (tmp_path / "trace.schema.json").write_text("{}")
    assert generate.main(["--check", str(tmp_path)]) == 1
    assert generate.main([str(tmp_path)]) == 0
    assert generate.main(["--check", str(tmp_path)]) == 0
    assert not (tmp_path / "gone.schema.json").exists()
