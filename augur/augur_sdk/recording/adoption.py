"""Taking over the steps of another run's bundle: the prefix of a replay branch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from augur_sdk.bundle import layout
from augur_sdk.entry import Kind
from augur_sdk.recording import checks
from augur_sdk.recording.bounded import PICTURES
from augur_sdk.recording.observations import ObservationRecording

__all__ = ["Adoption"]


class Adoption(ObservationRecording):
    """What a session offers to the loader of a parent's bundle; no part of the public classes."""

    def stands(self, step_index: int) -> bool:
        """Whether a step was recorded at an index, in this process or before it resumed."""
        return step_index in self._steps

    def adopt_step(self, step: Mapping[str, Any]) -> None:
        """Record a step of the parent; a second one at its index is an iteration of it."""
        self._require_steps("branch_from")
        if self.off:
            return
        record = checks.mapping(step, "the parent's step")
        index = record["step_index"] = checks.step_index(record.get("step_index"))
        step_id = checks.text(record.get("step_id"), "step_id")
        # The parent may be a branch itself; this step is part of ours.
        record.pop("branch_context", None)
        record.pop("step_iterations", None)
        slot = self._steps.slot(index)
        if slot is None:
            self._put_canonical(index, step_id, record)
        elif slot.step_id != step_id:
            self._put_iteration(index, slot, step_id, record)

    def adopt_picture(
        self, step_index: int, kind: str, source: str, facts: Mapping[str, Any]
    ) -> None:
        """Take over a picture of the parent's by its file; `facts` is what is known of it."""
        self._require_steps("branch_from")
        if self.off:
            return
        path = layout.screenshot_path(step_index, kind)
        raw = self._encode({**facts, "artifact": path})
        if self._keeps_picture(step_index, path):
            self._emit(
                Kind.SCREENSHOT, raw, path=path, item=kind, step_index=step_index, source=source
            )
            self._saw(step_index, PICTURES[kind])

    def adopt_record(
        self, kind: Kind, record: Mapping[str, Any], path: str, *, item: str = ""
    ) -> None:
        """Take over a record of the bundle as it is, for a path of the bundle."""
        self._require_open("write_bundle")
        if not self.off:
            raw, index = self._encode(record), record.get("step_index")
            self._emit(kind, raw, path=path, item=item, step_index=index)

    def miss_picture(self, step_index: int, kind: str) -> None:
        """Say that the parent's step refers to a picture that its bundle does not hold."""
        if not self.off:
            self._withhold(step_index, layout.screenshot_path(step_index, kind))
