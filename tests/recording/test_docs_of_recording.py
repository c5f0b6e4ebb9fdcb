"""Every example of the how-tos is run as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scenarios import png

PAGES = sorted((Path(__file__).parents[2] / "docs/recording").glob("*.md"))
EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.may_block  # a relative out_dir asks for the working directory
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_a_page_run(
    page: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    examples = EXAMPLE.findall(page.read_text(encoding="utf-8"))
    assert examples
    (tmp_path / "screen.png").write_bytes(png())
    monkeypatch.chdir(tmp_path)
    exec(compile("\n".join(examples), page.name, "exec"), {"__name__": "__main__"})  # noqa: S102 - our own pages
    assert caplog.text == ""


def test_there_is_a_page_for_each_group_of_methods() -> None:
    assert [page.stem for page in PAGES] == [
        "branches",
        "capture-modes",
        "costs-and-outcomes",
        "model-calls",
        "side-effects",
        "steps",
        "tasks",
        "verdicts",
    ]
