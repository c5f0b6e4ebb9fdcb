"""References from records to files: what they name is in the bundle, or absent on purpose."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from augur_sdk.bundle import layout
from augur_sdk.validation.contents import Contents

__all__ = ["check_finding", "check_fixture", "check_observation", "check_step"]

_DANGLING: Final = "names a file that is neither in the bundle nor in the manifest's `missing`"
_OUTSIDE: Final = "names a file outside the bundle"

_BUNDLE_PLACES: Final = frozenset(
    {place.partition("/")[0] for place in layout.PATHS.values()} | {layout.MANIFEST, layout.TRACE}
)
"""Where a reference that means a file of the bundle begins."""


def check_step(bundle: Contents, where: str, prefix: str, step: Mapping[str, Any]) -> None:
    """Check a valid step: its screenshots, and the evidence of its verdicts."""
    for field in ("observation_pre", "observation_post"):
        _follow(bundle, where, prefix + field, step.get(field))
    for place, reference in _evidence(step):
        if _is_bundle_place(reference):
            _follow(bundle, where, prefix + place, reference)


def check_observation(bundle: Contents, where: str, prefix: str, record: Mapping[str, Any]) -> None:
    """Check a valid observation record: its picture."""
    if not record.get("missing", False):
        _follow(bundle, where, prefix + "artifact", record["artifact"])


def check_fixture(bundle: Contents, where: str, prefix: str, record: Mapping[str, Any]) -> None:
    """Check a valid replay fixture: its picture and its prior steps."""
    for field in ("observation", "prior_steps"):
        _follow(bundle, where, prefix + field, record.get(field))


def check_finding(bundle: Contents, where: str, prefix: str, record: Mapping[str, Any]) -> None:
    """Check a valid finding: every piece of evidence."""
    for position, evidence in enumerate(record["evidence"]):
        _follow(bundle, where, f"{prefix}evidence.{position}.ref", evidence["ref"])


def _evidence(step: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _listed("verdict", step.get("verdict", {}))
    for position, decision in enumerate(step.get("judge_decisions", [])):
        place = f"judge_decisions.{position}"
        yield from _listed(place, decision)
        yield from _listed(f"{place}.verdict", decision["verdict"])


def _listed(place: str, holder: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for position, reference in enumerate(holder.get("evidence_refs", [])):
        yield f"{place}.evidence_refs.{position}", reference


def _is_bundle_place(reference: str) -> bool:
    """Whether free text means a file of the bundle: evidence may be an address or a note."""
    return _path_of(reference).partition("/")[0] in _BUNDLE_PLACES


def _path_of(reference: str) -> str:
    return reference.partition("#")[0]


def _follow(bundle: Contents, where: str, place: str, reference: str | None) -> None:
    if not reference or "://" in reference:
        return
    path = _path_of(reference)
    if path.startswith("/") or ".." in path.split("/"):
        bundle.report(where, _OUTSIDE, place)
    elif path not in bundle.missing and not bundle.has(path):
        bundle.report(where, _DANGLING, place)
