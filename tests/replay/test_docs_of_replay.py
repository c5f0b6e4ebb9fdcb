"""The example of a session that saves a fixture is run as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scenarios import png

from augur_sdk.validation import validate_bundle

PAGE = Path(__file__).parents[2] / "docs/replay.md"
EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.may_block  # a relative out_dir asks for the working directory
def test_the_example_of_a_saved_fixture_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [example] = [
        text
        for text in EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))
        if "save_replay_fixture" in text
    ]
    (tmp_path / "screen.png").write_bytes(png())
    monkeypatch.chdir(tmp_path)
    exec(compile(example, PAGE.name, "exec"), {"__name__": "__main__"})  # noqa: S102 - our own page
    assert (tmp_path / "bundle/replay/0000_fixture.json").exists()
    assert validate_bundle(tmp_path / "bundle") == []
