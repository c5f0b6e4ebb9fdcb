"""Policies by name: the built-in one, and those that other packages register.

A package registers a policy under the entry point group `augur_sdk.redaction_policies`:

    [project.entry-points."augur_sdk.redaction_policies"]
    acme-v2 = "acme.privacy:AcmePolicy"
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

from augur_sdk.errors import RecordError
from augur_sdk.redaction.policy import (
    DEFAULT_POLICY_ID,
    DefaultRedactionPolicy,
    RedactionPolicy,
)

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["ENTRY_POINT_GROUP", "policy_from_name", "policy_names"]

ENTRY_POINT_GROUP: Final = "augur_sdk.redaction_policies"


def policy_names() -> list[str]:
    """The names that `policy_from_name` knows here."""
    return sorted({DEFAULT_POLICY_ID, *(found.name for found in _registered())})


def policy_from_name(name: str) -> RedactionPolicy:
    """A new policy of this name.

    Args:
        name: `default-pii-v1`, or the name of an entry point: a policy class, a callable without
            arguments that returns a policy, or a policy.

    Raises:
        RecordError: no policy has this name, or what is registered is no policy.
    """
    if name == DEFAULT_POLICY_ID:
        return DefaultRedactionPolicy()
    for found in _registered():
        if found.name == name:
            return _policy(name, found.load())
    known = ", ".join(policy_names())
    raise RecordError(f"no redaction policy is named {name!r}", expected=f"one of {known}")


def _registered() -> tuple[EntryPoint, ...]:
    from importlib.metadata import entry_points

    return tuple(entry_points(group=ENTRY_POINT_GROUP))


def _policy(name: str, loaded: Any) -> RedactionPolicy:
    policy = loaded
    if not isinstance(loaded, RedactionPolicy) and callable(loaded):
        policy = cast("Callable[[], Any]", loaded)()
    if not callable(getattr(policy, "apply", None)):
        raise RecordError(
            f"the entry point {name!r} gives a {type(policy).__name__}",
            expected="a RedactionPolicy, its class, or a callable that returns one",
        )
    return cast("RedactionPolicy", policy)
