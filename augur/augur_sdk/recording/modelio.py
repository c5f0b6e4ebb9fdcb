"""Recording model calls: the whole input and output of each."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import orjson

from augur_sdk.bundle import layout
from augur_sdk.capture import CaptureMode
from augur_sdk.entry import Kind
from augur_sdk.errors import RecordError
from augur_sdk.models import SCHEMA_VERSION
from augur_sdk.recording import checks
from augur_sdk.recording.bounded import MODEL_CALLS, Recalled
from augur_sdk.recording.model_calls import KnownCall, stamps_of
from augur_sdk.recording.steps import StepRecording

__all__ = ["ModelIORecording"]

logger: logging.Logger = logging.getLogger("augur_sdk")


class ModelIORecording(StepRecording):
    """The method for model calls."""

    def record_modelio(
        self,
        record: Mapping[str, Any],
        *,
        step_index: int | None = None,
        layer: str | None = None,
        validate: bool = True,
        dedupe: bool = True,
    ) -> str:
        """Record one model call, input and output; it may come before its step.

        `schema_version`, `ts`, `step_index`, `layer` and `redaction_applied` are filled in, and
        with `capture_logprobs` a response without log probabilities says so. The same
        `prompt_hash` is the same call: a repeat returns the path of the one recorded before and
        stores nothing, also when it brings another response (a retry), which is logged once and
        counted in `stats`. The step's `captured_versions` get the call's `model` and
        `prompt_hash` where nobody said them.

        Args:
            record: A modelio record (contract/records.md).
            step_index: The step that made the call, where the record does not say.
            layer: Who made it (`planner`, `grounding`, ...), where the record does not say;
                `model` unless given.
            validate: Refuse a record that breaks its schema.
            dedupe: False records a repeat as one more call.

        Returns:
            The call's path in the bundle: `modelio/<step>-<layer>-<number>.json`.

        Raises:
            ValueError: An invalid record, or an unusable `step_index` or `layer`.
            RuntimeError: The session is not open.
        """
        self._require_open("record_modelio")
        call = checks.mapping(record, "the modelio record")
        index = checks.optional_step_index(_first(call.get("step_index"), step_index))
        name = checks.text(_first(call.get("layer"), layer, "model"), "layer")
        if self.off:
            return layout.modelio_path(index, name, 0)
        raw = self._encode(self._filled(call, index, name))
        if validate:
            _refuse_invalid(raw)
        return self._keep_call(orjson.loads(raw), raw, index, name, dedupe)

    def _filled(self, call: dict[str, Any], index: int | None, layer: str) -> dict[str, Any]:
        call.setdefault("schema_version", SCHEMA_VERSION)
        call.setdefault("ts", self._now())
        call["step_index"] = index
        call["redaction_applied"] = True
        call["layer"] = layer
        response = call.get("response")
        if self.settings.capture_logprobs and isinstance(response, dict):
            call["response"] = {**response, "logprobs": _first(response.get("logprobs"), [])}
        return call

    def _keep_call(
        self, call: dict[str, Any], raw: bytes, index: int | None, layer: str, dedupe: bool
    ) -> str:
        prompt = call.get("prompt_hash")
        prompt = prompt if isinstance(prompt, str) else ""
        response = orjson.dumps(call.get("response"), option=orjson.OPT_SORT_KEYS)
        kept = self._bound_at(index).keeps(CaptureMode.MODEL_IO)
        if kept:
            self._stamp(index, stamps_of(call))
        known = self._known_call(prompt) if prompt else None
        if known is not None and dedupe:
            self._count_repeat(known, response)
            return known.path
        path = self._calls.path(index, layer)
        if kept:
            self._emit(Kind.MODELIO, raw, path=path, item=prompt, step_index=index)
            self._saw(index, MODEL_CALLS)
            self._calls.took(path)
            if prompt and known is None:
                self._calls.remember(prompt, path, response)
        return path

    def _known_call(self, prompt: str) -> KnownCall | None:
        """The call under a prompt hash, unless it was withdrawn with its step."""
        known = self._calls.known(prompt)
        owner = known.path.partition("/")[2].partition("-")[0] if known is not None else ""
        slot = self._steps.slot(int(owner)) if owner.isdecimal() else None
        if slot is not None and (slot.sensitive or slot.ceiling is not None):
            return known if self._bound_of(slot).keeps(CaptureMode.MODEL_IO) else None
        return known

    def _stamp(self, index: int | None, versions: dict[str, str]) -> None:
        """Fill in what a call says of its step, now or once the step is recorded."""
        if index is None or not versions:
            return
        if self._steps.slot(index) is None:
            self._calls.stamp_later(index, versions)
            return
        known = self._decoded(index).get("captured_versions")
        before = known if isinstance(known, dict) else {}
        if versions.keys() <= before.keys():
            return

        def change(step: dict[str, Any]) -> set[str]:
            step["captured_versions"] = {**versions, **before}
            return {"captured_versions"}

        self._patch(index, change)

    def _count_repeat(self, known: KnownCall, response: bytes) -> None:
        if not self._calls.is_other_response(known, response):
            return
        self._calls.repeats += 1
        if self._calls.repeats == 1:
            logger.warning(
                "session %s: a model call repeats a prompt_hash with another response and is "
                "taken for the call recorded before; pass dedupe=False to record each attempt. "
                "session.stats counts them",
                self.settings.debug_session_id,
            )

    def _recall_modelio(self, line: Recalled) -> None:
        self._calls.took(line.path)
        self._saw(line.step_index, MODEL_CALLS)
        if line.item:
            self._calls.remember(line.item, line.path)
        if line.step_index is not None and line.step_index not in self._steps:
            self._calls.stamp_later(line.step_index, stamps_of(orjson.loads(line.data)))


def _refuse_invalid(raw: bytes) -> None:
    from augur_sdk.models.validators import problems_json  # all record shapes, and their compiler

    if found := problems_json("modelio", raw):
        raise RecordError(
            f"the modelio record breaks its schema at {found[0].path or 'its top'}: "
            f"{found[0].message}",
            fix="See contract/records.md, or pass validate=False to store it as given.",
        )


def _first(*given: Any) -> Any:
    return next((value for value in given if value is not None), None)
