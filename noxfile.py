"""What the project does with itself: `nox` runs all that CI runs, `nox -l` lists the rest."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox
from nox.command import CommandFailed

nox.needs_version = ">=2025.5"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["lint", "types", "schemas", "wheel", "tests"]
nox.options.reuse_venv = "yes"

PYTHONS = ["3.11", "3.12", "3.13"]
PROJECT = nox.project.load_toml("pyproject.toml")
EXTRAS = ".[cli,browser,object-store]"


def groups(*names: str) -> list[str]:
    """The requirements of dependency groups."""
    return list(nox.project.dependency_groups(PROJECT, *names))


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The test suite, on each Python that is there; arguments go to pytest."""
    session.install("-e", EXTRAS, *groups("test"))
    workers = ["-n", str(min(os.cpu_count() or 1, 4)), "--dist", "worksteal"]
    cache = ["-o", f"cache_dir={session.cache_dir}/pytest-{session.python}"]
    if session.python != PYTHONS[0]:
        workers += ["-m", "not once and not browser"]
    try:
        session.run("pytest", *cache, *(session.posargs or workers))
    except CommandFailed:
        # Real processes, servers and browsers share the cores with the other worker's. What fails
        # then has one more try alone; what fails alone is a failure.
        session.warn("TESTS FAILED; THE FAILED ONES ARE TRIED ONCE MORE, ALONE")
        session.run("pytest", *cache, "--last-failed", "--last-failed-no-failures", "all")


@nox.session
def lint(session: nox.Session) -> None:
    """Style, formatting, and the direction of imports."""
    session.install("-e", ".", *groups("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", "--no-cache")


@nox.session
def types(session: nox.Session) -> None:
    """Both type checkers on package and tests, and the completeness of the public types."""
    # Not editable: the completeness of types is judged as a user's checker finds them.
    session.install(EXTRAS, *groups("test", "types"))
    session.run("mypy")
    python = shutil.which("python", path=session.bin) or "python"
    session.run("pyright", "--pythonpath", python)
    with session.chdir(session.create_tmp()):  # away from the sources, which would be found first
        session.run("pyright", "--ignoreexternal", "--verifytypes", "augur_sdk")


@nox.session
def schemas(session: nox.Session) -> None:
    """Hold schemas/ against the models; `nox -s schemas -- write` generates it anew."""
    session.install("-e", ".")
    check = [] if session.posargs == ["write"] else ["--check"]
    session.run("python", "-m", "augur_sdk.models.generate", *check, "schemas")


@nox.session
def bench(session: nox.Session) -> None:
    """The benchmarks: a table of ratios, and JSON beside it."""
    session.install("-e", EXTRAS, *groups("test", "bench"))
    session.run("python", "benchmarks/run.py", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into site/."""
    session.install("-e", EXTRAS, *groups("docs"))
    pages = Path("docs").resolve()
    config = Path(session.create_tmp()) / "mkdocs.yml"
    config.write_text(f"{(pages / 'mkdocs.yml').read_text('utf-8')}\ndocs_dir: {pages}\n", "utf-8")
    site = str(Path("site").resolve())
    session.run("mkdocs", "build", "--strict", "-f", str(config), "-d", site)


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel and try it as it will be installed."""
    session.install("build")
    folder = Path(session.create_tmp()).resolve()
    session.run("python", "-m", "build", "--wheel", "--outdir", str(folder), silent=True)
    built = max(folder.glob("*.whl"), key=lambda path: path.stat().st_mtime)
    session.install("--force-reinstall", f"augur-sdk[cli] @ {built.as_uri()}")
    with session.chdir(folder):
        session.run("augur", "demo", "--out", str(folder / "demo"))
