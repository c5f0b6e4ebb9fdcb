"""`write_bundle`: records that a program gathered itself, as a bundle, under the published name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import orjson

from augur_sdk.bundle import layout
from augur_sdk.entry import Kind
from augur_sdk.models import BundleManifest
from augur_sdk.recorder import EventRecorder
from augur_sdk.redaction import RedactionPolicy
from augur_sdk.session.blocking import DebugSession
from augur_sdk.storage import LocalFSStore, Store

__all__ = ["write_bundle"]


def write_bundle(
    *,
    store: Store,
    session: Mapping[str, Any],
    recorder: EventRecorder,
    policy: RedactionPolicy,
    include_signatures: bool = True,
) -> BundleManifest:
    """Write a bundle of what a recorder holds, as a session would have.

    Args:
        store: Where the bundle goes.
        session: The session record (contract/records.md); `run_id` and `client` are needed.
        recorder: What happened.
        policy: What is redacted, before anything is written.
        include_signatures: False leaves the digests of the files out of the manifest.

    Returns:
        The manifest.

    Raises:
        KeyError: The session record names no run or no client.
        OSError: The disk refuses.
    """
    with _folder(store) as folder:
        made = _opened(folder, store, session, policy)
        made.__enter__()
        try:
            _record(made, recorder)
            made.set_costs(**session.get("costs", {}))
        finally:
            made._end_at(session.get("ended_at"))  # noqa: SLF001 - of this package
            manifest = made.close(session.get("status"))
    if include_signatures:
        return manifest
    unsigned = {name: value for name, value in manifest.items() if name != "signatures"}
    with store.open_write_binary(layout.MANIFEST) as file:
        file.write(orjson.dumps(unsigned, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
    return cast("BundleManifest", unsigned)


@contextmanager
def _folder(store: Store) -> Iterator[Path]:
    if isinstance(store, LocalFSStore):
        yield Path(store.root)
        return
    with TemporaryDirectory(prefix="augur-") as folder:
        yield Path(folder)


def _opened(
    folder: Path, store: Store, session: Mapping[str, Any], policy: RedactionPolicy
) -> DebugSession:
    client = session["client"]
    known = ("capture_mode", "debug_session_id", "started_at", "tags", "branch_context")
    task = ("task_spec", "task_spec_id", "group_id")
    given = {name: session[name] for name in (*known, *task) if session.get(name) is not None}
    return DebugSession(
        run_id=session["run_id"],
        client_name=client["name"],
        client_version=client.get("version"),
        client_git_sha=client.get("git_sha"),
        out_dir=folder,
        store=store,
        redaction_policy=policy,
        dsn="",
        **{"capture_mode": "full", **given},
    )


def _record(made: DebugSession, recorder: EventRecorder) -> None:
    for path, picture in recorder.staged_observations().items():
        index, _, kind = Path(path).stem.partition("_")
        made.attach_observation(step_index=int(index), kind=cast("Any", kind), png_bytes=picture)
    for step in recorder.all_steps():
        first: Any
        first, *others = recorder.iterations_for(step["step_index"])
        made.record_step(first)
        for iteration in others:
            made.record_step_iteration(first["step_index"], cast("Any", iteration))
    for events in recorder.all_events_grouped().values():
        for event in events:
            made.record_event(cast("Any", event))
    _emit(made, recorder)


def _emit(made: DebugSession, recorder: EventRecorder) -> None:
    """Keep as it is what a session would make anew, times and paths included."""
    keep = made._core.recorder.adopt_record  # noqa: SLF001 - of this package
    for trace in recorder.staged_reasoning():
        keep(Kind.REASONING, trace, layout.REASONING)
    for path, call in recorder.staged_modelio().items():
        keep(Kind.MODELIO, {**call, "redaction_applied": True}, path)
    for effect in recorder.staged_side_effects():
        path = layout.side_effect_path(effect.get("step_index", 0), effect["side_effect_id"])
        keep(Kind.SIDE_EFFECT, effect, path)
    for number, outcome in enumerate(recorder.staged_outcomes()):
        keep(Kind.OUTCOME, outcome, layout.OUTCOMES, item=str(number))
    for candidate in recorder.staged_eval_candidates():
        item = str(candidate["step_index"])
        keep(Kind.EVAL_CANDIDATE, candidate, layout.EVAL_CANDIDATES, item=item)
