"""`cua_v2`: a fingerprint that is near for near runs.

A run is the set of its step tokens and adjacent pairs, each numbered by how often it occurred
before, so that repeats count. MinHash keeps one byte from each of 128 independent minima; two
values agree in a slot about as often as the two sets overlap (Jaccard similarity), with a
standard error of at most 0.045.
"""

from __future__ import annotations

import hashlib
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from augur_sdk.fingerprint.tokens import Step, step_token

__all__ = ["cua_v2", "cua_v2_of_tokens", "hamming", "similarity"]

_SLOTS: Final = 128
_MINIMA = struct.Struct(f">{_SLOTS}I")
_EMPTY: Final = (0xFFFFFFFF,) * _SLOTS
_CHANCE: Final = 1 / 256  # two unrelated bytes agree this often


def cua_v2(steps: Iterable[Step]) -> str:
    """Return the `cua_v2` fingerprint of a run's canonical steps: `cua_v2:` and 256 hex digits."""
    return cua_v2_of_tokens(map(step_token, steps))


def cua_v2_of_tokens(tokens: Iterable[str]) -> str:
    """Return the `cua_v2` value of a run, given each step's token in step order."""
    minima: tuple[int, ...] = _EMPTY
    for gram in _grams(tokens):
        minima = tuple(map(min, minima, _hashes(gram)))
    return f"cua_v2:{bytes(value & 0xFF for value in minima).hex()}"


def similarity(a: str, b: str) -> float:
    """Estimate how alike two runs are from their fingerprints, 0.0 to 1.0.

    For `cua_v2` this is the estimated overlap of the two runs' tokens and adjacent pairs. Any
    other algorithm only tells equal (1.0) from different (0.0).

    Raises:
        ValueError: the two values come from different algorithms, so nothing can be said.
    """
    algorithm = _same_algorithm(a, b)
    if algorithm != "cua_v2":
        return 1.0 if a == b else 0.0
    agreement = 1 - hamming(a, b) / _SLOTS
    return max(0.0, (agreement - _CHANCE) / (1 - _CHANCE))


def hamming(a: str, b: str) -> int:
    """Count the bytes in which two fingerprints of one algorithm differ.

    For `cua_v2` that is 0 (alike) to 128 (nothing in common), in step with `similarity`.

    Raises:
        ValueError: different algorithms, or a value that is not hexadecimal.
    """
    algorithm = _same_algorithm(a, b)
    left, right = (bytes.fromhex(value.removeprefix(f"{algorithm}:")) for value in (a, b))
    if len(left) != len(right) or (algorithm == "cua_v2" and len(left) != _SLOTS):
        raise ValueError(f"a {algorithm} fingerprint is cut short; compare whole values")
    return sum(x != y for x, y in zip(left, right, strict=True))


def _grams(tokens: Iterable[str]) -> Iterator[str]:
    seen: Counter[str] = Counter()
    previous: str | None = None
    for token in tokens:
        grams = (token,) if previous is None else (token, f"{previous}|{token}")
        for gram in grams:
            yield f"{seen[gram]}#{gram}"
            seen[gram] += 1
        previous = token


def _hashes(gram: str) -> tuple[int, ...]:
    digest = hashlib.shake_128(gram.encode("utf-8", "surrogatepass")).digest(_MINIMA.size)
    return _MINIMA.unpack(digest)


def _same_algorithm(a: str, b: str) -> str:
    left, right = (value.partition(":")[0] for value in (a, b))
    if left != right:
        raise ValueError(
            "fingerprints of different algorithms cannot be compared; "
            "compute both with the same one"
        )
    return left
