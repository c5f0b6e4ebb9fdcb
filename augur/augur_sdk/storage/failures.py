"""What a store's failures are called, and how a vendor's error becomes one of them.

Messages are built from a closed vocabulary: a vendor's own text may quote a signed URL.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from augur_sdk.errors import AugurError

__all__ = ["Reason", "StoreError", "classify", "mapped_read_errors", "mapped_write_errors"]

Reason = Literal["unavailable", "timeout", "denied", "missing", "refused"]

_EXPLAINED: Final[dict[Reason, tuple[str, str]]] = {
    "unavailable": ("the store could not be reached or failed", "Try again later."),
    "timeout": ("the store did not answer in time", "Try again later, or raise `timeout`."),
    "denied": ("the store refused the credentials", "Renew them, or grant read and write."),
    "missing": ("the bucket or container does not exist", "Create it, or correct its name."),
    "refused": ("the store refused the request", "It will not succeed when repeated."),
}


class StoreError(AugurError, OSError):
    """A store that could not do what it was asked.

    Attributes:
        reason: `unavailable`, `timeout`, `denied`, `missing` (bucket or container) or `refused`.
            The first two heal by themselves, the next two when somebody acts, the last never.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        what, fix = _EXPLAINED[reason]
        self.reason: Reason = reason
        super().__init__(f"{what}{f' ({detail})' if detail else ''}. {fix}")

    def __reduce__(self) -> tuple[type[StoreError], tuple[Reason]]:
        """Survive a process pool: OSError's own pickling would lose the reason."""
        return StoreError, (self.reason,)


_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>([A-Za-z0-9.]{1,64})</Code>")
_DENIED = re.compile(
    r"ExpiredToken|InvalidAccessKeyId|SignatureDoesNotMatch|AccessDenied|InvalidToken|"
    r"RequestTimeTooSkewed|TokenRefreshRequired|AuthenticationFailed|[Cc]redential|status: 40[13]\b"
)
_TIMEOUT = re.compile(r"TimedOut|timed out|deadline has elapsed|kind: Timeout")
_TYPES: Final[dict[str, Reason]] = {
    "FileNotFoundError": "missing",
    "PermissionDeniedError": "denied",
    "UnauthenticatedError": "denied",
    "TimeoutError": "timeout",
    "InvalidPathError": "refused",
    "NotSupportedError": "refused",
    "UnknownConfigurationKeyError": "refused",
    "ValueError": "refused",
}


def classify(error: BaseException) -> StoreError:
    """The failure that a vendor's or a user's own exception stands for."""
    if isinstance(error, StoreError):
        return error
    text = str(error)
    return StoreError(_reason(error, text), _detail(text))


def _reason(error: BaseException, text: str) -> Reason:
    if (known := _TYPES.get(type(error).__name__)) is not None:
        return known
    status = _status(text)
    if status in {408, 429} or status >= 500:
        return "unavailable"
    if _DENIED.search(text):
        return "denied"
    if status >= 400:
        return "refused"
    return "timeout" if _TIMEOUT.search(text) else "unavailable"


def _status(text: str) -> int:
    found = _STATUS.search(text)
    return int(found[1]) if found else 0


def _detail(text: str) -> str:
    found = _CODE.search(text)
    words = [str(_status(text) or ""), found[1] if found else ""]
    return " ".join(word for word in words if word)


@contextmanager
def mapped_write_errors() -> Iterator[None]:
    """Turn what a vendor's client raises into a StoreError that quotes no URL.

    What is wrong with the caller's own arguments or local file comes out as it is.
    """
    try:
        yield
    except (AugurError, MemoryError):
        raise
    except FileNotFoundError as error:
        if error.errno is None:  # the vendor's word for an absent bucket
            raise classify(error) from None
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it leaves as a StoreError
        raise classify(error) from None


@contextmanager
def mapped_read_errors(relpath: str) -> Iterator[None]:
    """The same for reads, where an absent object is the FileNotFoundError of every store."""
    try:
        yield
    except AugurError:
        raise
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), relpath) from None
    except Exception as error:  # noqa: BLE001 - whatever it is, it leaves as a StoreError
        raise classify(error) from None
