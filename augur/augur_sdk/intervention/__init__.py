"""Intervention: an operator pauses, hints, overrides, approves and kills (docs/intervention.md)."""

from typing import TYPE_CHECKING, Final

from augur_sdk._later import later

if TYPE_CHECKING:
    from augur_sdk.intervention.approval import GatePolicy, Permit
    from augur_sdk.intervention.channel import AsyncInterventionChannel, InterventionChannel
    from augur_sdk.intervention.command import COMMAND_TYPES, InterventionCommand
    from augur_sdk.intervention.gate import Checkpoint, Hint, Override

__all__ = [
    "COMMAND_TYPES",
    "AsyncInterventionChannel",
    "Checkpoint",
    "GatePolicy",
    "Hint",
    "InterventionChannel",
    "InterventionCommand",
    "Override",
    "Permit",
]

_LATER: Final = {
    "COMMAND_TYPES": "augur_sdk.intervention.command",
    "AsyncInterventionChannel": "augur_sdk.intervention.channel",
    "Checkpoint": "augur_sdk.intervention.gate",
    "GatePolicy": "augur_sdk.intervention.approval",
    "Hint": "augur_sdk.intervention.gate",
    "InterventionChannel": "augur_sdk.intervention.channel",
    "InterventionCommand": "augur_sdk.intervention.command",
    "Override": "augur_sdk.intervention.gate",
    "Permit": "augur_sdk.intervention.approval",
}

if not TYPE_CHECKING:  # type checkers see the imports above, and report any other name
    __getattr__, __dir__ = later(__name__, _LATER)
