"""Redaction: the one door that everything passes before it leaves the process.

Pure and importable alone: no session, no bundle, no network. See docs/concepts/redaction.md.
"""

from __future__ import annotations

from augur_sdk.redaction.door import RedactionDoor
from augur_sdk.redaction.policies import policy_from_name, policy_names
from augur_sdk.redaction.policy import (
    DEFAULT_POLICY_ID,
    DefaultRedactionPolicy,
    RedactionPolicy,
)
from augur_sdk.redaction.secret_registry import SecretRegistry, SecretWarning

__all__ = [
    "DEFAULT_POLICY_ID",
    "DefaultRedactionPolicy",
    "RedactionDoor",
    "RedactionPolicy",
    "SecretRegistry",
    "SecretWarning",
    "policy_from_name",
    "policy_names",
]
