"""Trajectory fingerprints: what a run did, in one short line that can be compared.

`cua_v1` answers "the same shape or not" and is fixed for ever (contract/bundle.md). `cua_v2`
answers "how near": runs that differ in a few steps have values that differ in a few bytes.
Other algorithms register under the entry point group `augur_sdk.fingerprints`.
"""

from __future__ import annotations

from augur_sdk.fingerprint.minhash import cua_v2, hamming, similarity
from augur_sdk.fingerprint.registry import (
    DEFAULT_ALGORITHM,
    Algorithm,
    Fingerprint,
    available,
    compute,
    compute_trajectory_fingerprint,
    fingerprint,
    resolve_algorithm,
)
from augur_sdk.fingerprint.tokens import cua_v1, cua_v1_of_tokens, step_token

__all__ = [
    "DEFAULT_ALGORITHM",
    "Algorithm",
    "Fingerprint",
    "available",
    "compute",
    "compute_trajectory_fingerprint",
    "cua_v1",
    "cua_v1_of_tokens",
    "cua_v2",
    "fingerprint",
    "hamming",
    "resolve_algorithm",
    "similarity",
    "step_token",
]
