"""A second look at a bundle: what today's rules find in it, and where; never the secret itself.

A bundle that this version wrote has no findings under the policy that wrote it. Findings come from
older versions, other producers, edits by hand, or a stricter policy.
"""

from __future__ import annotations

import codecs
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from augur_sdk.errors import BundleReadError
from augur_sdk.redaction.markers import ERROR, MARKER
from augur_sdk.redaction.policy import DefaultRedactionPolicy, RedactionPolicy

__all__ = ["Coverage", "Finding", "audit_bundle", "coverage"]

_PICTURES: Final = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".gif", ".mp4", ".webm", ".gz", ".zip"}
)
_SNIFFED: Final = 8192
_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something that the rules would redact now."""

    path: str
    """The file, relative to the bundle; itself redacted."""

    where: str
    """`line 12`, a JSON pointer (`/action/params/text`), both, or `file name`."""

    rule: str
    """The marker's kind, `mask` or `drop` for keys, `redactor` for a policy's own."""

    count: int = 1


def audit_bundle(
    folder: str | os.PathLike[str], policy: RedactionPolicy | None = None
) -> list[Finding]:
    """Everything that a policy would redact in the text files of a bundle, by file and place.

    Pictures are not looked at.

    Args:
        folder: the bundle.
        policy: the policy to look with; `DefaultRedactionPolicy` unless given.

    Raises:
        BundleReadError: the folder is not there, or a file in it cannot be read.
    """
    root = Path(folder)
    if not root.is_dir():
        raise BundleReadError(f"{root.name} is no folder", fix="Give the folder of a bundle.")
    auditor = _Auditor(policy or DefaultRedactionPolicy())
    counts: Counter[tuple[str, str, str]] = Counter()
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink():
            counts.update(auditor.file(path, path.relative_to(root).as_posix()))
    return sorted(Finding(*place, count) for place, count in counts.items())


class _Auditor:
    def __init__(self, policy: RedactionPolicy) -> None:
        self._policy = policy

    def file(self, path: Path, name: str) -> Iterator[tuple[str, str, str]]:
        shown = self._redacted(name)
        for rule in _rules(name, shown):
            yield shown, "file name", rule
        for where, rule in self._content(path):
            yield shown, where, rule

    def _content(self, path: Path) -> Iterator[tuple[str, str]]:
        if path.suffix.lower() in _PICTURES:
            return iter(())
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise BundleReadError(f"{path.name} cannot be read: {error.strerror}") from None
        text = _decoded(raw)
        if text is None:
            return iter(())
        if path.suffix == ".jsonl":
            return self._records(text)
        return self._document(text) if path.suffix == ".json" else self._lines(text)

    def _document(self, text: str) -> Iterator[tuple[str, str]]:
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            return self._lines(text)
        return self._compare(value, self._policy.apply(value), "")

    def _records(self, text: str) -> Iterator[tuple[str, str]]:
        for number, line in enumerate(text.splitlines(), 1):
            try:
                value = orjson.loads(line)
            except orjson.JSONDecodeError:
                value = line
            for where, rule in self._compare(value, self._policy.apply(value), ""):
                yield f"line {number} {where}".rstrip(), rule

    def _lines(self, text: str) -> Iterator[tuple[str, str]]:
        seen: Counter[str] = Counter()
        text = _ESCAPE.sub(_character, text)
        for number, line in enumerate(text.splitlines(), 1):
            for rule in self._text(line):
                seen[rule] += 1
                yield f"line {number}", rule
        for rule in (Counter(self._text(text)) - seen).elements():
            yield "across lines", rule

    def _text(self, text: str) -> Iterator[str]:
        return _rules(text, self._redacted(text))

    def _redacted(self, text: str) -> str:
        redacted = self._policy.apply(text)
        return redacted if isinstance(redacted, str) else ERROR

    def _compare(self, old: Any, new: Any, pointer: str) -> Iterator[tuple[str, str]]:
        if isinstance(old, dict) and isinstance(new, dict):
            yield from self._compare_fields(old, new, pointer)
        elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            for index, (before, after) in enumerate(zip(old, new, strict=True)):
                yield from self._compare(before, after, f"{pointer}/{index}")
        elif old != new:
            before, after = (item if isinstance(item, str) else "" for item in (old, new))
            for rule in _rules(before, after):
                yield pointer, rule

    def _compare_fields(
        self, old: dict[str, Any], new: dict[str, Any], pointer: str
    ) -> Iterator[tuple[str, str]]:
        for key, value in old.items():
            shown = self._redacted(key)
            place = f"{pointer}/{shown}"
            for rule in _rules(key, shown):
                yield place, rule
            if shown in new:
                yield from self._compare(value, new[shown], place)
            else:
                yield place, "drop"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What an audit could look into; names of files are always looked at."""

    files: int
    unread_files: int
    """Pictures, archives and other binary files."""
    bytes: int
    unread_bytes: int


def coverage(folder: str | os.PathLike[str]) -> Coverage:
    """How much of a bundle `audit_bundle` looks into."""
    root = Path(folder)
    paths = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    sizes = [(path.stat().st_size, _is_read(path)) for path in paths]
    unread = [size for size, read in sizes if not read]
    return Coverage(len(sizes), len(unread), sum(size for size, _ in sizes), sum(unread))


def _is_read(path: Path) -> bool:
    if path.suffix.lower() in _PICTURES:
        return False
    with path.open("rb") as file:
        return _decoded(file.read(_SNIFFED)) is not None


def _decoded(raw: bytes) -> str | None:
    """The text of a file in UTF-8 or UTF-16; None for what is no text."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", "replace")
    head = raw[:_SNIFFED]
    if b"\0" not in head:
        return raw.decode("utf-8", "replace")
    odd, even = head[1::2].count(0), head[::2].count(0)
    if max(odd, even) > 0.4 * len(head) and min(odd, even) < 0.05 * len(head):
        return raw.decode("utf-16-le" if odd > even else "utf-16-be", "replace")
    return None


def _character(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16))


def _rules(before: str, after: str) -> Iterator[str]:
    """The kinds of the markers that are new; `redactor` for a change without one."""
    if before == after:
        return iter(())
    new = Counter(MARKER.findall(after)) - Counter(MARKER.findall(before))
    return new.elements() if new else iter(("redactor",))
