"""Replay: a captured step as a fixture, and as a test of the agent's decision (docs/replay.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from augur_sdk._later import later

if TYPE_CHECKING:
    from augur_sdk.replay.bundle_steps import build_fixture
    from augur_sdk.replay.export import export_test
    from augur_sdk.replay.fixture import make_fixture

__all__ = ["build_fixture", "export_test", "make_fixture"]

_LATER: Final = {
    "build_fixture": "augur_sdk.replay.bundle_steps",
    "export_test": "augur_sdk.replay.export",
    "make_fixture": "augur_sdk.replay.fixture",
}

if not TYPE_CHECKING:  # type checkers see the imports above, and report any other name
    __getattr__, __dir__ = later(__name__, _LATER)
