"""Sessions: two thin classes over one core. `DebugSession` is importable from here, too."""

from typing import TYPE_CHECKING, Final

from augur_sdk._later import later

if TYPE_CHECKING:
    from augur_sdk.session.aio import AsyncDebugSession
    from augur_sdk.session.blocking import DebugSession

__all__ = ["AsyncDebugSession", "DebugSession"]

_LATER: Final = {
    "AsyncDebugSession": "augur_sdk.session.aio",
    "DebugSession": "augur_sdk.session.blocking",
}

if not TYPE_CHECKING:  # type checkers see the imports above, and report any other name
    __getattr__, __dir__ = later(__name__, _LATER)
