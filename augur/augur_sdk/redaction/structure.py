"""What a record keeps after a policy of the user's own went over it.

A redactor that hides or breaks everything would take `step_index`, `status` and the time stamps
with it, and the record could not be filed. Values of the format itself (closed choices, stamps,
hashes, numbers) are put back; ids whose redaction failed stay different from each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from augur_sdk.redaction.markers import ERROR
from augur_sdk.redaction.vocabulary import IDENTIFIERS, REQUIRED, STRUCTURAL, is_structural_value

__all__ = ["keep_structure"]


def keep_structure(redacted: Any, original: Any, name_failed: Callable[[Any], str]) -> Any:
    """The redacted record, with the format's own values as they were.

    Args:
        redacted: what the policy returned; JSON values.
        original: the record before.
        name_failed: makes an id for one whose redaction failed.
    """
    if isinstance(original, dict):
        return _keep_fields(redacted, original, name_failed)
    if isinstance(original, list) and isinstance(redacted, list) and len(original) == len(redacted):
        return [
            keep_structure(new, old, name_failed)
            for new, old in zip(redacted, original, strict=True)
        ]
    return redacted


def _keep_fields(redacted: Any, original: dict[str, Any], name_failed: Callable[[Any], str]) -> Any:
    if not isinstance(redacted, dict):
        if REQUIRED.isdisjoint(original):
            return redacted
        redacted = {
            key: ERROR for key in original if key in REQUIRED and type(original[key]) is str
        }
    kept = dict(redacted)
    for key, old in original.items():
        if key in STRUCTURAL and is_structural_value(old):
            if key in kept or key in REQUIRED:
                kept[key] = old
        elif key in IDENTIFIERS and kept.get(key, ERROR) == ERROR:
            kept[key] = name_failed(old)
        elif key in kept and isinstance(old, (dict, list)):
            kept[key] = keep_structure(kept[key], old, name_failed)
    return kept
