"""`cua_v1`: the token of a step and the digest of a run's tokens (contract/bundle.md).

Stored values are compared across machines and years: nothing in this file may change a byte
of what it returns.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

__all__ = ["Step", "bigrams", "cua_v1", "cua_v1_of_tokens", "step_token"]

Step = Mapping[str, object]
"""A step_trace record, read only."""

_OUTSIDE_LABEL = re.compile(r"[^a-z0-9]")


def step_token(step: Step) -> str:
    """Return `<action.type>:<failure_class or verdict.status>:<label>` of one step.

    A part that the step does not have is empty. The label is `grounding.target_label`,
    lower-cased, with everything outside a-z0-9 removed.
    """
    action_type = _text(_part(step, "action").get("type"))
    outcome = _text(step.get("failure_class")) or _text(_part(step, "verdict").get("status"))
    label = _text(_part(step, "grounding").get("target_label")).lower()
    return f"{action_type}:{outcome}:{_OUTSIDE_LABEL.sub('', label)}"


def bigrams(tokens: Sequence[str]) -> set[str]:
    """Return the adjacent pairs of `tokens` as `a|b`; a single token is its own gram."""
    if len(tokens) == 1:
        return {tokens[0]}
    return {f"{a}|{b}" for a, b in pairwise(tokens)}


def cua_v1_of_tokens(tokens: Iterable[str]) -> str:
    """Return the `cua_v1` value of a run, given each step's token in step order.

    Equal token sequences have equal values. The first half digests the sequence, the second
    half the set of adjacent pairs.
    """
    sequence = list(tokens)
    linear = _digest("\n".join(sequence))
    pairs = _digest("\n".join(sorted(bigrams(sequence))))
    return f"cua_v1:{linear[:32]}{pairs[:32]}"


def cua_v1(steps: Iterable[Step]) -> str:
    """Return the `cua_v1` fingerprint of the canonical steps of a run, in step order."""
    return cua_v1_of_tokens(map(step_token, steps))


def _part(step: Step, name: str) -> Mapping[str, object]:
    part = step.get(name)
    return part if isinstance(part, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
