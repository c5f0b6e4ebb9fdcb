"""What the journal holds, by where it belongs in the bundle, and what is not projected yet."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from augur_sdk.bundle import layout
from augur_sdk.bundle.columns import texts
from augur_sdk.bundle.journal import Line, Ref
from augur_sdk.bundle.packed import ByPath, LineRefs, RefsByPath, RefsByStep, line_refs_by_path
from augur_sdk.entry import COLLECTIONS, DOCUMENTS, LINES, Kind

__all__ = ["Catalog", "StepRefs", "Target"]


class Target(NamedTuple):
    """A part of the bundle that has to be written: a file, or one step's files."""

    kind: Kind
    path: str
    step_index: int | None = None


class StepRefs:
    """Where the records of each step index stand: the canonical one, mostly the only one."""

    def __init__(self) -> None:
        self._canonical = RefsByStep()
        self._ids = texts()
        self._iterations: dict[int, dict[str, Ref]] = {}

    def __len__(self) -> int:
        return len(self._canonical)

    def __contains__(self, index: int) -> bool:
        return index in self._canonical

    def __getitem__(self, index: int) -> Ref:
        """The canonical step's record."""
        return self._canonical[index]

    def values(self) -> Iterator[Ref]:
        """The canonical steps' records, in the order of the indexes."""
        return self._canonical.values()

    def add(self, index: int, step_id: str, ref: Ref) -> None:
        """Take note of a record; the first id at an index is the canonical step's."""
        if index not in self._canonical:
            self._canonical[index] = ref
            if step_id:
                self._ids[index] = step_id
        elif self.is_canonical(index, step_id):
            self._canonical[index] = ref
        else:
            self._iterations.setdefault(index, {})[step_id] = ref

    def is_canonical(self, index: int, step_id: str) -> bool:
        """Whether the canonical step at an index has this id."""
        return step_id == self._ids.get(index, "")

    def has_iterations(self, index: int) -> bool:
        """Whether there are several steps at an index."""
        return index in self._iterations

    def find(self, index: int, step_id: str) -> Ref:
        """The record of one of the steps at an index; the canonical one's for an unknown id."""
        return self._iterations.get(index, {}).get(step_id) or self._canonical[index]


@dataclass
class Catalog:
    """References into the journal, some thirty bytes a step, never the records themselves."""

    session: Ref | None = None
    opening: Ref | None = None
    steps: StepRefs = field(default_factory=StepRefs)
    documents: RefsByPath = field(default_factory=RefsByPath)
    lines: ByPath[LineRefs] = field(default_factory=line_refs_by_path)
    collections: dict[str, dict[str, Ref]] = field(default_factory=dict)
    pictures: RefsByPath = field(default_factory=RefsByPath)
    withheld: set[str] = field(default_factory=set)
    dirty: OrderedDict[Target, None] = field(default_factory=OrderedDict)

    def add(self, line: Line) -> None:
        """Take note of a line that the journal holds."""
        kind = Kind(line.kind)
        if kind is Kind.STEP:
            self._add_step(line)
        elif kind is Kind.SESSION:
            self.session = line.ref
        elif kind is Kind.OPEN:
            self.opening = line.ref
        elif kind is Kind.SCREENSHOT:
            self.pictures[line.path] = line.ref
            self.withheld.discard(line.path)
            self._touch(kind, line)
        elif kind is Kind.WITHHELD:
            if line.path:
                self._withhold(line.path, line.step_index)
        else:
            self._add_to_file(kind, line)

    def _add_step(self, line: Line) -> None:
        index = line.step_index or 0
        self.steps.add(index, line.item, line.ref)
        self.dirty[Target(Kind.STEP, line.item, index)] = None

    def _add_to_file(self, kind: Kind, line: Line) -> None:
        if kind in DOCUMENTS:
            self.documents[line.path] = line.ref
        elif kind in LINES:
            lines = self.lines.get(line.path)
            if lines is None:
                lines = self.lines[line.path] = LineRefs()
            lines.append(line.ref, line.step_index)
        elif kind in COLLECTIONS:
            self.collections.setdefault(line.path, {})[line.item] = line.ref
        else:
            return
        self._touch(kind, line)

    def _withhold(self, path: str, step_index: int | None) -> None:
        """Take back what was kept too much of a step; a path that ends with `-` is a prefix."""
        if path.startswith(layout.PATHS["screenshots"]):
            self.withheld.add(path)
            self.pictures.discard(path)
        elif path == layout.REASONING:
            if (lines := self.lines.get(path)) is not None:
                self.lines[path] = lines.without(step_index)
        elif path.endswith("-"):
            for document in self.documents.of_prefix(path):
                self.documents.discard(document)
                self.dirty[Target(Kind.WITHHELD, document, step_index)] = None
            return
        else:
            self.lines.discard(path)
            self.documents.discard(path)
        self.dirty[Target(Kind.WITHHELD, path, step_index)] = None

    def _touch(self, kind: Kind, line: Line) -> None:
        self.dirty[Target(kind, line.path, line.step_index)] = None

    def next_dirty(self) -> Target | None:
        """Take the target that has waited longest."""
        return self.dirty.popitem(last=False)[0] if self.dirty else None

    def dirty_again(self, target: Target) -> None:
        """Put back a target whose projection failed."""
        self.dirty.setdefault(target)
