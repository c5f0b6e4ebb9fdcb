"""What is imported when: a program pays for the parts that it uses, and an agent's calls for none.

Each check runs in an interpreter of its own, because this one has imported everything already.
"""

from __future__ import annotations

import ast
import importlib
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

KIT = Path(__file__).parent / "kit"

PACKAGES = [
    "augur_sdk",
    "augur_sdk.intervention",
    "augur_sdk.models",
    "augur_sdk.replay",
    "augur_sdk.storage",
    "augur_sdk.streaming",
]
"""Those that import a module at the first use of its names."""

HEAVY = {"PIL", "httpx", "imagehash", "numpy", "obstore", "pydantic", "rich", "ssl", "typer"}
ENGINE = {"aiofiles", "anyio", "asyncio", "concurrent.futures.thread", "pydantic_core", "re2"}
SELDOM = {
    "augur_sdk.bundle.recover",
    "augur_sdk.intervention.poller",
    "augur_sdk.pipeline.delivering",
    "augur_sdk.pipeline.mirroring",
    "augur_sdk.session.branching",
    "augur_sdk.session.loop_watch",
    "augur_sdk.storage.object_store",
    "augur_sdk.streaming.transport",
    "importlib.metadata",
}

SPY = """
import sys, threading
calls = []
class Spy:
    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is threading.main_thread():
            calls.append(name)
spy = Spy()
"""

OPTIONS = "run_id='run', client_name='c', out_dir=sys.argv[1], capture_mode='full'"

BLOCKING_CALLS = f"""
from scenarios import event, png, step
from augur_sdk import DebugSession
with DebugSession({OPTIONS}) as s:
    sys.meta_path.insert(0, spy)
    s.attach_observation(step_index=0, kind="pre", png_bytes=png(0))
    s.record_step(step(0))
    s.flush()  # the worker has loaded the rules of redaction
    s.record_event(event(0))
    s.record_reasoning(0, "because")
    effect = s.declare_side_effect(0, "mail", "send", idempotency_key="k")
    s.commit_side_effect(effect, {{"sent": True}})
    s.attach_verifier(0, status="passed")
    with s.step("click"):
        pass
    s.checkpoint()
    s.gate({{"type": "pay"}}, reversibility="reversible")
    s.flush()
    sys.meta_path.remove(spy)
"""

ASYNC_CALLS = f"""
import asyncio, anyio
from scenarios import event, png, step
from augur_sdk import AsyncDebugSession
async def main():
    await anyio.sleep(0)  # the loop's own backend, which any program on anyio has
    sys.meta_path.insert(0, spy)
    async with AsyncDebugSession({OPTIONS}) as s:
        await s.attach_observation(step_index=0, kind="pre", png_bytes=png(0))
        await s.record_step(step(0))
        await s.flush()  # the worker has loaded the rules of redaction
        await s.record_event(event(0))
        await s.record_reasoning(0, "because")
        effect = await s.declare_side_effect(0, "mail", "send", idempotency_key="k")
        await s.commit_side_effect(effect, {{"sent": True}})
        await s.attach_verifier(0, status="passed")
        async with s.step("click"):
            pass
        await s.checkpoint()
        await s.gate({{"type": "pay"}}, reversibility="reversible")
        await s.flush()
asyncio.run(main())
"""


def said(code: str, *arguments: str) -> set[str]:
    """The words that a fresh interpreter prints last."""
    hidden = {"AUGUR_DSN", "AUGUR_STRICT"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment["PYTHONPATH"] = os.pathsep.join([str(KIT), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def loaded_by(code: str, *arguments: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after some code."""
    return said(f"import sys\n{code}\nprint(*sys.modules)", *arguments)


def test_importing_the_package_loads_none_of_its_parts() -> None:
    loaded = {name for name in loaded_by("import augur_sdk") if name.startswith("augur_sdk")}
    assert loaded == {"augur_sdk", "augur_sdk._later", "augur_sdk._version"}


def test_importing_the_session_class_loads_nothing_that_runs_a_session() -> None:
    loaded = loaded_by("from augur_sdk import DebugSession")
    assert not loaded & (HEAVY | ENGINE | SELDOM)


@pytest.mark.parametrize(("mode", "needed"), [("trace", set[str]()), ("full", {"PIL"})])
def test_an_open_session_without_a_server_or_a_store_loads_only_what_its_records_need(
    tmp_path: Path, mode: str, needed: set[str]
) -> None:
    options = OPTIONS.replace("'full'", f"'{mode}'")
    code = f"from augur_sdk import DebugSession\nDebugSession({options}).__enter__()"
    assert loaded_by(code, str(tmp_path / "b")) & (HEAVY - {"ssl"} | SELDOM) == needed


@pytest.mark.parametrize("calls", [BLOCKING_CALLS, ASYNC_CALLS], ids=["blocking", "async"])
def test_recording_imports_nothing_on_the_agents_thread(calls: str, tmp_path: Path) -> None:
    """For the async class neither do constructing, opening and closing, on the event loop."""
    assert said(f"{SPY}{calls}\nprint(*calls)", str(tmp_path / "b")) == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_names_that_come_later_are_the_ones_that_type_checkers_see(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__file__ is not None
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    declared = {
        alias.name: node.module
        for block in tree.body
        if isinstance(block, ast.If) and getattr(block.test, "id", "") == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert declared == module._LATER
    assert set(declared) <= set(module.__all__) <= set(dir(module))


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_there_and_no_other(package: str) -> None:
    module = importlib.import_module(package)
    assert all(hasattr(module, name) for name in module.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        module.nothing  # noqa: B018 - looking it up is the test


def test_a_star_import_brings_every_public_name() -> None:
    assert "AsyncDebugSession" in said("from augur_sdk import *\nprint(*dir())")


def test_public_classes_survive_pickling() -> None:
    augur_sdk = importlib.import_module("augur_sdk")
    for name in ("CaptureMode", "DebugSession", "GatePolicy", "LocalFSStore", "StepTrace"):
        home = augur_sdk if name in augur_sdk.__all__ else importlib.import_module(PACKAGES[1])
        assert pickle.loads(pickle.dumps(getattr(home, name))) is getattr(home, name)  # noqa: S301 - made here
