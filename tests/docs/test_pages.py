"""Every example of the pages is run as it stands, in the order in which a reader meets it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from scenarios import png

DOCS = Path(__file__).parents[2] / "docs"
RUN = ["index.md", "start.md", "tutorial.md", "how-to/*.md"]
CONCEPTS = ["branches", "capture-modes", "coordinate-spaces", "side-effects"]
PAGES = [
    *sorted(page for pattern in RUN for page in DOCS.glob(pattern)),
    *(DOCS / f"concepts/{name}.md" for name in CONCEPTS),
]
EXAMPLE = re.compile(r"^```(python|bash)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)")


@pytest.mark.may_block  # a relative out_dir asks for the working directory
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
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
    scripts = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{scripts}{os.pathsep}{os.environ['PATH']}")
    namespace = {"__name__": "__main__"}
    for language, code in examples:
        if language == "python":
            exec(compile(code, page.name, "exec"), namespace)  # noqa: S102 - our own pages
        else:
            subprocess.run(["bash", "-ec", code], check=True, timeout=50)
    assert caplog.text == ""


@pytest.mark.parametrize(
    "name",
    [
        "concepts/capture-modes.md",
        "concepts/redaction.md",
        "concepts/trajectory-fingerprint.md",
        "reference/adapter-authoring.md",
    ],
)
def test_the_pages_that_the_api_reference_points_to_are_there(name: str) -> None:
    assert (DOCS / name).read_text("utf-8").startswith("# ")


def test_no_page_links_to_one_that_is_not_there() -> None:
    pages = [*DOCS.rglob("*.md"), *DOCS.parent.glob("*.md")]
    gone = [
        (page.name, target)
        for page in pages
        for target in LINK.findall(page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert gone == []


def test_every_page_is_in_the_menu() -> None:
    menu = (DOCS / "mkdocs.yml").read_text("utf-8")
    names = [page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")]
    assert [name for name in names if name not in menu] == []
