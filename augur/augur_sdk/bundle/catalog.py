"""What the journal holds, by where it belongs in the bundle, and what is not projected yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from augur_sdk.bundle import layout
from augur_sdk.bundle.journal import Line, LineRef, Ref
from augur_sdk.entry import COLLECTIONS, DOCUMENTS, LINES, Kind

__all__ = ["Catalog", "StepRefs", "Target"]


class Target(NamedTuple):
    """A part of the bundle that has to be written: a file, or one step's files."""

    kind: Kind
    path: str
    step_index: int | None = None


@dataclass(slots=True)
class StepRefs:
    """Where the records of one step index stand; `iterations` only when there are several."""

    step_id: str
    canonical: Ref
    iterations: dict[str, Ref] | None = None

    def all(self) -> dict[str, Ref]:
        """Every record at this index by step id, the canonical one first."""
        return {self.step_id: self.canonical, **(self.iterations or {})}


@dataclass
class Catalog:
    """References into the journal, a few hundred bytes a step, never the records themselves."""

    session: Ref | None = None
    opening: Ref | None = None
    steps: dict[int, StepRefs] = field(default_factory=dict)
    documents: dict[str, Ref] = field(default_factory=dict)
    lines: dict[str, list[LineRef]] = field(default_factory=dict)
    collections: dict[str, dict[str, Ref]] = field(default_factory=dict)
    pictures: dict[str, Ref] = field(default_factory=dict)
    withheld: set[str] = field(default_factory=set)
    dirty: dict[Target, None] = field(default_factory=dict)

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
        refs = self.steps.get(index)
        if refs is None:
            self.steps[index] = StepRefs(line.item, line.ref)
        elif refs.step_id == line.item:
            refs.canonical = line.ref
        else:
            refs.iterations = {**(refs.iterations or {}), line.item: line.ref}
        self.dirty[Target(Kind.STEP, line.item, index)] = None

    def _add_to_file(self, kind: Kind, line: Line) -> None:
        if kind in DOCUMENTS:
            self.documents[line.path] = line.ref
        elif kind in LINES:
            self.lines.setdefault(line.path, []).append(LineRef(*line.ref, line.step_index))
        elif kind in COLLECTIONS:
            self.collections.setdefault(line.path, {})[line.item] = line.ref
        else:
            return
        self._touch(kind, line)

    def _withhold(self, path: str, step_index: int | None) -> None:
        """Take back what was kept too much of a step; a path that ends with `-` is a prefix."""
        if path.startswith(layout.PATHS["screenshots"]):
            self.withheld.add(path)
            self.pictures.pop(path, None)
        elif path == layout.REASONING:
            kept = [ref for ref in self.lines.get(path, ()) if ref.step_index != step_index]
            self.lines[path] = kept
        elif path.endswith("-"):
            for document in [name for name in self.documents if name.startswith(path)]:
                del self.documents[document]
                self.dirty[Target(Kind.WITHHELD, document, step_index)] = None
            return
        else:
            self.lines.pop(path, None)
            self.documents.pop(path, None)
        self.dirty[Target(Kind.WITHHELD, path, step_index)] = None

    def _touch(self, kind: Kind, line: Line) -> None:
        self.dirty[Target(kind, line.path, line.step_index)] = None

    def next_dirty(self) -> Target | None:
        """Take the target that has waited longest."""
        if not self.dirty:
            return None
        target = next(iter(self.dirty))
        del self.dirty[target]
        return target

    def dirty_again(self, target: Target) -> None:
        """Put back a target whose projection failed."""
        self.dirty.setdefault(target)
