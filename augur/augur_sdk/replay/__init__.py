"""Replay: a captured step as a fixture, and as a test of the agent's decision (docs/replay.md)."""

from __future__ import annotations

from augur_sdk.replay.bundle_steps import build_fixture
from augur_sdk.replay.export import export_test
from augur_sdk.replay.fixture import make_fixture

__all__ = ["build_fixture", "export_test", "make_fixture"]
