"""The Recorder: every recording method, without any I/O."""

from __future__ import annotations

from augur_sdk.recording.events import EventRecording
from augur_sdk.recording.observations import ObservationRecording
from augur_sdk.recording.session_fields import SessionFields
from augur_sdk.recording.steps import StepRecording

__all__ = ["Recorder"]


class Recorder(StepRecording, EventRecording, ObservationRecording, SessionFields):
    """Turns calls into entries: checks, snapshots and merges; nothing else.

    Both session classes offer these methods, with these signatures and docstrings.
    """
