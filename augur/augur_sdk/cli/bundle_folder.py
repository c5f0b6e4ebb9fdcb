"""Reading a bundle's folder for showing it: a file at a time, so that length does not matter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from augur_sdk.bundle import layout
from augur_sdk.errors import BundleReadError
from augur_sdk.storage.safe_open import open_inside, read_inside, regular_names

__all__ = ["BundleFolder", "StepFile", "require_bundle"]

_STEPS_KEY: Final = b'"steps":'


def require_bundle(root: Path) -> None:
    """See that a folder holds a bundle, finished or not.

    Raises:
        BundleReadError: It does not.
    """
    marks = (layout.MANIFEST, layout.JOURNAL, layout.TRACE)
    if not any((root / mark).is_file() for mark in marks):
        raise BundleReadError(
            f"{root} is not a bundle: it holds no {layout.MANIFEST} and no {layout.JOURNAL}",
            fix="Pass the folder that the session was given as out_dir.",
        )


@dataclass(frozen=True, slots=True)
class StepFile:
    """One step as it is stored.

    Attributes:
        record: The step_trace record.
        iteration: 0 for the canonical step, then 1, 2, ... for its iterations.
    """

    record: dict[str, Any]
    iteration: int = 0


@dataclass
class BundleFolder:
    """A bundle's folder, and what could not be read in it.

    Attributes:
        root: The folder.
        unreadable: Bundle-relative paths of files that are damaged.

    Raises:
        BundleReadError: The folder holds no bundle.
    """

    root: Path
    unreadable: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        require_bundle(self.root)
        self.manifest: dict[str, Any] = self._object(layout.MANIFEST)
        self.session: dict[str, Any] = self._session()
        self._pictures = set(self.names("screenshots"))

    @property
    def complete(self) -> bool:
        """Whether the run was closed or recovered."""
        return (self.root / layout.MANIFEST).is_file()

    def names(self, part: str) -> list[str]:
        """What stands in one of the bundle's folders, sorted; nothing when it is not there."""
        folder = self.root / layout.PATHS[part]
        return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []

    def step_entries(self) -> list[str]:
        """The names in `steps/`, in the order of their index."""
        indexed = [(name.split(".")[0], name) for name in self.names("steps")]
        return [name for stem, name in sorted(indexed, key=_by_index) if stem.isdigit()]

    def steps_at(self, entry: str) -> Iterator[StepFile]:
        """The step of one entry, and its iterations in the order they began."""
        path = layout.PATHS["steps"] + entry
        if (self.root / path).is_file():
            paths = [path]
        else:
            paths = sorted(f"{path}/{file.name}" for file in (self.root / path).iterdir())
        records = [record for path in paths if (record := self._object(path))]
        records.sort(key=lambda record: (_is_iteration(record), str(record.get("started_at"))))
        for iteration, record in enumerate(records):
            yield StepFile(record, iteration)

    def pictures_of(self, step_index: int) -> list[str]:
        """Which pictures of a step are there: `pre`, `post`."""
        paths = {kind: layout.screenshot_path(step_index, kind) for kind in ("pre", "post")}
        return [kind for kind, path in paths.items() if path.rpartition("/")[2] in self._pictures]

    @property
    def picture_count(self) -> int:
        """How many pictures there are."""
        return sum(name.endswith(".png") for name in self._pictures)

    def event_count(self) -> int:
        """How many decision events there are."""
        folder = layout.PATHS["events"]
        paths = {f"{folder}{name}" for name in regular_names(self.root, folder)}
        paths.discard(layout.REASONING)
        return sum(read_inside(self.root, path).count(b"\n") for path in paths)

    def _object(self, path: str) -> dict[str, Any]:
        file = self.root / path
        if not file.exists():
            return {}
        try:
            found = orjson.loads(read_inside(self.root, path))
        except (OSError, ValueError):  # damaged, or a link to somewhere else
            found = None
        if isinstance(found, dict):
            return found
        self.unreadable.append(path)
        return {}

    def _session(self) -> dict[str, Any]:
        """The session record, read without the steps that follow it in the same file."""
        head = bytearray()
        try:
            with open_inside(self.root, layout.TRACE) as lines:
                for line in lines:
                    if line.lstrip().startswith(_STEPS_KEY) and head.rstrip().endswith(b","):
                        return dict(orjson.loads(head.rstrip()[:-1] + b"}")["session"])
                    head += line
            return dict(orjson.loads(bytes(head))["session"])
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError):
            return dict(self._object(layout.TRACE).get("session") or {})


def _by_index(named: tuple[str, str]) -> tuple[int, str]:
    stem, name = named
    return (int(stem), name) if stem.isdigit() else (-1, name)


def _is_iteration(record: dict[str, Any]) -> bool:
    return "step_iterations" not in record
