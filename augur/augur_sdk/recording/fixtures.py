"""Recording replay fixtures: from what the run has recorded of its steps so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from augur_sdk.bundle import layout
from augur_sdk.capture import CaptureMode
from augur_sdk.entry import Kind
from augur_sdk.errors import RecordError
from augur_sdk.models.vocabulary import ReplayMode
from augur_sdk.recording import checks
from augur_sdk.recording.bounded import Bound, Recalled
from augur_sdk.recording.state import Outlet, Privacy, Settings
from augur_sdk.recording.steps import StepRecording
from augur_sdk.recording.table import ColdStepError, Slot
from augur_sdk.redaction.typed_secrets import is_sensitive_step, mask_typed_text
from augur_sdk.replay.fixture import make_fixture

__all__ = ["FixtureRecording"]

_SHOWN: Final = 256
"""The flag of a step that a fixture shows."""

_PRIOR: Final = ("step_index", "intent", "action", "verdict")
"""What a fixture shows of an earlier step."""


@dataclass
class _Gathering:
    """The steps of a fixture, as far as they are read; `todo` holds the next earlier one last."""

    step: dict[str, Any]
    todo: list[int]
    earlier: list[dict[str, Any]] = field(default_factory=list)


class FixtureRecording(StepRecording):
    """The method that makes a step replayable."""

    def __init__(
        self, settings: Settings, outlet: Outlet, now: Callable[[], str], privacy: Privacy
    ) -> None:
        super().__init__(settings, outlet, now, privacy)
        self._fixtures: set[int] = set()
        self._gathering: dict[int, _Gathering] = {}

    def save_replay_fixture(
        self,
        step_index: int,
        *,
        mode: ReplayMode = "observation_replay",
        task: str | None = None,
        expected: Mapping[str, Any] | None = None,
        acceptable_regions: Sequence[Mapping[str, Any]] | None = None,
        region_radius: float = 24,
        fixture_id: str | None = None,
    ) -> str:
        """Save what is needed to decide a recorded step again: picture, expectation, earlier steps.

        It holds the steps as they are recorded now; saving it again replaces it. Where the capture
        mode is enforced below `screenshots`, and of a sensitive step, nothing is saved; a fixture
        that shows a step which turns out to be sensitive later is withdrawn.

        Args:
            step_index: The step; its record names the picture taken before it.
            mode: What replays it: `observation_replay`, `handler_replay`, `model_replay`,
                `sandbox_replay` or `shadow_replay`.
            task: What the agent was asked to do; the instruction of the session's task spec
                unless given.
            expected: What a replay is held against, field by field over what was captured.
            acceptable_regions: Rectangles `{"x1", "y1", "x2", "y2", "label"?}` in the space of the
                action's coordinates; a square around the grounded point unless given.
            region_radius: Half the side of that square.
            fixture_id: Derived from the step's id and the mode unless given.

        Returns:
            The fixture's path in the bundle: `replay/<step>_fixture.json`. The steps before it are
            in `replay/<step>.prior.json`.

        Raises:
            ValueError: No step stands there, it names no picture taken before it, or an argument
                cannot be understood.
            RuntimeError: The session is not open.
        """
        self._require_steps("save_replay_fixture")
        index = checks.step_index(step_index)
        path = layout.fixture_path(index)
        if self.off:
            return path
        slot = self._slot_at(index)
        if not self._bound_of(slot).keeps(CaptureMode.SCREENSHOTS):
            return path
        options: dict[str, Any] = {
            "mode": mode,
            "task": self._instruction() if task is None else checks.string(task, "task"),
            "expected": None if expected is None else checks.mapping(expected, "expected"),
            "acceptable_regions": _regions(acceptable_regions),
            "region_radius": checks.number(region_radius, "region_radius"),
            "fixture_id": None if fixture_id is None else checks.text(fixture_id, "fixture_id"),
        }
        steps = self._gathering.pop(index, None) or self._begin_gathering(index)
        make_fixture(steps.step, **options)  # refuses before a long run's steps are read back
        fixture, prior = make_fixture(steps.step, self._read_earlier(index, steps), **options)
        raw = self._encode(fixture, "replay_fixture")
        if prior:
            earlier = self._encode(prior, "prior_steps")
            self._emit(
                Kind.PRIOR_STEPS, earlier, path=layout.prior_steps_path(index), step_index=index
            )
        self._emit(Kind.FIXTURE, raw, path=path, step_index=index)
        self._note_fixture(index)
        return path

    def _instruction(self) -> str | None:
        spec = self._session.get("task_spec")
        told = spec.get("instruction") if isinstance(spec, dict) else None
        return told if isinstance(told, str) else None

    def _fit_to_show(self, index: int) -> dict[str, Any]:
        """A step's record, with what only a step's own record would have masked."""
        step = self._decoded(index)
        if is_sensitive_step(step):
            mask_typed_text(step)
        return step

    def _begin_gathering(self, index: int) -> _Gathering:
        before = sorted((each for each in self._steps if each < index), reverse=True)
        return _Gathering(self._fit_to_show(index), before)

    def _read_earlier(self, index: int, steps: _Gathering) -> list[dict[str, Any]]:
        """What is shown of the earlier steps.

        A step that left memory ends the call, which is repeated when the step is back. What was
        read by then is kept: a long run's steps would push each other out for ever.
        """
        try:
            while steps.todo:
                step = self._fit_to_show(steps.todo[-1])
                steps.earlier.append({name: step[name] for name in _PRIOR if name in step})
                steps.todo.pop()
        except ColdStepError:
            self._gathering[index] = steps
            raise
        # Another thread may have marked one of them meanwhile.
        return [self._bound_at(each["step_index"]).step(each) for each in steps.earlier]

    def _note_fixture(self, index: int) -> None:
        self._fixtures.add(index)
        for shown in self._steps:
            slot = self._steps.slot(shown)
            if slot is not None and shown <= index:
                slot.seen |= _SHOWN

    def _withdraw(self, step_index: int, slot: Slot, bound: Bound) -> None:
        if slot.seen & _SHOWN:
            self._withdraw_fixtures(step_index, bound)
        super()._withdraw(step_index, slot, bound)

    def _withdraw_fixtures(self, step_index: int, bound: Bound) -> None:
        """Take back the fixtures that show more of a step than may be kept of it."""
        for index in sorted(self._fixtures):
            mode = CaptureMode.SCREENSHOTS if index == step_index else CaptureMode.TRACE
            if index >= step_index and not bound.keeps(mode):
                self._fixtures.discard(index)
                self._withhold(index, layout.fixture_path(index))
                self._withhold(index, layout.prior_steps_path(index))

    def _recall_fixture(self, line: Recalled) -> None:
        if line.step_index is not None:
            self._note_fixture(line.step_index)


def _regions(given: Any) -> list[dict[str, Any]] | None:
    """The regions as a list: what can be read only once would be gone when a call is repeated."""
    if given is None:
        return None
    if not isinstance(given, list | tuple):
        raise RecordError("acceptable_regions is not a list", expected="a list of rectangles")
    return [checks.mapping(region, "a region") for region in given]
