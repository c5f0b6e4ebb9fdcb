"""The `augur` command as a whole: codes, help, version, and how commands are found."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from augur_sdk import __version__
from augur_sdk.cli import app, commands


def test_the_version_is_said(augur: Any) -> None:
    assert augur("--version").out == f"augur {__version__}\n"


def test_help_names_every_command_and_the_exit_codes(augur: Any) -> None:
    said = augur("--help")
    assert said.code == 0
    for command in ("demo", "recover", "show", "validate"):
        assert f" {command} " in said.out
    assert "Exit codes" in said.out


@pytest.mark.parametrize(
    "name", [module.name for module in pkgutil.iter_modules(commands.__path__)]
)
def test_every_command_has_help_in_prose(augur: Any, name: str) -> None:
    said = augur(name.rstrip("_").replace("_", "-"), "--help")
    assert said.code == 0
    assert "Args:" not in said.out


@pytest.mark.parametrize("arguments", [[], ["fly"], ["show"], ["show", ".", "--limit", "-1"]])
def test_wrong_usage_ends_with_2(augur: Any, arguments: list[str]) -> None:
    assert augur(*arguments).code == 2


@pytest.mark.parametrize("command", ["show", "validate", "recover"])
def test_a_folder_that_is_no_bundle_ends_with_2_and_one_line(
    augur: Any, tmp_path: Path, command: str
) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        said = augur(command, folder)
        assert (said.code, said.out) == (2, "")
        assert said.err.startswith("augur: ")
        assert said.err.count("\n") == 1


def test_a_file_dropped_into_the_folder_is_a_command(
    augur: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fly_away_.py").write_text(
        'def command() -> None:\n    """Say that it runs."""\n    print("it runs")\n',
        encoding="utf-8",
    )
    monkeypatch.setattr(commands, "__path__", [str(tmp_path), *commands.__path__])
    said = augur("fly-away")
    assert (said.code, said.out, said.err) == (0, "it runs\n", "")
    sys.modules.pop(f"{commands.__name__}.fly_away_", None)


def test_without_typer_it_says_what_to_install() -> None:
    program = "import sys; sys.modules['typer'] = None; from augur_sdk.cli import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr == "augur: the command line needs: pip install 'augur-sdk[cli]'\n"


def test_starting_up_imports_nothing_heavy() -> None:
    program = (
        "import sys; from augur_sdk.cli.app import build_app; build_app(); "
        "print([name for name in ('numpy', 'PIL', 'httpx', 'playwright') if name in sys.modules])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "[]\n"


def test_a_refusing_file_system_is_one_line(
    augur: Any, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_bundle_dir: Path) -> None:
        raise PermissionError(13, "Permission denied", "manifest.json")

    monkeypatch.setattr("augur_sdk.bundle.recover.recover_bundle", refuse)
    said = augur("recover", bundle)
    assert said.code == 2
    assert "Permission denied" in said.err


def test_the_entry_point_runs_the_application(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["augur", "--version"])
    with pytest.raises(SystemExit) as leaving:
        __import__("augur_sdk.cli").cli.main()
    assert leaving.value.code == 0
    assert __version__ in capfd.readouterr().out
    assert app.run(["--version"]) == 0
