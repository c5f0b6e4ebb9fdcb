"""Intervention: an operator pauses, hints, overrides, approves and kills (docs/intervention.md)."""

from augur_sdk.intervention.approval import GatePolicy, Permit
from augur_sdk.intervention.channel import AsyncInterventionChannel, InterventionChannel
from augur_sdk.intervention.command import InterventionCommand
from augur_sdk.intervention.gate import Checkpoint, Hint, Override

__all__ = [
    "AsyncInterventionChannel",
    "Checkpoint",
    "GatePolicy",
    "Hint",
    "InterventionChannel",
    "InterventionCommand",
    "Override",
    "Permit",
]
