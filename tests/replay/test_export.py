"""Exported tests, run for real: by a pytest process of their own, without the SDK."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from augur_sdk.replay import export_test

AGENT = """
import io
from PIL import Image

def right(moment):
    assert Image.open(io.BytesIO(moment["screenshot"])).size == (320, 200)
    assert moment["task"] == "Save the file."
    assert [p["step_index"] for p in moment["prior_steps"]] == [0]
    return {"type": "click", "params": {"x": 401, "y": 299}}

async def right_but_async(moment):
    return right(moment)

def misses(moment):
    return {"type": "click", "x": 4, "y": 2}

def types_instead(moment):
    return {"type": "type", "text": "hello"}

def raises(moment):
    raise RuntimeError("no idea")
"""


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "my_agent.py").write_text(AGENT)
    return folder


def run(workplace: Path, file: Path, decide: str | None) -> subprocess.CompletedProcess[str]:
    """Run an exported file as its owner would, in a place where the SDK is not."""
    env = {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTHONPATH", "PYTEST", "AUGUR"))
    }
    if decide:
        env["AUGUR_DECIDE"] = decide
    env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # the plugins take longer than the test
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]
    return subprocess.run(
        command, cwd=workplace, env=env, capture_output=True, text=True, timeout=50, check=False
    )


def test_a_right_decision_passes(bundle: Path, workplace: Path) -> None:
    file = export_test(bundle, 1, workplace)
    assert file.name == "test_run_a_step_0001.py"
    ran = run(workplace, file, "my_agent:right")
    assert ran.returncode == 0, ran.stdout
    assert "1 passed" in ran.stdout


def test_an_async_decision_passes_and_the_exported_default_is_used(
    bundle: Path, workplace: Path
) -> None:
    file = export_test(bundle, 1, workplace / "test_it.py", decide="my_agent:right_but_async")
    ran = run(workplace, file, None)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize(
    ("decide", "said"),
    [
        ("my_agent:misses", "(4, 2) is outside the acceptable region Save (376, 276)-(424, 324)"),
        ("my_agent:types_instead", "the action is type, expected click"),
        ("my_agent:raises", "no idea"),
        ("my_agent:absent", "no function absent"),
        (None, "name your decide function"),
    ],
)
def test_a_wrong_decision_fails_and_says_why(
    bundle: Path, workplace: Path, decide: str | None, said: str
) -> None:
    ran = run(workplace, export_test(bundle, 1, workplace), decide)
    assert ran.returncode == 1, ran.stdout
    assert said in ran.stdout


def test_a_picture_beside_the_file_is_read_from_there(
    bundle: Path, workplace: Path, picture_bytes: bytes
) -> None:
    file = export_test(bundle, 1, workplace / "test_beside.py", embed=False)
    assert (workplace / "test_beside.png").read_bytes() == picture_bytes
    assert run(workplace, file, "my_agent:right").returncode == 0


def test_the_file_says_nothing_of_the_sdk_or_the_machine(bundle: Path, workplace: Path) -> None:
    text = export_test(bundle, 1, workplace).read_text()
    assert "augur_sdk" not in text
    assert str(bundle.parent) not in text


def test_the_file_is_the_same_each_time(bundle: Path, workplace: Path) -> None:
    first = export_test(bundle, 1, workplace / "test_a.py").read_bytes()
    assert export_test(bundle, 1, workplace / "test_b.py").read_bytes() == first


def test_a_step_whose_picture_is_gone_is_refused(bundle: Path, workplace: Path) -> None:
    with pytest.raises(ValueError, match=r"0003_pre\.png cannot be read"):
        export_test(bundle, 3, workplace)


def test_a_picture_outside_the_bundle_is_not_read(bundle: Path, workplace: Path) -> None:
    trace = bundle / "trace.json"
    trace.write_text(trace.read_text().replace("screenshots/0001_pre.png", "../secret.png"))
    (bundle.parent / "secret.png").write_bytes(b"secret")
    with pytest.raises(ValueError, match="not inside the bundle"):
        export_test(bundle, 1, workplace)


def test_a_step_without_an_action_has_nothing_to_check(bundle: Path, workplace: Path) -> None:
    trace = bundle / "trace.json"
    trace.write_text(trace.read_text().replace('"action"', '"_"').replace('"grounding"', '"_g"'))
    with pytest.raises(ValueError, match="no action"):
        export_test(bundle, 1, workplace)


def test_a_decide_that_is_no_name_is_refused(bundle: Path, workplace: Path) -> None:
    with pytest.raises(ValueError, match="module:function"):
        export_test(bundle, 1, workplace, decide="os.system('x')")
