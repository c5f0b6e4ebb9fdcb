"""What a rule sees of a bundle: every record, read when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import orjson

from augur_sdk.bundle import layout
from augur_sdk.diagnostics.pictures import Pictures
from augur_sdk.diagnostics.steps import StepFiles, Steps, TraceFile, parsed
from augur_sdk.diagnostics.trace_index import TraceIndex, index_trace
from augur_sdk.errors import BundleReadError, RecordError
from augur_sdk.models import DiagnosticEvidence
from augur_sdk.storage import LocalFSStore
from augur_sdk.storage.reading import is_uri, kept_copy

__all__ = ["BundleContext"]

T = TypeVar("T")


class BundleContext:
    """A bundle on disk, read lazily: ten thousand steps cost no more memory than ten.

    Works on a bundle of any producer, and on one that was never closed: what is not there reads
    as empty. Paths are bundle-relative; one that would leave the bundle reads as not there.

    Args:
        bundle_dir: The bundle's folder, or a URI such as `s3://bucket/run`, of which a private
            copy is made that goes with this object.

    Raises:
        BundleReadError: There is no such folder, or nothing at the URI.
        StoreError: The store behind the URI could not be read.
    """

    def __init__(self, bundle_dir: Path | str) -> None:
        self.name: str = str(bundle_dir)
        remote = is_uri(bundle_dir)
        self.bundle_dir: Path = kept_copy(self.name, self) if remote else Path(bundle_dir)
        if not self.bundle_dir.is_dir():
            raise BundleReadError(f"{self.bundle_dir} is not a folder, so not a bundle")
        self._files = LocalFSStore(self.bundle_dir)
        self._memos: dict[object, Any] = {}

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The envelope; empty when the bundle has none yet."""
        return self.read_json(layout.MANIFEST) or {}

    @cached_property
    def session(self) -> dict[str, Any]:
        """The session record; empty when there is no trace."""
        if self._index.session is None:
            return {}
        start, length = self._index.session
        return parsed(self._files.read_range(layout.TRACE, start, length), layout.TRACE)

    @property
    def trace(self) -> dict[str, Any]:
        """`{"session": ..., "steps": ...}`; the steps are as lazy as `steps`."""
        return {"session": self.session, "steps": self.steps}

    @cached_property
    def steps(self) -> Sequence[dict[str, Any]]:
        """The canonical steps in order. Used like a list; each access reads the step anew."""
        if self._index.offsets or self._index.session is not None:
            return Steps(TraceFile(self.bundle_dir / layout.TRACE, self._index))
        return Steps(StepFiles(self.bundle_dir, self._step_files()))

    def events_for_step(self, step_index: int) -> list[dict[str, Any]]:
        """The decision events of one step, in the file's order."""
        return list(self._events(layout.events_path(step_index)))

    def all_events(self) -> Iterator[dict[str, Any]]:
        """Every decision event: step by step, then those without a step."""
        for path in self._files.list_files("events/"):
            if path != layout.REASONING and path.endswith(".jsonl"):
                yield from self._events(path)

    def log_text(self, name: str = "runner.log") -> str | None:
        """A log's text, by its name in `logs/`; None when there is none."""
        raw = self.read_bytes(name if name.startswith("logs/") else f"logs/{name}")
        return None if raw is None else raw.decode("utf-8", "replace")

    def log_paths(self) -> list[str]:
        """The logs, as bundle-relative paths, sorted."""
        return list(self._files.list_files("logs/"))

    @cached_property
    def pictures(self) -> Pictures:
        """The screenshots: which are there, their digests, and whether two are the same."""
        return Pictures(self)

    def exists(self, ref: str) -> bool:
        """Whether a bundle-relative path is a file of this bundle."""
        try:
            return self._files.exists(ref)
        except RecordError:
            return False

    def read_bytes(self, ref: str) -> bytes | None:
        """A file's bytes, or None when it is not there."""
        try:
            return self._files.read_bytes(ref)
        except (FileNotFoundError, RecordError):
            return None

    def read_json(self, ref: str) -> dict[str, Any] | None:
        """A file that holds one JSON object, or None when it is not there.

        Raises:
            BundleReadError: It is there and holds something else.
        """
        raw = self.read_bytes(ref)
        return None if raw is None else parsed(raw, ref)

    @cached_property
    def declared_missing(self) -> frozenset[str]:
        """The screenshots that the manifest declares to be missing on purpose."""
        missing = self.manifest.get("missing")
        return frozenset(missing if isinstance(missing, list) else ())

    def cite_step(self, step: dict[str, Any]) -> DiagnosticEvidence:
        """Evidence that points at a step's own file, or at the trace when it has none."""
        index, step_id = step.get("step_index"), step.get("step_id")
        if isinstance(index, int):
            for path in (layout.step_path(index), layout.iteration_path(index, str(step_id))):
                if self.exists(path):
                    return {"type": "step", "ref": path}
        return {"type": "trace", "ref": layout.TRACE}

    def memo(self, key: object, make: Callable[[], T]) -> T:
        """Compute something once for all rules of an evaluation, such as where pictures differ."""
        if key not in self._memos:
            self._memos[key] = make()
        found: T = self._memos[key]
        return found

    @cached_property
    def _index(self) -> TraceIndex:
        try:
            return index_trace(self.bundle_dir / layout.TRACE)
        except FileNotFoundError:
            return TraceIndex()

    def _step_files(self) -> list[str]:
        """One file a step index: for a step with iterations, the one that knows how many."""
        chosen: dict[str, str] = {}
        for path in self._files.list_files("steps/"):
            stem = path.removesuffix(".json").split("/")[1]
            if path.endswith(".json") and (stem not in chosen or self._counts_iterations(path)):
                chosen[stem] = path
        return [chosen[stem] for stem in sorted(chosen, key=lambda stem: (len(stem), stem))]

    def _counts_iterations(self, path: str) -> bool:
        return "step_iterations" in (self.read_json(path) or {})

    def _events(self, path: str) -> Iterator[dict[str, Any]]:
        """The records of a JSONL file; a line cut off by a kill is passed over."""
        try:
            with (self.bundle_dir / path).open("rb") as lines:
                for line in lines:
                    try:
                        record = orjson.loads(line)
                    except ValueError:
                        continue
                    if isinstance(record, dict):
                        yield record
        except FileNotFoundError:
            return
