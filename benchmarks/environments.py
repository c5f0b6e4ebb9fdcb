"""Virtual environments: one for the published package, one for this checkout as users get it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
CACHE = ROOT / ".benchmarks"
PUBLISHED = "augur-sdk==0.6.1"
EXTRA = ("psutil", "orjson")
"""What the measuring itself needs, in each environment."""

LIMIT = 300.0
"""Seconds that one piece of work may take; what takes longer is reported as not measured."""


@dataclass(frozen=True)
class Side:
    """One of the three that are compared: a Python, and the file with its works."""

    name: str
    python: Path
    script: str = "workloads.py"

    def measure(self, work: str, **arguments: Any) -> dict[str, float]:
        """Run the work in a process of its own.

        Raises:
            RuntimeError: The work failed or took too long; the message is its last line.
        """
        command = [str(self.python), str(HERE / self.script), work, json.dumps(arguments)]
        hidden = {"AUGUR_DSN", "AUGUR_STRICT", "AUGUR_CAPTURE_MODE", "PYTHONPATH"}
        environment = {key: value for key, value in os.environ.items() if key not in hidden}
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=LIMIT, check=False, env=environment
            )
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"took more than {LIMIT:.0f} s") from None
        if done.returncode:
            raise RuntimeError((done.stderr.strip().splitlines() or ["no message"])[-1][:200])
        measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return measured


def prepare() -> dict[str, Side]:
    """The three sides, by name; the published package is installed once, this one each time."""
    published = _environment("published")
    if not (CACHE / "published.done").exists():
        _install(published, PUBLISHED, *EXTRA)
        (CACHE / "published.done").write_text(PUBLISHED)
    ours = _environment("ours")
    _install(ours, str(ROOT), *EXTRA, fresh="augur-sdk")
    return {
        "ours": Side("ours", ours),
        "published": Side("published", published),
        "floor": Side("floor", ours, "floor.py"),
    }


def _environment(name: str) -> Path:
    where = CACHE / name
    python = where / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        where.parent.mkdir(exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", str(where)], check=True)
    return python


def _install(python: Path, *what: str, fresh: str = "") -> None:
    beside = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if beside is None:
        again = ["--force-reinstall", "--no-deps"] if fresh else []
        subprocess.run([str(python), "-m", "pip", "install", "-q", *what], check=True)
        if fresh:
            subprocess.run([str(python), "-m", "pip", "install", "-q", *again, what[0]], check=True)
        return
    command = [beside, "pip", "install", "-q", "--compile-bytecode", "--python", str(python)]
    again = ["--reinstall-package", fresh] if fresh else []
    subprocess.run([*command, *again, *what], check=True)
