"""Check a bundle on disk against its contract: schemas, signatures, references, agreement."""

from augur_sdk.validation.bundle import validate_bundle
from augur_sdk.validation.issue import ValidationIssue

__all__ = ["ValidationIssue", "validate_bundle"]
