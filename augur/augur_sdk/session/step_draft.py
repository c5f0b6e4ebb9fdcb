"""A step while it happens, before it is a record."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from augur_sdk.models import CoordinateSpace, Provenance, StepStatus
from augur_sdk.times import utc_now

__all__ = ["StepDraft"]

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class StepDraft:
    """A step while it happens: what both kinds of block keep, without any recording.

    Attributes:
        index: The step's index in the run, reserved when the block is entered.
        id: Its `step_id`, made from the index unless given.
        record: The step_trace record as it stands; may be edited.
    """

    def __init__(self, step_type: str, fields: Mapping[str, Any]) -> None:
        self.index: int = -1
        self.id: str = ""
        self.record: dict[str, Any] = {"step_type": step_type, **fields}
        self._began = 0.0

    def action(
        self,
        type: str | None = None,  # noqa: A002 - the record's own word
        *,
        params: Mapping[str, Any] | None = None,
        coordinate_space: CoordinateSpace | None = None,
        dispatch_backend: str | None = None,
    ) -> None:
        """Say what was done.

        Args:
            type: The action's type; the step's type unless given.
            params: Its parameters, such as x and y.
            coordinate_space: The space in which x and y are meant.
            dispatch_backend: What carried it out.
        """
        given = {
            "params": dict(params) if params is not None else None,
            "coordinate_space": coordinate_space,
            "dispatch_backend": dispatch_backend,
        }
        self.record["action"] = {"type": type or self.record["step_type"], **_present(given)}

    def grounding(
        self,
        *,
        provider: str,
        provenance: Provenance = "screenshot",
        x: float | None = None,
        y: float | None = None,
        target_label: str | None = None,
        confidence: float | None = None,
        evidence: str | None = None,
    ) -> None:
        """Say where the target was found, and by what.

        Args:
            provider: The grounder.
            provenance: What it looked at.
            x: The target, in the action's coordinate space.
            y: The target, in the action's coordinate space.
            target_label: What the target is called.
            confidence: 0..1.
            evidence: A path in the bundle, or a sentence.
        """
        given = {
            "target_label": target_label,
            "confidence": confidence,
            "evidence": evidence,
            "coordinates": {"x": x, "y": y} if x is not None and y is not None else None,
        }
        self.record["grounding"] = {
            "provider": provider,
            "provenance": provenance,
            **_present(given),
        }

    def verdict(self, /, status: str, *, reason: str | None = None, **fields: Any) -> None:
        """Say how it went.

        Args:
            status: `passed`, `failed`, `recoverable`, `skipped` or `unknown`.
            reason: Why.
            **fields: Further fields of the verdict: score, comparator, evidence_refs, ...
        """
        self.record["verdict"] = {"status": status, **_present({"reason": reason, **fields})}

    def recovery(
        self,
        type: str,  # noqa: A002 - the record's own word
        *,
        reason: str | None = None,
        attempt: int | None = None,
    ) -> None:
        """Say what was decided after a failure.

        Args:
            type: `retry`, `alternate_grounding`, `skip`, `halt`, `replan`, `human_handoff` or
                `none`.
            reason: Why.
            attempt: Which attempt this is, from 1.
        """
        given = {"reason": reason, "attempt": attempt}
        self.record["recovery_decision"] = {"type": type, **_present(given)}

    def failed(self, failure_class: str, reason: str | None = None) -> None:
        """Say that the step failed, without raising.

        Args:
            failure_class: From the open vocabulary of contract/records.md.
            reason: Why.
        """
        self.record["failure_class"] = failure_class
        self.record["status"] = "failed"
        if "verdict" not in self.record:
            self.verdict("failed", reason=reason)

    def costs(
        self,
        *,
        total_usd: float | None = None,
        model_usd: float | None = None,
        tokens_in: int | None = None,
        tokens_out: int | None = None,
        cache_hit_tokens: int | None = None,
    ) -> None:
        """Say what the step cost; calls merge, as `set_step_costs` does for a recorded step.

        Args:
            total_usd: All of it, in US dollars.
            model_usd: What model calls cost of it.
            tokens_in: Tokens read.
            tokens_out: Tokens written.
            cache_hit_tokens: How many of the tokens read came from a cache.
        """
        given = {
            "total_usd": total_usd,
            "model_usd": model_usd,
            "tokens_in": tokens_in,
            "tokens_out": tokens_out,
            "cache_hit_tokens": cache_hit_tokens,
        }
        self.record["costs"] = {**self.record.get("costs", {}), **_present(given)}

    def status(self, status: StepStatus) -> None:
        """Set the step's status, `recovered` for example; otherwise it follows the verdict."""
        self.record["status"] = status

    def _opened(self, index: int) -> dict[str, Any]:
        self._began = time.monotonic()
        self.index = index
        self.id = str(self.record.get("step_id") or f"step-{index:04d}")
        self.record = {
            "step_id": self.id,
            "step_index": index,
            "started_at": utc_now(),
            **self.record,
        }
        return {**self.record, "status": "running"}

    def _ended(self, error: BaseException | None) -> dict[str, Any]:
        elapsed = int((time.monotonic() - self._began) * 1000)
        self.record.setdefault("ended_at", utc_now())
        self.record.setdefault("duration_ms", elapsed)
        if error is not None:
            self._raised(error)
        self.record.setdefault("status", self._outcome())
        return self.record

    def _raised(self, error: BaseException) -> None:
        name = _WORD_START.sub("_", type(error).__name__).lower()
        self.record.setdefault("failure_class", name)
        self.record["status"] = "failed"
        if "verdict" not in self.record:
            self.verdict("failed", reason=f"{type(error).__name__}: {error}")

    def _outcome(self) -> str:
        verdict = self.record.get("verdict", {}).get("status")
        return {"failed": "failed", "skipped": "skipped"}.get(verdict, "succeeded")

    def _event(self, layer: str, kind: str, summary: str, detail: dict[str, Any]) -> Any:
        event = {
            "ts": utc_now(),
            "step_index": self.index,
            "layer": layer,
            "kind": kind,
            "summary": summary,
        }
        return {**event, "detail": detail} if detail else event


def _present(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
