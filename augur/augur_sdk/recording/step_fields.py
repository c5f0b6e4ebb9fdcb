"""Adding to a recorded step: costs, versions, the environment, milestones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from augur_sdk.recording import checks, tasks
from augur_sdk.recording.callers import warn_caller
from augur_sdk.recording.steps import StepRecording

__all__ = ["StepFields"]


class StepFields(StepRecording):
    """The methods that add to a step after the fact."""

    def set_step_costs(
        self,
        step_index: int,
        *,
        total_usd: float | None = None,
        model_usd: float | None = None,
        tokens_in: int | None = None,
        tokens_out: int | None = None,
        cache_hit_tokens: int | None = None,
    ) -> None:
        """Set what a recorded step has cost; calls merge.

        Args:
            step_index: The step.
            total_usd: All costs, in US dollars.
            model_usd: Model calls, in US dollars.
            tokens_in: Prompt tokens.
            tokens_out: Completion tokens.
            cache_hit_tokens: Prompt tokens that came from a cache.

        Raises:
            ValueError: No step stands there, or a cost is not a number.
            RuntimeError: The session is not open.
        """
        costs = self.leniency.given(
            total_usd=total_usd,
            model_usd=model_usd,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            cache_hit_tokens=cache_hit_tokens,
        )
        self._merge_into("set_step_costs", step_index, "costs", costs)

    def set_step_versions(
        self,
        step_index: int,
        *,
        model: str | None = None,
        prompt: str | None = None,
        prompt_hash: str | None = None,
        tool_descriptions_hash: str | None = None,
        code_git_sha: str | None = None,
        grounder: str | None = None,
        env_fingerprint_ref: str | None = None,
    ) -> None:
        """Say which versions of its inputs a recorded step was made with; calls merge.

        `record_modelio` fills in `model` and `prompt_hash` where nobody said them.

        Args:
            step_index: The step.
            model: The model's name, as its vendor spells it.
            prompt: A readable id of the prompt.
            prompt_hash: A digest of the prompt's text.
            tool_descriptions_hash: A digest of the tool descriptions.
            code_git_sha: The commit of the agent's own code.
            grounder: The grounder's name.
            env_fingerprint_ref: Where the environment's fingerprint is, or its digest.

        Raises:
            ValueError: No step stands there, or a version is not a string.
            RuntimeError: The session is not open.
        """
        versions = _strings(
            model=model,
            prompt=prompt,
            prompt_hash=prompt_hash,
            tool_descriptions_hash=tool_descriptions_hash,
            code_git_sha=code_git_sha,
            grounder=grounder,
            env_fingerprint_ref=env_fingerprint_ref,
        )
        self._merge_into("set_step_versions", step_index, "captured_versions", versions)

    def attach_env_fingerprint(
        self,
        step_index: int,
        *,
        url_host: str | None = None,
        url_path_template: str | None = None,
        viewport_hash: str | None = None,
        dom_hash: str | None = None,
        api_shapes: dict[str, str] | None = None,
        extensions: list[str] | None = None,
    ) -> None:
        """Attach the structure of the environment to a recorded step; calls merge.

        It stands beside the visual fingerprint of the screenshot, never merged with it, so that
        drift can be traced to agent, model or environment. Nothing here is derived: only what an
        adapter probes anyway should be given.

        Args:
            step_index: The step.
            url_host: The host alone, such as `example.com`.
            url_path_template: The path with its ids taken out, such as `/users/:id`.
            viewport_hash: A digest of width, height and device scale factor.
            dom_hash: A digest of the DOM.
            api_shapes: For each API, a digest of its response's shape.
            extensions: Active browser extensions.

        Raises:
            ValueError: No step stands there, or a value has the wrong type.
            RuntimeError: The session is not open.
        """
        found: dict[str, Any] = _strings(
            url_host=url_host,
            url_path_template=url_path_template,
            viewport_hash=viewport_hash,
            dom_hash=dom_hash,
        )
        if api_shapes is not None:
            found["api_shapes"] = _texts_by_name(api_shapes)
        if extensions is not None:
            found["extensions"] = checks.strings(extensions, "extensions")
        self._merge_into("attach_env_fingerprint", step_index, "env_fingerprint", found)

    def record_subgoal_completion(
        self, step_index: int, subgoal_id: str, completion: float
    ) -> None:
        """Say how far a milestone of the task had come at a recorded step.

        The first step at which a milestone reached 1.0 is remembered, and written with every
        later completion of it.

        Args:
            step_index: The step.
            subgoal_id: The milestone; a warning where the session's task spec does not declare it.
            completion: The fraction done, clamped to 0..1.

        Raises:
            ValueError: No step stands there, or a value has the wrong type.
            RuntimeError: The session is not open.
        """
        self._require_open("record_subgoal_completion")
        if self.off:
            return
        name = checks.text(subgoal_id, "subgoal_id")
        done = checks.unit_interval(completion, "completion")
        index = checks.step_index(step_index)
        first = self._completed.get(name, index if done >= 1.0 else None)
        entry: dict[str, Any] = {"subgoal_id": name, "completion": done}
        if first is not None:
            entry["first_completed_at_step"] = first

        def change(step: dict[str, Any]) -> set[str]:
            step["subgoals_completed"] = _upserted(step.get("subgoals_completed"), entry)
            return {"subgoals_completed"}

        self._patch(index, change)
        if first is not None:
            self._completed.setdefault(name, first)
        spec = self._session.get("task_spec")
        if spec is not None and name not in tasks.declared_subgoals(spec):
            warn_caller("the session's task spec declares no subgoal of this id", UserWarning)

    def set_loop_detected(self, step_index: int, value: bool = True) -> None:
        """Say whether the agent was going round in circles at a recorded step.

        Args:
            step_index: The step.
            value: Whether it was.

        Raises:
            ValueError: No step stands there.
            RuntimeError: The session is not open.
        """
        self._require_open("set_loop_detected")
        if self.off:
            return

        def change(step: dict[str, Any]) -> set[str]:
            step["loop_detected"] = bool(value)
            return {"loop_detected"}

        self._patch(step_index, change)

    def stamp_loop(self, step_index: int) -> None:
        """Mark a step as part of a loop that was noticed, unless the agent said what it is.

        No part of the public classes; also after the end, when the last steps are judged.
        """
        if "loop_detected" not in self._decoded(step_index):
            self._patch(step_index, _as_loop)

    def _merge_into(
        self, call: str, step_index: int, field: str, values: Mapping[str, Any]
    ) -> None:
        self._require_open(call)
        if self.off:
            return

        def change(step: dict[str, Any]) -> set[str]:
            before = step.get(field)
            step[field] = {**(before if isinstance(before, dict) else {}), **values}
            return {field}

        if values:
            self._patch(step_index, change)
        else:
            self._slot_at(checks.step_index(step_index))


def _as_loop(step: dict[str, Any]) -> set[str]:
    step["loop_detected"] = True
    return {"loop_detected"}


def _strings(**values: str | None) -> dict[str, Any]:
    return {name: checks.string(value, name) for name, value in values.items() if value is not None}


def _texts_by_name(shapes: Any) -> dict[str, str]:
    given = checks.mapping(shapes, "api_shapes")
    return {str(name): checks.string(shape, "an API's shape") for name, shape in given.items()}


def _upserted(known: Any, entry: dict[str, Any]) -> list[Any]:
    """A list of completions with one of them new or replaced, in its place."""
    entries: Sequence[Any] = known if isinstance(known, list) else []
    same = [
        isinstance(each, dict) and each.get("subgoal_id") == entry["subgoal_id"] for each in entries
    ]
    if not any(same):
        return [*entries, entry]
    return [entry if hit else each for each, hit in zip(entries, same, strict=True)]
