"""Validate a whole bundle (contract/bundle.md, contract/records.md)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Checking is all that this package is for: it loads what it checks with, not its first check.
import pydantic_core  # noqa: F401 - see above

from augur_sdk.bundle import layout
from augur_sdk.errors import BundleReadError
from augur_sdk.storage.reading import is_uri, local_copy
from augur_sdk.validation.contents import Contents
from augur_sdk.validation.files import check_files
from augur_sdk.validation.issue import ValidationIssue, printable
from augur_sdk.validation.manifest import check_manifest, check_signatures
from augur_sdk.validation.reading import BundleReader, FolderReader
from augur_sdk.validation.steps import StepCheck

__all__ = ["validate_bundle", "validate_contents"]


def validate_bundle(bundle_dir: str | Path) -> list[ValidationIssue]:
    """Check a bundle in full; an empty list means that it is valid.

    Every file of the layout is held against its schema, its signature, and the other files:
    references lead somewhere, `trace.json` and `steps/` agree, ids and counts match. What the
    contract leaves optional may be absent, whoever wrote the bundle.

    Memory stays flat however long the run was: files are read one at a time, JSON lines line by
    line, `trace.json` step by step. Whatever is on disk, the answer is issues and no exception.

    Args:
        bundle_dir: The bundle's folder, the one that holds `manifest.json`, or a URI such as
            `s3://bucket/run`, of which a private copy is checked.

    Returns:
        The issues, those of the manifest first. None of them quotes recorded values.
    """
    if is_uri(bundle_dir):
        return _validate_copy(str(bundle_dir))
    return validate_contents(FolderReader(Path(bundle_dir)))


def _validate_copy(uri: str) -> list[ValidationIssue]:
    try:
        with local_copy(uri) as folder:
            reader = FolderReader(folder)
            reader.name = uri
            return validate_contents(reader)
    except (BundleReadError, OSError) as error:
        return [ValidationIssue(printable(uri), f"cannot be read: {error}")]


def validate_contents(reader: BundleReader) -> list[ValidationIssue]:
    """Check a bundle that is held somewhere else than in a folder."""
    try:
        bundle = Contents(reader)
    except OSError as error:
        return [_whole(reader, f"cannot be read: {error.strerror or type(error).__name__}")]
    except ValueError:
        return [_whole(reader, "is not the name of a folder")]
    if layout.MANIFEST not in bundle.files:
        return [_whole(reader, _without_manifest(bundle))]
    manifest = check_manifest(bundle)
    if manifest is not None:
        _check_rest(bundle, manifest)
    return bundle.issues


def _whole(reader: BundleReader, message: str) -> ValidationIssue:
    return ValidationIssue(printable(reader.name), message)


def _without_manifest(bundle: Contents) -> str:
    if layout.JOURNAL in bundle.files:
        return (
            "is an unfinished bundle: it has a journal and no manifest.json. "
            "Finish it with `augur recover`, unless its session is still running"
        )
    return "is not a bundle: it has no manifest.json"


def _check_rest(bundle: Contents, manifest: dict[str, Any]) -> None:
    steps = StepCheck(bundle)
    steps.run()
    _check_agreement(bundle, manifest, steps)
    check_files(bundle, steps.indices if steps.complete else None)
    check_signatures(bundle, manifest)


def _check_agreement(bundle: Contents, manifest: Mapping[str, Any], steps: StepCheck) -> None:
    session = steps.session or {}
    for name in ("run_id", "debug_session_id", "costs"):
        if name in session and name in manifest and session[name] != manifest[name]:
            bundle.report(layout.MANIFEST, "differs from the session's in trace.json", name)
    declared = manifest.get("step_count")
    if steps.complete and declared not in (steps.count, steps.stored):
        bundle.report(layout.MANIFEST, f"trace.json holds {steps.count} steps", "step_count")
