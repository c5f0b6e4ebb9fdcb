"""Real servers on loopback for tests of what is built on this package (docs/streaming.md)."""

from augur_sdk.testing.faulty import FaultyServer
from augur_sdk.testing.loopback import Fault, ReceivedRequest, Reply
from augur_sdk.testing.server import CapturedRun, CaptureServer

__all__ = ["CaptureServer", "CapturedRun", "Fault", "FaultyServer", "ReceivedRequest", "Reply"]
