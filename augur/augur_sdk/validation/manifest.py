"""The manifest: whether there is a bundle at all, and what it says of the rest."""

import re
from typing import Any, Final

from augur_sdk.bundle import layout
from augur_sdk.models import SUPPORTED_SCHEMA_RANGE
from augur_sdk.models.validators import problems_json
from augur_sdk.validation.contents import Contents
from augur_sdk.validation.decoding import decoded

__all__ = ["check_manifest", "check_signatures"]

_VERSION = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})")

_ADDED_LATER: Final = ("diagnostics", "replay", "preferences", "logs")
"""What may come after the session that signed the bundle, from tools and from the runner."""


def check_manifest(bundle: Contents) -> dict[str, Any] | None:
    """Return the manifest; None, and an issue, when there is none to go by."""
    raw = bundle.read(layout.MANIFEST)
    if raw is None:
        return None
    bundle.report_problems(layout.MANIFEST, problems_json("manifest", raw))
    manifest = decoded(raw)
    if not isinstance(manifest, dict):
        return None
    _check_version(bundle, manifest.get("schema_version"))
    missing = _names(manifest.get("missing"))
    bundle.trust(_strings(manifest.get("signatures")), missing)
    for position, path in enumerate(missing):
        if path in bundle.files:
            bundle.report(layout.MANIFEST, "names a file that is there", f"missing.{position}")
    return manifest


def _strings(value: Any) -> dict[str, str]:
    items = value.items() if isinstance(value, dict) else ()
    return {path: digest for path, digest in items if isinstance(digest, str)}


def _names(value: Any) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _check_version(bundle: Contents, version: Any) -> None:
    written = _parsed(version)
    low, high = SUPPORTED_SCHEMA_RANGE
    if written and not (_parsed(low) or written) <= written <= (_parsed(high) or written):
        bundle.report(
            layout.MANIFEST,
            f"was written under another version of the format; expected {low} to {high}. "
            "Read it with the augur-sdk release that knows that version",
            "schema_version",
        )


def _parsed(version: Any) -> tuple[int, int] | None:
    found = _VERSION.match(version) if isinstance(version, str) else None
    return (int(found[1]), int(found[2])) if found else None


def check_signatures(bundle: Contents, manifest: dict[str, Any]) -> None:
    """Check the signed files that nothing has read yet, and that no other file came to them.

    A bundle without signatures is not signed, which is no issue; nor is a file of no place in the
    format.
    """
    signed = _strings(manifest.get("signatures"))
    for path in bundle.unchecked:
        if path in bundle.files:
            bundle.visit(path, lambda _: None)
        else:
            bundle.report(path, "is signed in the manifest and not there")
    if not signed:
        return
    for path in sorted(bundle.files - signed.keys()):
        if not _may_be_unsigned(path):
            bundle.report(path, "is not signed in the manifest: it was added later")


def _may_be_unsigned(path: str) -> bool:
    if not layout.belongs(path):
        return True
    hidden = any(part.startswith(".") for part in path.split("/"))
    crash_state = path in layout.CRASH_STATE
    return hidden or crash_state or path.partition("/")[0] in {layout.MANIFEST, *_ADDED_LATER}
