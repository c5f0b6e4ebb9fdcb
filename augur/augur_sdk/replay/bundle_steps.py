"""Replay fixtures from a bundle on disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from augur_sdk.bundle import layout
from augur_sdk.errors import BundleReadError
from augur_sdk.models import PriorStep, ReplayFixture
from augur_sdk.replay.fixture import make_fixture
from augur_sdk.storage.safe_open import read_inside

__all__ = ["build_fixture", "read_trace"]


def build_fixture(
    bundle_dir: str | Path, step_index: int, **options: Any
) -> tuple[ReplayFixture, list[PriorStep]]:
    """The replay fixture of a step of a bundle, and the steps before it.

    Args:
        bundle_dir: A finished bundle.
        step_index: The step.
        options: Those of `make_fixture`. `task` defaults to the instruction of the session's
            task spec.

    Raises:
        ValueError: The bundle cannot be read, has no such step, or the step refers to no picture.
    """
    trace = read_trace(Path(bundle_dir))
    found = trace.get("steps")
    steps = [step for step in found if isinstance(step, dict)] if isinstance(found, list) else []
    step = next((step for step in steps if step.get("step_index") == step_index), None)
    if step is None:
        raise BundleReadError(
            f"the bundle has no step {step_index}", fix=f"It has {len(steps)} steps, from 0."
        )
    return make_fixture(step, steps, **{"task": _task(trace), **options})


def read_trace(bundle_dir: Path) -> dict[str, Any]:
    """A bundle's `trace.json`.

    Raises:
        ValueError: It is not there or cannot be read.
    """
    import orjson

    try:
        trace = orjson.loads(read_inside(bundle_dir, layout.TRACE))
    except (OSError, orjson.JSONDecodeError) as error:
        raise BundleReadError(
            f"{bundle_dir / layout.TRACE} cannot be read ({type(error).__name__})",
            fix="If the run was cut short, recover the bundle first.",
        ) from error
    return trace if isinstance(trace, dict) else {}


def _task(trace: Mapping[str, Any]) -> str | None:
    session = trace.get("session")
    spec = session.get("task_spec") if isinstance(session, dict) else None
    return spec.get("instruction") if isinstance(spec, dict) else None
