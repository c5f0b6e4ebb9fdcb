"""Streaming: what takes a run's records to a server (docs/streaming.md, contract/http.md).

`DSN` and `StreamingSink` are documented; the rest serves sessions and may change.
"""

from typing import TYPE_CHECKING, Final

from augur_sdk._later import later

if TYPE_CHECKING:
    from augur_sdk.streaming.dsn import DSN
    from augur_sdk.streaming.sink import StreamingSink

__all__ = ["DSN", "StreamingSink"]

_LATER: Final = {
    "DSN": "augur_sdk.streaming.dsn",
    "StreamingSink": "augur_sdk.streaming.sink",
}

if not TYPE_CHECKING:  # type checkers see the imports above, and report any other name
    __getattr__, __dir__ = later(__name__, _LATER)
