"""`ModelApiAdapterBase`: a model API's message log as a bundle (contract/behaviour.md)."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, cast

from augur_sdk.adapters.actions import as_action, grounding_of
from augur_sdk.adapters.import_report import ImportLossWarning, ImportReport
from augur_sdk.adapters.logged_message import LoggedMessage, read_message
from augur_sdk.adapters.logprobs import logprobs_in
from augur_sdk.adapters.message_log import LINE_SUFFIXES, open_log
from augur_sdk.adapters.plain import as_plain
from augur_sdk.adapters.reasoning import reasoning_in
from augur_sdk.bundle import layout
from augur_sdk.errors import RecordError
from augur_sdk.models import SUPPORTED_SCHEMA_RANGE, DecisionEvent, Observation, StepTrace
from augur_sdk.times import utc_now

__all__ = ["ModelApiAdapterBase"]

Message = Mapping[str, Any]


class ModelApiAdapterBase:
    """An adapter for a model API whose tool calls are the agent's actions.

    A subclass sets `name` and implements `iter_tool_calls`; the rest has defaults. One instance
    serves any number of imports, one at a time, and the hooks of a live run as well.

    Class attributes that a subclass or an instance may set: `capture_mode` of the bundles it
    writes, `client_version`, and `redaction_policy` (None: the default policy).
    """

    name: ClassVar[str] = "model-api"
    SUPPORTED_SCHEMA_RANGE: ClassVar[tuple[str, str]] = SUPPORTED_SCHEMA_RANGE

    capture_mode: str = "full"
    client_version: str | None = None
    redaction_policy: Any = None
    screenshot_filename_template: str = "{step_index:04d}_{kind}.png"
    """Where the screenshot of a step lies in the folder of screenshots."""
    report: ImportReport | None = None
    """What the latest `bundle_from_input` read, wrote and passed over."""

    # What a subclass provides

    def iter_tool_calls(
        self,
        messages: Iterable[Message],  # noqa: ARG002 - what a subclass reads
    ) -> Iterator[tuple[int, int, dict[str, Any]]]:
        """The actions of a run, in order.

        Args:
            messages: As `load_messages` gave them. They may be read from a file while you
                iterate: go through them once, in order, and keep none.

        Yields:
            `(turn_index, tool_call_index, action)`: the position of the response in `messages`,
            the position of the action in that response, and an action: `type`, with parameters
            under `params` or beside it.
        """
        raise TypeError(f"{type(self).__name__} must implement iter_tool_calls")

    def load_messages(self, input_path: Path) -> tuple[Iterable[Message], dict[str, Any]]:
        """Read a log: its messages, and its metadata.

        The default reads one JSON file `{"messages": [...], "metadata": {...}}`, or a `.jsonl`
        file with a message a line. Metadata that an import uses: `run_id`, `started_at`,
        `status`, `task`, `tags`, `model`, `system`, `tools`.

        Raises:
            ValueError: The file is not such a log.
            OSError: It cannot be read.
        """
        return open_log(input_path)

    def read_message(self, message: Message) -> LoggedMessage:
        """What a message says besides its actions: text, time, screenshots, results."""
        return read_message(message)

    def find_screenshot(self, screens_dir: Path, step_index: int, kind: str) -> Path | None:
        """The screenshot of a step (`kind` is `pre` or `post`) in a folder, if there is one."""
        name = self.screenshot_filename_template.format(step_index=step_index, kind=kind)
        path = screens_dir / name
        return path if path.is_file() else None

    def grounding_provider(self) -> str:
        """Who aimed the actions, as grounding names it: the adapter's name unless overridden."""
        return self.name

    # What it provides

    def bundle_from_input(
        self,
        input_path: str | Path,
        output_dir: str | Path,
        *,
        screens_dir: str | Path | None = None,
        run_id: str | None = None,
    ) -> Path:
        """Write the bundle of a logged run. Nothing is sent anywhere.

        Steps are `succeeded` (`failed` where the log says that the tool call was), with verdict
        `unknown`. Times are the log's; a log without any gets a second a message from
        1970-01-01, so that the same log always gives the same records. Records of the log that
        cannot be read are skipped, counted in `report`, noted in the bundle's events and
        warned about (ImportLossWarning).

        Args:
            input_path: The log; a folder means its first `.json` (else `.jsonl`) file.
            output_dir: Where the bundle goes.
            screens_dir: Screenshots beside the log, see `find_screenshot`; they win over
                those inside it. Default: `screens/` beside the log.
            run_id: Default: `run_id` of the log's metadata, else the file's name.

        Returns:
            The bundle's folder.

        Raises:
            ValueError: The file is not a log of this kind.
            OSError: It cannot be read, or the bundle not written.
        """
        from augur_sdk.adapters.run_import import import_run

        source = _log_file(Path(input_path))
        messages, metadata = self.load_messages(source)
        screens = Path(screens_dir) if screens_dir is not None else source.parent / "screens"
        report = ImportReport(
            source, Path(output_dir), run_id or str(metadata.get("run_id") or source.stem)
        )
        self.report = report
        import_run(self, messages, metadata, screens if screens.is_dir() else None, report)
        if report.losses:
            warnings.warn(report.losses, ImportLossWarning, stacklevel=2)
        return report.bundle

    @staticmethod
    def extract_reasoning_from_response(response: Any) -> list[dict[str, Any]]:
        """The readable reasoning of a response: thinking blocks, reasoning summaries.

        Args:
            response: A dict or the vendor SDK's object.

        Returns:
            One dict a block, each fit for `session.record_reasoning(step_index, **block)`.
        """
        return reasoning_in(response)

    @staticmethod
    def extract_logprobs_from_response(response: Any) -> list[dict[str, Any]] | None:
        """The token log probabilities of a response, for `response.logprobs` of a modelio record.

        Args:
            response: A dict or the vendor SDK's object.

        Returns:
            Entries of `token`, `token_id`, `logprob`, `top_alternatives`, without what the vendor
            did not give; None when nobody asked for them, an empty list when somebody did and the
            vendor gave none.
        """
        return logprobs_in(response)

    # The hooks of a live run

    def on_run_start(self, *, run_id: str, client_version: str) -> dict[str, str] | None:  # noqa: ARG002 - the protocol's signature
        """Tags for the session: which adapter recorded it."""
        return {"augur.adapter": self.name}

    def on_step(self, raw_step: Any) -> StepTrace | None:
        """A step from a mapping with `step_index`, `action` and any other fields of a step.

        What is left out is filled in as an import does: id, type, status, time, verdict,
        grounding. None for a mapping without `step_index`.
        """
        raw = as_plain(raw_step)
        if not isinstance(raw, dict) or not isinstance(raw.get("step_index"), int):
            return None
        index = raw["step_index"]
        given = raw.pop("action", None)
        action = self.on_action(given, index) if given is not None else None
        started_at = raw.get("started_at") or utc_now()
        step = self.step_record(index, action or None, started_at)
        return cast("StepTrace", {**step, **raw})

    def on_action(self, raw_action: Any, step_index: int) -> dict[str, Any]:  # noqa: ARG002 - the protocol's signature
        """An action record from the API's action: parameters untouched, under `params`.

        Empty where there is no usable action type.
        """
        raw = as_plain(raw_action)
        return (as_action(raw) or {}) if isinstance(raw, dict) else {}

    def on_decision(self, raw_event: Any, step_index: int | None) -> DecisionEvent:
        """A decision event from a text, or from a mapping with any fields of one."""
        raw = as_plain(raw_event)
        given = raw if isinstance(raw, dict) else {"summary": str(raw)}
        event: dict[str, Any] = {
            "ts": utc_now(),
            "layer": "adapter",
            "kind": "info",
            "summary": "",
            **given,
        }
        if step_index is not None:
            event["step_index"] = step_index
        return cast("DecisionEvent", event)

    def on_observation(self, raw_obs: Any, step_index: int) -> Observation:
        """An observation from a screenshot's bytes, or from a mapping with any fields of one.

        Raises:
            ValueError: Neither a picture nor a mapping.
        """
        from augur_sdk.images.probe import observation, probe

        artifact = layout.screenshot_path(step_index, "pre")
        if isinstance(raw_obs, bytes | bytearray | memoryview) and probe(raw_obs).ok:
            return cast("Observation", observation(bytes(raw_obs), {"artifact": artifact}))
        given = as_plain(raw_obs)
        if not isinstance(given, dict):
            raise RecordError("the observation is no picture", expected="PNG, JPEG or WebP bytes")
        defaults = {"artifact": artifact, "coordinate_space": "screenshot_px"}
        return cast("Observation", {**defaults, **given})

    def on_run_end(self, *, status: str) -> None:
        """Nothing to do: an import and a live run keep no state here."""

    def step_record(
        self, step_index: int, action: dict[str, Any] | None, started_at: str
    ) -> StepTrace:
        """A step as this adapter writes it, before anything is known of how it went."""
        step: dict[str, Any] = {
            "step_id": f"step_{step_index:04d}",
            "step_index": step_index,
            "step_type": action["type"] if action else "unknown",
            "status": "succeeded",
            "started_at": started_at,
            "verdict": {"status": "unknown", "reason": "no native verifier"},
        }
        if action:
            grounding = grounding_of(action, self.grounding_provider())
            step |= {"action": action} | ({"grounding": grounding} if grounding else {})
        return cast("StepTrace", step)


def _log_file(path: Path) -> Path:
    if not path.is_dir():
        return path
    suffixes = [{".json"}, LINE_SUFFIXES]
    files = sorted(p for p in path.iterdir() if p.is_file())
    found = (p for wanted in suffixes for p in files if p.suffix.lower() in wanted)
    first = next(found, None)
    if first is None:
        raise RecordError(f"{path} holds no log", expected="a .json or .jsonl file in it")
    return first
