"""Recording what a model said it was thinking."""

from __future__ import annotations

from typing import Any

from augur_sdk.bundle import layout
from augur_sdk.capture import CaptureMode
from augur_sdk.entry import Kind
from augur_sdk.recording import checks
from augur_sdk.recording.bounded import REASONING, Bounded

__all__ = ["ReasoningRecording"]


class ReasoningRecording(Bounded):
    """The method for explicit reasoning."""

    def record_reasoning(
        self,
        step_index: int | None,
        text: str,
        *,
        tokens: int | None = None,
        format: str = "adapter_inferred",  # noqa: A002 - the record's own word
        model: str | None = None,
        ts: str | None = None,
    ) -> dict[str, Any]:
        """Record a piece of a model's explicit reasoning.

        Args:
            step_index: The step; None for the whole run.
            text: What the model wrote. Besides the usual redaction it passes the policy's
                reasoning redactors.
            tokens: How many tokens it took.
            format: Where it came from: `adapter_inferred`, `claude_extended_thinking` or
                `openai_reasoning_summary`.
            model: The model's name.
            ts: When, ISO-8601; now unless given.

        Returns:
            The record, before redaction.

        Raises:
            ValueError: No usable `step_index`, an unknown `format`, or a value of a wrong type.
            RuntimeError: The session is not open.
        """
        self._require_open("record_reasoning")
        index = checks.optional_step_index(step_index)
        record: dict[str, Any] = {
            "ts": self._now() if ts is None else checks.text(ts, "ts"),
            "text": checks.string(text, "the reasoning text"),
            **self.leniency.given(format=format, tokens=tokens, model=model),
        }
        if index is not None:
            record["step_index"] = index
        if not self.off and self._bound_at(index).keeps(CaptureMode.MODEL_IO):
            name = "run_reasoning" if index is None else "reasoning_trace"
            raw = self._encode(record, name)
            self._emit(Kind.REASONING, raw, path=layout.REASONING, step_index=index)
            self._saw(index, REASONING)
        return record
