"""The exit codes of every command, for scripts and CI to branch on."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ExitCode"]


class ExitCode(IntEnum):
    """What a command has to say in one number."""

    OK = 0
    PROBLEM = 1
    """There is something wrong with the bundle, or with the run it holds."""
    UNUSABLE = 2
    """Wrong usage, not a bundle, or something that the command needs is not there."""
