"""The bundle under inspection: its files, read once, held against their signatures."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO, Final

from augur_sdk.models.validators import Problem
from augur_sdk.validation.issue import ValidationIssue, printable
from augur_sdk.validation.reading import BundleReader

__all__ = ["Contents", "Source"]

_BLOCK: Final = 1 << 20
_MAX_PROBLEMS: Final = 20
"""A file that breaks its schema everywhere is told about once and a bit, not a million times."""


class Source:
    """An open file that is hashed while it is read."""

    def __init__(self, file: BinaryIO, *, hashed: bool) -> None:
        self._file = file
        self._digest = hashlib.sha256() if hashed else None

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes; none at the end."""
        data = self._file.read(size)
        if self._digest:
            self._digest.update(data)
        return data

    def lines(self) -> Iterator[bytes]:
        """Yield the lines that are left."""
        for line in self._file:
            if self._digest:
                self._digest.update(line)
            yield line

    def digest(self) -> str | None:
        """Read what is left and return the digest of the whole file, if it is hashed."""
        while self._digest and self.read(_BLOCK):
            pass
        return self._digest.hexdigest() if self._digest else None


class Contents:
    """A bundle's files, what its manifest says of them, and the issues found so far."""

    def __init__(self, reader: BundleReader) -> None:
        self._reader = reader
        self._unchecked: dict[str, str] = {}
        self.files: frozenset[str] = frozenset(reader.paths())
        self.paths: Sequence[str] = sorted(self.files)
        self.folders: frozenset[str] = frozenset(_folders(self.files))
        self.missing: frozenset[str] = frozenset()
        self.issues: list[ValidationIssue] = []

    def trust(self, signatures: Mapping[str, str], missing: Iterable[str]) -> None:
        """Take over what the manifest says: digests to hold files against, and absent files."""
        self._unchecked = dict(signatures)
        self.missing = frozenset(missing)

    @property
    def unchecked(self) -> Iterator[str]:
        """The signed files that have not been read yet."""
        return iter(sorted(self._unchecked))

    def report(self, where: str, message: str, path: str = "") -> None:
        """Note an issue."""
        self.issues.append(ValidationIssue(printable(where), message, path))

    def report_problems(self, where: str, problems: list[Problem], prefix: str = "") -> None:
        """Note the problems of a record that is at `prefix` in the file.

        A field that nobody here knows is none: other producers of the format, and newer ones,
        write fields of their own.
        """
        problems = [problem for problem in problems if not problem.unknown]
        for problem in problems[:_MAX_PROBLEMS]:
            path = ".".join(part for part in (prefix, problem.path) if part)
            self.report(where, problem.message, path)
        if len(problems) > _MAX_PROBLEMS:
            self.report(where, f"{len(problems) - _MAX_PROBLEMS} more problems", prefix)

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or None (and an issue) when it cannot be read."""
        signature = self._unchecked.pop(path, None)
        try:
            raw = self._reader.read(path)
        except OSError as error:
            self._report_unreadable(path, error)
            return None
        if signature is not None:
            self._hold_against(path, signature, hashlib.sha256(raw).hexdigest())
        return raw

    def visit(self, path: str, work: Callable[[Source], None]) -> None:
        """Do something with an open file, then hold the file against its signature.

        A file that cannot be read is an issue.
        """
        signature = self._unchecked.pop(path, None)
        try:
            with self._reader.open(path) as file:
                source = Source(file, hashed=signature is not None)
                work(source)
                digest = source.digest()
        except OSError as error:
            self._report_unreadable(path, error)
            return
        if signature is not None:
            self._hold_against(path, signature, digest)

    def _hold_against(self, path: str, signature: str, digest: str | None) -> None:
        if digest != signature:
            self.report(path, "was changed: it does not match its signature")

    def _report_unreadable(self, path: str, error: OSError) -> None:
        self.report(path, f"cannot be read: {error.strerror or type(error).__name__}")

    def has(self, path: str) -> bool:
        """Whether the bundle holds a file or a folder at a path."""
        return path in self.files or path.rstrip("/") in self.folders


def _folders(files: Iterable[str]) -> set[str]:
    folders, found = {file.rpartition("/")[0] for file in files}, set[str]()
    while folders := folders - found - {""}:
        found |= folders
        folders = {folder.rpartition("/")[0] for folder in folders}
    return found
