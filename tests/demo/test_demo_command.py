"""`augur demo` as a user runs it: a process of its own, a real screen, a real browser."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from augur_sdk.demo.browser import BrowserUnavailableError, find_chromium
from augur_sdk.validation import validate_bundle

DEADLINE = 110
"""Seconds; a cold Chromium on a busy machine needs more than the usual test gets."""


def augur(
    *arguments: str, folder: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "augur_sdk.cli", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=DEADLINE,
        check=False,
        cwd=folder,
        env={**os.environ, **environment},
    )


def why_no_browser() -> str:
    """Why the browser test cannot run here; empty when it can."""
    if importlib.util.find_spec("playwright") is None:
        return "NO BROWSER TEST: playwright is not installed (pip install 'augur-sdk[browser]')"
    try:
        find_chromium()
    except BrowserUnavailableError as error:
        return f"NO BROWSER TEST: {error}"
    return ""


def test_the_demo_ends_with_a_valid_bundle_and_says_where(tmp_path: Path) -> None:
    ended = augur("demo", folder=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    [bundle] = (tmp_path / "augur-runs").iterdir()
    assert validate_bundle(bundle) == []
    assert str(Path("augur-runs", bundle.name, "AGENT.md")) in ended.stdout
    assert str(Path("augur-runs", bundle.name, "screenshots", "0008_post.png")) in ended.stdout
    assert "\x1b" not in ended.stdout


@pytest.mark.browser
@pytest.mark.timeout(120)
@pytest.mark.skipif(bool(why_no_browser()), reason=why_no_browser())
def test_the_demo_buys_the_mug_in_a_real_browser(tmp_path: Path) -> None:
    ended = augur("demo", "--browser", "--json", "--out", str(tmp_path / "run"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = json.loads(ended.stdout)
    assert report["succeeded"]
    assert report["valid"]
    assert report["failed_steps"] == [8]
    assert validate_bundle(tmp_path / "run") == []
    backends = {
        json.loads(path.read_bytes())["action"]["dispatch_backend"]
        for path in (tmp_path / "run" / "steps").iterdir()
    }
    assert backends == {"playwright-chromium"}


@pytest.mark.skipif(
    importlib.util.find_spec("playwright") is None, reason="the extra `browser` is not installed"
)
def test_without_a_browser_it_says_what_to_do(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "no-chromium")
    ended = augur("demo", "--browser", "--out", str(tmp_path / "run"), AUGUR_CHROMIUM=nowhere)
    assert ended.returncode == 2
    assert "AUGUR_CHROMIUM" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "run").exists()


def test_headed_without_browser_is_wrong_usage(tmp_path: Path) -> None:
    ended = augur("demo", "--headed", "--out", str(tmp_path / "run"))
    assert ended.returncode == 2
    assert not (tmp_path / "run").exists()
