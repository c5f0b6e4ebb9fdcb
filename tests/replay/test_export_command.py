"""`augur export-test`, as a person runs it."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from augur_sdk.cli.app import build_app


def run(*words: str | int | Path) -> Result:
    return CliRunner().invoke(build_app(), ["export-test", *map(str, words)])


def constants(file: Path) -> dict[str, Any]:
    """What the exported file assigns."""
    found = {}
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            found[ast.unparse(node.target)] = ast.literal_eval(node.value)
        elif isinstance(node, ast.Assign):
            found[ast.unparse(node.targets[0])] = ast.literal_eval(node.value)
    return found


def test_a_step_becomes_a_file_and_the_way_to_run_it_is_said(bundle: Path, tmp_path: Path) -> None:
    result = run(bundle, 1, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert "AUGUR_DECIDE=module:function pytest" in result.output
    assert constants(tmp_path / "test_run_a_step_0001.py")["STEP_INDEX"] == 1


def test_what_is_expected_can_be_said(bundle: Path, tmp_path: Path) -> None:
    file = tmp_path / "test_it.py"
    run(
        bundle, 1, "--out", file, "--decide", "my_agent:decide", "--action", "double_click",
        "--region", "0,0,10,10.5", "--region", "5,5,6,6", "--beside",
    )  # fmt: skip
    found = constants(file)
    assert found["DECIDE"] == "my_agent:decide"
    assert found["EXPECTED"]["action_type"] == "double_click"
    regions = found["EXPECTED"]["acceptable_regions"]
    assert [list(region.values()) for region in regions] == [[0, 0, 10, 10.5], [5, 5, 6, 6]]
    assert "PICTURE" not in found
    assert (tmp_path / "test_it.png").is_file()


def test_the_answer_can_be_json(bundle: Path, tmp_path: Path) -> None:
    answer = json.loads(run(bundle, 0, "--out", tmp_path, "--json").output)
    assert Path(answer["test"]).is_file()


def test_a_region_that_is_none_is_told(bundle: Path, tmp_path: Path) -> None:
    result = run(bundle, 1, "--out", tmp_path, "--region", "1,2,3")
    assert result.exit_code == 2
    assert "X1,Y1,X2,Y2" in result.output


def test_a_folder_that_is_no_bundle_is_told(tmp_path: Path) -> None:
    assert "is not a bundle" in str(run(tmp_path, 1).exception)


def test_a_step_that_is_not_there_is_told(bundle: Path) -> None:
    assert "no step 9" in str(run(bundle, 9).exception)
