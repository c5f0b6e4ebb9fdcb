"""Finding a fingerprint algorithm by name, and computing one without ever failing a close.

A plug-in is a callable that takes the canonical steps in order and returns one line of text,
registered under the entry point group `augur_sdk.fingerprints`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from augur_sdk.fingerprint.minhash import cua_v2
from augur_sdk.fingerprint.tokens import Step, cua_v1, cua_v1_of_tokens, step_token

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = [
    "DEFAULT_ALGORITHM",
    "Algorithm",
    "Fingerprint",
    "available",
    "compute",
    "compute_trajectory_fingerprint",
    "fingerprint",
    "resolve_algorithm",
]

Algorithm = Callable[[Iterable[Step]], str]
"""What turns a run's canonical steps, in order, into one line of text."""

DEFAULT_ALGORITHM: Final = "cua_v1"
_GROUP: Final = "augur_sdk.fingerprints"
_BUILT_IN: Final[dict[str, Algorithm]] = {"cua_v1": cua_v1, "cua_v2": cua_v2}
_MAX_LENGTH: Final = 4096
"""A fingerprint sits in the manifest and in a database column; a longer one is a mistake."""


class Fingerprint(NamedTuple):
    """A computed value, and what went wrong where it is not the algorithm that was asked for."""

    value: str
    problem: str | None = None


def available() -> list[str]:
    """List the names that `fingerprint` accepts, built in and installed."""
    return sorted({*_BUILT_IN, *(entry.name for entry in _installed())})


def fingerprint(name: str = DEFAULT_ALGORITHM) -> Algorithm:
    """Return the algorithm called `name`. The built-in ones cannot be replaced by a plug-in.

    Raises:
        ValueError: no algorithm of that name is installed, or its plug-in cannot be loaded.
    """
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    for entry in _installed():
        if entry.name == name:
            return _load(entry)
    raise ValueError(
        f"no fingerprint algorithm {name!r} is installed; expected one of {', '.join(available())}"
    )


def compute(steps: Iterable[Step], name: str = DEFAULT_ALGORITHM) -> Fingerprint:
    """Fingerprint a run without ever raising because of a plug-in.

    Where the algorithm is missing, raises, or returns something that is not one line of text,
    the value is `cua_v1`'s and `problem` says why. `steps` is read once.
    """
    if name == DEFAULT_ALGORITHM:
        return Fingerprint(cua_v1(steps))
    tee = _TokenTee(steps)
    try:
        return Fingerprint(_one_line(fingerprint(name)(tee)))
    except Exception as error:  # noqa: BLE001 - a broken plug-in must not break a close
        problem = f"fingerprint {name!r} failed with {type(error).__name__}; cua_v1 was used"
        return Fingerprint(cua_v1_of_tokens(tee.all_tokens()), problem)


def resolve_algorithm(name: str | None = None) -> Algorithm:
    """Return the algorithm called `name`, by the published function's name.

    Raises:
        ValueError: No algorithm of that name is installed.
    """
    return fingerprint(name or DEFAULT_ALGORITHM)


def compute_trajectory_fingerprint(steps: Iterable[Step], *, algorithm: str | None = None) -> str:
    """Fingerprint a run's canonical steps, in order; by the published function's name.

    Raises:
        ValueError: No algorithm of that name is installed.
    """
    return resolve_algorithm(algorithm)(steps)


class _TokenTee:
    """Passes steps on to a plug-in and keeps their tokens, in case the plug-in fails half-way."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = iter(steps)
        self._tokens: list[str] = []

    def __iter__(self) -> Iterator[Step]:
        for step in self._steps:
            self._tokens.append(step_token(step))
            yield step

    def all_tokens(self) -> list[str]:
        for _ in self:
            pass
        return self._tokens


def _installed() -> Iterable[EntryPoint]:
    from importlib.metadata import entry_points  # a seventh of the package's import time

    return entry_points(group=_GROUP)


def _load(entry: EntryPoint) -> Algorithm:
    try:
        algorithm = entry.load()
    except Exception as error:
        raise ValueError(
            f"fingerprint {entry.name!r} ({entry.value}) cannot be loaded: {type(error).__name__}"
        ) from error
    return algorithm  # type: ignore[no-any-return]  # an entry point's signature cannot be checked


def _one_line(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= _MAX_LENGTH:
        raise TypeError("a fingerprint must be one line of text")
    return value
