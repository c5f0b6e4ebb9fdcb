"""Every exception that this package raises on purpose.

    AugurError
    ├── RecordError (ValueError)         a record or argument that cannot be understood
    │   └── UnknownIdError (LookupError)  a step, an effect or a fixture that is not there
    ├── SessionStateError (RuntimeError) a call at the wrong time in a session's life
    ├── BundleInUseError (RuntimeError)  another live session writes to the same folder
    ├── BundleReadError (ValueError)     a bundle, or part of it, that cannot be read
    ├── ParentBundleError (FileNotFoundError, ValueError)  a replay without anything to replay
    ├── MissingExtraError (ImportError)  a feature whose optional dependency is absent
    ├── StoreError (OSError)             a store that failed; lives in `augur_sdk.storage`
    └── RunKilled                        the operator ended the run

Each message says what was wrong, what was expected, and what to do. No message carries a value
of the caller's: values may be secrets.
"""

from __future__ import annotations

__all__ = [
    "AugurError",
    "BundleInUseError",
    "BundleReadError",
    "MissingExtraError",
    "ParentBundleError",
    "RecordError",
    "RunKilled",
    "SessionStateError",
    "UnknownIdError",
]


class AugurError(Exception):
    """The root of this package's exceptions."""


class RecordError(AugurError, ValueError):
    """A record or an argument that cannot be understood, or in strict mode is not clean.

    `reason` says of which kind the fault is, in one word of a small set: `session.stats` counts
    refused calls by it.
    """

    def __init__(
        self, what: str, *, expected: str = "", fix: str = "", reason: str = "not_understood"
    ) -> None:
        self.reason = reason
        super().__init__(_sentence(what, expected=expected, fix=fix))


class UnknownIdError(RecordError, LookupError):
    """A call names a step, or a side effect, that was never recorded."""

    def __init__(self, what: str, *, expected: str = "", fix: str = "") -> None:
        super().__init__(what, expected=expected, fix=fix, reason="unknown_id")


class SessionStateError(AugurError, RuntimeError):
    """A call at the wrong time: before the session was opened, or after it was closed."""

    reason = "wrong_time"

    def __init__(self, what: str, *, fix: str = "") -> None:
        super().__init__(_sentence(what, fix=fix))


class BundleInUseError(AugurError, RuntimeError):
    """Another live session is writing to the same folder."""

    def __init__(self, folder: str) -> None:
        super().__init__(
            f"{folder} is being written by another live session; expected a folder of its own for "
            "each session. Pass another out_dir, or close the other session first."
        )


class BundleReadError(AugurError, FileNotFoundError, ValueError):
    """A bundle, or a part of it, that is not there or cannot be read."""

    def __init__(self, what: str, *, fix: str = "") -> None:
        super().__init__(_sentence(what, fix=fix))


class ParentBundleError(AugurError, FileNotFoundError, ValueError):
    """A replay branch was asked for, and there is no finished bundle of the parent's."""

    def __init__(self, what: str) -> None:
        super().__init__(
            _sentence(
                what,
                expected="parent_bundle to be the folder of the parent's finished bundle",
                fix='Recover that bundle if its run was killed, or pass mode="sandbox".',
            )
        )


class MissingExtraError(AugurError, ImportError):
    """A feature was asked for whose optional dependency is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs an optional dependency: pip install 'augur-sdk[{extra}]'"
        )


class RunKilled(AugurError):  # noqa: N818 - an outcome that the operator chose, not an error
    """The operator ended the run. Stop acting; leaving the session closes it as `halted`."""

    def __init__(self, command_id: str | None = None, operator_id: str | None = None) -> None:
        self.command_id = command_id
        self.operator_id = operator_id
        who = f" by operator {operator_id}" if operator_id else ""
        super().__init__(f"the run was killed{who}; stop acting and leave the session")


def _sentence(what: str, *, expected: str = "", fix: str = "") -> str:
    parts = [what]
    if expected:
        parts.append(f"expected {expected}")
    text = "; ".join(parts)
    return f"{text}. {fix}" if fix else text
