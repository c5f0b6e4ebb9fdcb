"""The steps: trace.json, the files under steps/, and that the two agree."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from augur_sdk.bundle import layout
from augur_sdk.bundle.trace_scan import TracePart, TraceSyntaxError, trace_parts
from augur_sdk.models.validators import Problem, problems_json
from augur_sdk.validation import references
from augur_sdk.validation.contents import Contents, Source
from augur_sdk.validation.decoding import decoded, differs

__all__ = ["StepCheck"]

_STEP_FILE = re.compile(
    re.escape(layout.PATHS["steps"]) + r"(?P<index>[0-9]{4,15})(?P<iteration>/[0-9a-f]{8})?\.json"
)

_MARGIN: Final = b"\n    "
"""What stands between two lines of a step in the trace, where its own file has a line break."""

_MAX_INDEX: Final = 2**53 - 1
"""The largest integer that every JSON reader holds exactly."""


@dataclass
class StepCheck:
    """One pass over trace.json beside steps/, holding one step at a time.

    Attributes:
        indices: The index of each step by its id, iterations included.
        session: The session record; None when the trace has no readable one.
        complete: Whether the trace was read to its end.
    """

    bundle: Contents
    indices: dict[str, int] = field(default_factory=dict)
    session: Mapping[str, Any] | None = None
    complete: bool = False
    count: int = 0
    _last_index: int = -1
    _keys: set[str] = field(default_factory=set)
    _iterations: dict[int, int] = field(default_factory=dict)
    _visited: set[str] = field(default_factory=set)

    def run(self) -> None:
        """Check the trace, then the step files that it did not lead to."""
        if layout.TRACE in self.bundle.files:
            self.bundle.visit(layout.TRACE, self._check_trace)
        else:
            self._report("is not there")
        self._check_other_files()

    @property
    def stored(self) -> int:
        """How many steps the bundle stores, iterations included."""
        return self.count + sum(total - 1 for total in self._iterations.values())

    def _report(self, message: str, path: str = "") -> None:
        self.bundle.report(layout.TRACE, message, path)

    def _check_trace(self, source: Source) -> None:
        try:
            for part in trace_parts(source):
                self._keys.add(part.key)
                if part.position is not None:
                    self._check_step(f"steps.{part.position}", part)
                else:
                    self._check_member(part)
        except TraceSyntaxError as error:
            self._report(str(error))
            return
        self.complete = True
        for key in sorted({"session", "steps"} - self._keys):
            self._report("is required and absent", key)

    def _check_member(self, part: TracePart) -> None:
        if part.key == "session":
            self._check_session(part.raw)
        elif part.key != "steps":
            self._report("has a field that is not one of `session` and `steps`")
        elif part.raw != b"[]":
            self._report("expected an array", part.key)

    def _check_session(self, raw: bytes) -> None:
        found = problems_json("debug_session", raw)
        self.bundle.report_problems(layout.TRACE, found, "session")
        session = decoded(raw)
        self.session = session if isinstance(session, dict) else None

    def _check_step(self, place: str, part: TracePart) -> None:
        """Check a step of the trace and its file; what both have wrong is told of the file."""
        self.count += 1
        found = problems_json("step_trace", part.raw)
        step = decoded(part.raw) if part.value is None else part.value
        identity = _identity(step)
        path = self._file_of(identity) if identity else None
        if path is None or found != self._compare(path, part.raw, step, found):
            self.bundle.report_problems(layout.TRACE, found, place)
        if identity:
            self._check_place(place, identity, path)
            self._remember(identity, step)
        if not found:
            references.check_step(self.bundle, layout.TRACE, f"{place}.", step)

    def _file_of(self, identity: tuple[int, str]) -> str | None:
        path = layout.step_path(identity[0])
        if path in self.bundle.files:
            return path
        path = layout.iteration_path(*identity)
        return path if path in self.bundle.files else None

    def _compare(self, path: str, raw: bytes, step: Any, known: list[Problem]) -> list[Problem]:
        """Check the file of a step with known problems; returns its own, reported already."""
        self._visited.add(path)
        text = self.bundle.read(path)
        if text is None or (not known and _is_same_text(text, raw)):
            return []
        found = problems_json("step_trace", text)
        self.bundle.report_problems(path, found)
        stored = decoded(text)
        if stored is not None and differs(stored, step):
            self.bundle.report(path, "differs from the same step in trace.json")
        return found

    def _check_place(self, place: str, identity: tuple[int, str], path: str | None) -> None:
        if path is None:
            self._report("has no file of its own under steps/", place)
        if identity[0] <= self._last_index:
            self._report("is out of order: one entry per step, by `step_index`", place)
        self._last_index = max(identity[0], self._last_index)

    def _remember(self, identity: tuple[int, str], step: Mapping[str, Any]) -> None:
        index, step_id = identity
        self.indices[step_id] = index
        total = step.get("step_iterations")
        if isinstance(total, int) and total > 1:
            self._iterations[index] = total

    def _check_other_files(self) -> None:
        folders: Counter[int] = Counter()
        for found in filter(None, map(_STEP_FILE.fullmatch, self.bundle.paths)):
            if found["iteration"]:
                folders[int(found["index"])] += 1
                self._check_iteration(found[0], int(found["index"]))
            else:
                self._check_step_file(found[0])
        if self.complete:
            self._check_iteration_counts(folders)

    def _check_step_file(self, path: str) -> None:
        if path.removesuffix(".json") in self.bundle.folders:
            self.bundle.report(path, "stands beside a folder of the step's iterations")
        if path in self._visited:
            return
        raw = self.bundle.read(path)
        if raw is not None:
            self.bundle.report_problems(path, problems_json("step_trace", raw))
        if self.complete:
            self.bundle.report(path, "holds a step that is not in trace.json")

    def _check_iteration(self, path: str, index: int) -> None:
        if path in self._visited:
            return
        raw = self.bundle.read(path)
        if raw is None:
            return
        found = problems_json("step_trace", raw)
        self.bundle.report_problems(path, found)
        step = decoded(raw)
        if identity := _identity(step):
            self.indices[identity[1]] = identity[0]
            if identity[0] != index or layout.iteration_path(*identity) != path:
                self.bundle.report(path, "holds a step whose id or index belongs at another path")
        if not found:
            references.check_step(self.bundle, path, "", step)

    def _check_iteration_counts(self, folders: Counter[int]) -> None:
        for index in sorted(folders.keys() | self._iterations.keys()):
            declared = self._iterations.get(index, 1)
            if folders[index] != declared:
                self.bundle.report(
                    layout.step_path(index).removesuffix(".json") + "/",
                    f"holds {folders[index]} iterations where trace.json counts {declared}",
                )


def _is_same_text(text: bytes, raw: bytes) -> bool:
    """Whether a valid step of the trace reads in its own file as it does there.

    Valid JSON breaks lines between its tokens only, so that a margin changes nothing.
    """
    return text.removesuffix(b"\n").replace(b"\n", _MARGIN) == raw


def _identity(step: Any) -> tuple[int, str] | None:
    """Return a step's index and id, however wrong the rest of it may be."""
    if not isinstance(step, dict):
        return None
    index, step_id = _index(step.get("step_index")), step.get("step_id")
    return None if index is None or not isinstance(step_id, str) else (index, step_id)


def _index(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 0 <= value <= _MAX_INDEX and value == int(value) else None
