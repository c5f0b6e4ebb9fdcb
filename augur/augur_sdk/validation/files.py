"""The files that hold one kind of record each, recognized by their place in the layout."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from augur_sdk.bundle import layout
from augur_sdk.models.validators import Problem, problems_json
from augur_sdk.validation import references
from augur_sdk.validation.contents import Contents, Source
from augur_sdk.validation.decoding import decoded

__all__ = ["check_files"]

_Check = Callable[[Contents, str, str, Any], None]


_Kinds = tuple[tuple[re.Pattern[str], str], ...]


def _kinds(*kinds: tuple[str, str]) -> _Kinds:
    return tuple((re.compile(pattern), record) for pattern, record in kinds)


_RECORDS: Final[dict[str, _Kinds]] = {
    layout.PATHS["screenshots"]: _kinds((r".+\.json", "observation")),
    layout.PATHS["events"]: _kinds(
        (r"reasoning\.jsonl", "run_reasoning"),
        (r"[^/]+\.jsonl", "decision_event"),
    ),
    layout.PATHS["modelio"]: _kinds((r"[^/]+\.json", "modelio")),
    layout.PATHS["side_effects"]: _kinds((r"[^/]+\.json", "side_effect")),
    layout.PATHS["preferences"]: _kinds((r"[^/]+\.json", "preference")),
    layout.PATHS["diagnostics"]: _kinds((r"findings\.json", "findings")),
    layout.PATHS["replay"]: _kinds(
        (r"[^/]+_fixture\.json", "replay_fixture"),
        (r"[^/]+\.prior\.json", "prior_steps"),
    ),
    "": _kinds(
        (re.escape(layout.OUTCOMES), "outcomes"),
        (re.escape(layout.EVAL_CANDIDATES), "eval_candidates"),
    ),
}
"""What a file holds, by the folder that it is in and by its name there."""


def check_files(bundle: Contents, steps: dict[str, int] | None) -> None:
    """Check every file that holds records other than steps.

    Args:
        bundle: The bundle.
        steps: The index of each step by id; None when the steps are not known.
    """
    for path in bundle.paths:
        record = _record(path)
        if record is None:
            continue
        if path.endswith(".jsonl"):
            _check_lines(bundle, path, record)
        else:
            _check_document(bundle, path, record, steps)


def _record(path: str) -> str | None:
    folder, slash, name = path.partition("/")
    for pattern, record in _RECORDS.get(folder + slash if slash else "", ()):
        if pattern.fullmatch(name or path):
            return record
    return None


def _check_lines(bundle: Contents, path: str, record: str) -> None:
    def check(source: Source) -> None:
        for number, line in enumerate(source.lines(), start=1):
            if line.strip() and (found := problems_json(record, line)):
                bundle.report_problems(f"{path}:{number}", found)

    bundle.visit(path, check)


def _check_document(bundle: Contents, path: str, record: str, steps: dict[str, int] | None) -> None:
    raw = bundle.read(path)
    if raw is None:
        return
    found = problems_json(record, raw)
    if record == "outcomes" and found:
        found = _without_empty_verdicts(found, decoded(raw))
    if any(not problem.unknown for problem in found):
        bundle.report_problems(path, found)
    elif record == "side_effect":
        _check_effect(bundle, path, decoded(raw), steps)
    elif check := _REFERENCES.get(record):
        for prefix, value in _records(decoded(raw)):
            check(bundle, path, prefix, value)


def _without_empty_verdicts(problems: list[Problem], document: Any) -> list[Problem]:
    """An outcome's empty verdict is one that nobody gave: the published SDK writes it so."""
    outcomes = document.get("outcomes") if isinstance(document, dict) else None
    empty = {
        f"outcomes.{number}.verdict.status"
        for number, outcome in enumerate(outcomes if isinstance(outcomes, list) else ())
        if isinstance(outcome, dict) and outcome.get("verdict") == {}
    }
    return [problem for problem in problems if problem.path not in empty]


_REFERENCES: Final[dict[str, _Check]] = {
    "observation": references.check_observation,
    "replay_fixture": references.check_fixture,
    "findings": references.check_finding,
}


def _records(value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, list):
        yield "", value
        return
    for position, item in enumerate(value):
        yield f"{position}.", item


def _check_effect(
    bundle: Contents, path: str, effect: dict[str, Any], steps: dict[str, int] | None
) -> None:
    """Check an effect's step. Without a `step_id` its step was never recorded, which is legal."""
    step_id = effect.get("step_id")
    if steps is None or step_id is None:
        return
    if step_id not in steps:
        bundle.report(path, "names a step that is not in the bundle", "step_id")
    elif steps[step_id] != effect["step_index"]:
        bundle.report(path, "is not the index of the step that `step_id` names", "step_index")
