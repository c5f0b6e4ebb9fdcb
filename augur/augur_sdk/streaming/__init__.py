"""Streaming: what takes a run's records to a server (docs/streaming.md, contract/http.md).

`DSN` and `StreamingSink` are documented; the rest serves sessions and may change.
"""

from augur_sdk.streaming.dsn import DSN
from augur_sdk.streaming.sink import StreamingSink

__all__ = ["DSN", "StreamingSink"]
