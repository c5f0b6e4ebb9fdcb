"""A captured step as a pytest file that runs wherever pytest does."""

from __future__ import annotations

import base64
import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from pprint import pformat
from typing import Any, Final

from augur_sdk.errors import BundleReadError, RecordError
from augur_sdk.replay import decision
from augur_sdk.replay.bundle_steps import build_fixture
from augur_sdk.storage.atomic import write_private
from augur_sdk.storage.safe_open import read_inside

__all__ = ["DECIDE_VARIABLE", "export_test"]

DECIDE_VARIABLE: Final = "AUGUR_DECIDE"
"""The environment variable that names the decide function, as `module:function`."""

_SPEC = re.compile(r"[\w.]+:[\w.]+")

_DOCSTRING: Final = '''"""Does the agent still decide as expected on what it saw at this step?

Exported from a bundle. Needs pytest and a decide function, named as module:function:

    AUGUR_DECIDE=my_agent:decide pytest THIS_FILE

It is called with a dict (`screenshot`: the picture's bytes, `screenshot_name`, `task`,
`prior_steps`, `step_index`) and returns an action: `type`, with parameters under `params` or
beside it. Edit EXPECTED to accept more.
"""

import asyncio
import base64
import importlib
import inspect
import os
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import pytest
'''

_PICTURE_INSIDE: Final = '''def screenshot() -> bytes:
    """The picture that the agent saw."""
    return base64.b64decode(PICTURE)
'''

_PICTURE_BESIDE: Final = '''def screenshot() -> bytes:
    """The picture that the agent saw."""
    return pathlib.Path(__file__).with_name(SCREENSHOT_NAME).read_bytes()
'''

_TEST: Final = '''def test_the_agent_decides_as_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decided action has the expected type and lands in an acceptable region."""
    spec = os.environ.get("AUGUR_DECIDE") or DECIDE
    if not spec:
        pytest.fail("name your decide function: AUGUR_DECIDE=module:function")
    monkeypatch.syspath_prepend(os.getcwd())
    moment = {
        "screenshot": screenshot(),
        "screenshot_name": SCREENSHOT_NAME,
        "task": TASK,
        "prior_steps": PRIOR_STEPS,
        "step_index": STEP_INDEX,
    }
    found = problems(EXPECTED, decide(find_function(spec), moment))
    assert not found, "; ".join(found)
'''


def export_test(
    bundle_dir: str | Path,
    step_index: int,
    out_path: str | Path | None = None,
    *,
    decide: str | None = None,
    embed: bool = True,
    **options: Any,
) -> Path:
    """Write a pytest file that feeds a step's captured observation to the agent's decision.

    The file needs pytest and nothing of this package. It checks the type of the decided action,
    and that it lands in an acceptable region; without a decide function it fails and says how
    to name one.

    Args:
        bundle_dir: A finished bundle.
        step_index: The step.
        out_path: The file, or a folder for it. Default: `test_<bundle>_step_0007.py` in the
            current folder.
        decide: The default for the environment variable `AUGUR_DECIDE`: `module:function`.
        embed: Whether the picture goes into the file; otherwise it is written beside it.
        options: Those of `make_fixture`: `acceptable_regions`, `expected`, `task`, ...

    Returns:
        The file's path.

    Raises:
        ValueError: The step cannot be replayed, its picture is not in the bundle, there is
            nothing to check, or `decide` is not of that form.
        OSError: The file cannot be written.
    """
    if decide is not None and not _SPEC.fullmatch(decide):
        raise RecordError("decide does not name a function", expected="module:function")
    root = Path(bundle_dir)
    fixture, prior = build_fixture(root, step_index, **options)
    expected = fixture.get("expected") or {}
    if not (expected.get("action_type") or expected.get("acceptable_regions")):
        raise RecordError(f"step {step_index} has no action to hold a decision against")
    picture = _picture(root, fixture["observation"])
    path = _target(out_path, root, step_index)
    picture_name = Path(fixture["observation"]).name
    if not embed:
        picture_name = path.stem + Path(picture_name).suffix
        write_private(path.with_name(picture_name), picture)
    constants = {
        "DECIDE": decide,
        "STEP_INDEX": step_index,
        "TASK": fixture.get("task"),
        "SCREENSHOT_NAME": picture_name,
        "EXPECTED": expected,
        "PRIOR_STEPS": prior,
    }
    write_private(path, _source(constants, picture if embed else None).encode())
    return path


def _source(constants: Mapping[str, Any], picture: bytes | None) -> str:
    values = [_assignment(name, value) for name, value in constants.items()]
    embedded = [] if picture is None else [f'PICTURE = """\n{_wrapped(picture)}\n"""\n']
    functions: list[Callable[..., Any]] = [
        decision.find_function,
        decision.decide,
        decision.result_of,
        decision.problems,
        decision.point_of,
        decision.is_inside,
        decision.named,
    ]
    carried = [inspect.getsource(function) for function in functions]
    reader = _PICTURE_BESIDE if picture is None else _PICTURE_INSIDE
    blocks = [_DOCSTRING + "\n" + "".join(values), *embedded, *carried, reader, _TEST]
    return "\n\n".join(blocks)


def _assignment(name: str, value: Any) -> str:
    if isinstance(value, dict | list):
        text = pformat(value, width=92, sort_dicts=False)
        return f"{name}: Any = (\n{textwrap.indent(text, '    ')}\n)\n"
    return f"{name}{'' if value is not None else ': Any'} = {value!r}\n"


def _wrapped(picture: bytes) -> str:
    return "\n".join(textwrap.wrap(base64.b64encode(picture).decode("ascii"), 96))


def _picture(root: Path, relpath: str) -> bytes:
    try:
        return read_inside(root, relpath)
    except RecordError:
        raise BundleReadError("the step's picture is not inside the bundle") from None
    except OSError as error:
        raise BundleReadError(
            f"{relpath} cannot be read ({type(error).__name__})",
            fix="A step can be replayed only where its picture was kept.",
        ) from error


def _target(out_path: str | Path | None, root: Path, step_index: int) -> Path:
    safe = re.sub(r"\W+", "_", root.resolve().name).strip("_").lower() or "bundle"
    default = f"test_{safe}_step_{step_index:04d}.py"
    path = Path(default if out_path is None else out_path)
    return path / default if path.is_dir() else path
