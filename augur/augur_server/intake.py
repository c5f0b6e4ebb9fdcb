"""From the body of a request to rows: checked by the SDK's validators, redacted, given an identity.

Pure: no I/O. A record that breaks its shape is refused with the field's path and never quoted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final

import orjson

from augur_sdk.bundle import layout
from augur_sdk.images.probe import probe
from augur_sdk.models.validators import problems, problems_json
from augur_sdk.redaction import DefaultRedactionPolicy
from augur_sdk.redaction.door import RedactionDoor
from augur_sdk.redaction.markers import count_markers
from augur_server.records import Row, Write, run_facts, step_brief

__all__ = ["Intake", "RefusedError"]

PICTURES: Final = frozenset({"pre", "post", "target", "diff"})
MAX_STEP: Final = 10_000_000


class RefusedError(Exception):
    """A body that is not kept: an HTTP status, and why."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Intake:
    """Makes writes of requests.

    Args:
        trust_clients: Keep records as they came, without redacting them once more.
        modelio: Whether model calls are taken.
    """

    def __init__(self, *, trust_clients: bool = False, modelio: bool = True) -> None:
        self._door = None if trust_clients else RedactionDoor(DefaultRedactionPolicy())
        self._modelio = modelio

    def write(
        self, tenant: str, run_id: str, method: str, parts: list[str], body: bytes, key: str = ""
    ) -> Write | None:
        """The write that a request asks for; None where there is no such route.

        Args:
            tenant: Whose run it is.
            run_id: The run.
            method: `PUT` or `POST`.
            parts: The path below the run, split and decoded.
            body: The body; of a picture, the picture itself.
            key: The request's `Idempotency-Key`.

        Raises:
            RefusedError: The body cannot be kept.
        """
        write = Write(tenant, run_id)
        once = key or hashlib.sha256("/".join(parts).encode() + b"\n" + body).hexdigest()
        match method, parts:
            case "PUT", ["trace"]:
                self._trace(write, body)
            case "PUT", ["steps", index]:
                self._step(write, _index(index), body)
            case "PUT", ["costs"]:
                self._costs(write, body)
            case "PUT", ["files", *path]:
                self._file(write, "/".join(path), body)
            case "POST", ["manifest"]:
                self._manifest(write, body)
            case "POST", ["events"]:
                self._events(write, body, once)
            case "POST", ["screenshots", index, kind]:
                _picture(write, _index(index), kind, body)
            case "POST", ["modelio", name]:
                self._model_call(write, name, body)
            case "POST", ["logs"]:
                self._log(write, body, once)
            case "POST", ["steps", index, "judge-decisions"]:
                self._judge_decision(write, _index(index), body, once)
            case "POST", [kind] if kind in _RECORDS:
                self._record(write, kind, body, once)
            case _:
                return None
        return write

    def _redact(self, write: Write, kind: str, raw: bytes) -> bytes:
        """A record as it is kept: compact, keys sorted, without secrets."""
        if self._door is None:
            return orjson.dumps(orjson.loads(raw), option=orjson.OPT_SORT_KEYS)
        redacted = self._door.record(kind, raw)
        write.masked += max(0, count_markers(redacted).total() - count_markers(raw).total())
        return redacted

    def _trace(self, write: Write, body: bytes) -> None:
        _check("trace", body)
        trace = orjson.loads(body)
        session = self._session(write, trace["session"])
        for step in trace["steps"]:
            row = self._step_row(write, step["step_index"], orjson.dumps(step))
            row.canonical = True
            write.rows.append(row)
        steps = [orjson.loads(row.body) for row in write.rows if row.kind == "step"]
        if steps:
            write.facts["failure_class"] = _first_failure(steps)
        if model := _model(steps):
            write.facts["model"] = model
        write.facts["text"] = _searchable(session, steps)

    def _session(self, write: Write, session: dict[str, Any]) -> dict[str, Any]:
        kept = self._redact(write, "session", orjson.dumps(session))
        record: dict[str, Any] = orjson.loads(kept)
        write.facts |= run_facts(record)
        write.rows.append(Row("session", "", kept, layout.TRACE))
        return record

    def _step(self, write: Write, index: int, body: bytes) -> None:
        _check("step_trace", body)
        row = self._step_row(write, index, body)
        write.rows.append(row)

    def _step_row(self, write: Write, index: int, body: bytes) -> Row:
        kept = self._redact(write, "step", body)
        step = orjson.loads(kept)
        if step.get("step_index") != index:
            raise RefusedError(422, "step_index: differs from the index in the path")
        if index > MAX_STEP:
            raise RefusedError(422, f"step_index: expected at most {MAX_STEP}")
        return Row(
            "step",
            f"{index}/{step['step_id']}",
            kept,
            layout.step_path(index),
            index,
            status=step["status"],
            brief=step_brief(step),
        )

    def _costs(self, write: Write, body: bytes) -> None:
        costs = _object(body)
        kept = self._redact(write, "costs", body)
        write.rows.append(Row("costs", "", kept))
        total = costs.get("total_usd")
        if isinstance(total, int | float):
            write.facts["total_usd"] = total

    def _manifest(self, write: Write, body: bytes) -> None:
        _check("manifest", body)
        # The bundle's signatures and fingerprint are digests: nothing in it is to be masked.
        kept = orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
        write.rows.append(Row("manifest", "", kept, layout.MANIFEST))
        manifest = orjson.loads(kept)
        write.facts |= {"complete": True, "step_count": manifest["step_count"]}

    def _events(self, write: Write, body: bytes, once: str) -> None:
        batch = _object(body)
        events = batch.get("events")
        if not isinstance(events, list):
            raise RefusedError(422, "events: expected an array")
        for number, event in enumerate(events):
            _check_value("decision_event", event, f"events.{number}")
            own = event.get("step_index", batch.get("step_index"))
            index = own if isinstance(own, int) else None
            kept = self._redact(write, "event", orjson.dumps(event))
            path = layout.events_path(index)
            write.rows.append(Row("event", f"{once}#{number}", kept, path, index, once=True))

    def _model_call(self, write: Write, name: str, body: bytes) -> None:
        if not self._modelio:
            raise RefusedError(403, "this tenant has not opted in to model calls")
        _check("modelio", body)
        stem = layout.portable_name(name.removesuffix(".json"))
        path = f"{layout.PATHS['modelio']}{stem}.json"
        kept = self._redact(write, "modelio", body)
        write.rows.append(Row("modelio", stem, kept, path, layout.step_of(path)))

    def _log(self, write: Write, body: bytes, once: str) -> None:
        chunk = _object(body)
        if not isinstance(chunk.get("text"), str):
            raise RefusedError(422, "text: expected a string")
        index = chunk.get("step_index")
        if index is not None and (not isinstance(index, int) or not 0 <= index <= MAX_STEP):
            raise RefusedError(422, "step_index: expected a non-negative integer")
        path = layout.log_path(str(chunk.get("name") or "run"), index)
        kept = self._redact(write, "log", orjson.dumps({"text": chunk["text"]}))
        write.rows.append(Row("log", once, kept, path, index, once=True))

    def _judge_decision(self, write: Write, index: int, body: bytes, once: str) -> None:
        decision = _object(body)
        decision.pop("step_index", None)
        _check_value("judge_decision", decision, "")
        kept = self._redact(write, "judge_decision", orjson.dumps(decision))
        write.rows.append(Row("judge_decision", once, kept, "", index, once=True))

    def _record(self, write: Write, plural: str, body: bytes, once: str) -> None:
        kind, shape, identify = _RECORDS[plural]
        _check(shape, body)
        kept = self._redact(write, kind, body)
        record = orjson.loads(kept)
        index = record.get("step_index")
        item = identify(record) or once
        write.rows.append(
            Row(kind, item, kept, _path_of(kind, record), index, once=kind == "reasoning")
        )
        if kind == "outcome" and index is None:
            write.facts["outcome"] = str((record.get("verdict") or {}).get("status", ""))

    def _file(self, write: Write, path: str, body: bytes) -> None:
        """A file of the bundle that no other route carries (contract/http.md, `files`)."""
        segments = path.split("/")
        if not layout.belongs(path) or any(
            not part or layout.portable_name(part) != part for part in segments
        ):
            raise RefusedError(422, "path: expected a bundle-relative path (contract/bundle.md)")
        if path.endswith(".json"):
            _object_or_list(body)
        kept = self._redacted_file(write, path, body)
        row = Row("file", path, kept, path, layout.step_of(path), size=len(kept))
        write.rows.append(row)

    def _redacted_file(self, write: Write, path: str, body: bytes) -> bytes:
        if self._door is None:
            return body
        if path.endswith(".json"):
            kept = self._redact(write, "file", body)
            return body if orjson.loads(kept) == orjson.loads(body) else kept
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return body
        return self._door.text(text).encode()


_RECORDS: Final[dict[str, tuple[str, str, Callable[[dict[str, Any]], str]]]] = {
    "side-effects": ("side_effect", "side_effect", lambda r: f"{r['side_effect_id']}"),
    "reasoning": ("reasoning", "run_reasoning", lambda _: ""),
    "outcomes": ("outcome", "outcome_record", lambda r: f"{r['scope']}/{r.get('step_index')}"),
    "eval-candidates": ("eval_candidate", "eval_candidate", lambda r: f"{r['step_index']}"),
}


def _path_of(kind: str, record: dict[str, Any]) -> str:
    match kind:
        case "side_effect":
            return layout.side_effect_path(record["step_index"], record["side_effect_id"])
        case "reasoning":
            return layout.REASONING
        case "outcome":
            return layout.OUTCOMES
    return layout.EVAL_CANDIDATES


def _picture(write: Write, index: int, kind: str, body: bytes) -> None:
    if kind not in PICTURES:
        raise RefusedError(422, f"kind: expected one of {', '.join(sorted(PICTURES))}")
    found = probe(body)
    if found.format != "png" or not found.ok:
        raise RefusedError(415, "image: expected a PNG picture")
    path = layout.screenshot_path(index, kind)
    size = len(body)
    digest = hashlib.sha256(body).hexdigest()
    facts = orjson.dumps({"width": found.width, "height": found.height})
    row = Row("screenshot", f"{index}/{kind}", facts, path, index, sha256=digest, size=size)
    write.rows.append(row)


def _index(raw: str) -> int:
    if not raw.isascii() or not raw.isdigit() or int(raw) > MAX_STEP:
        raise RefusedError(422, f"step_index: expected an integer from 0 to {MAX_STEP}")
    return int(raw)


def _check(record: str, body: bytes) -> None:
    _refuse(problems_json(record, body), "")
    _object(body)


def _check_value(record: str, value: object, place: str) -> None:
    _refuse(problems(record, value), place)


def _refuse(found: list[Any], place: str) -> None:
    if found:
        where = ".".join(part for part in (place, found[0].path) if part)
        raise RefusedError(422, f"{where or 'body'}: {found[0].message}")


def _object(body: bytes) -> dict[str, Any]:
    found = _object_or_list(body)
    if not isinstance(found, dict):
        raise RefusedError(422, "body: expected a JSON object")
    return found


def _object_or_list(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError:
        raise RefusedError(422, "body: expected JSON in UTF-8") from None


def _first_failure(steps: list[dict[str, Any]]) -> str:
    for step in steps:
        if step["status"] == "failed" or (step.get("verdict") or {}).get("status") == "failed":
            return str(step.get("failure_class") or "unclassified")
    return ""


def _model(steps: list[dict[str, Any]]) -> str:
    for step in steps:
        if model := (step.get("captured_versions") or {}).get("model"):
            return str(model)
    return ""


def _searchable(session: dict[str, Any], steps: list[dict[str, Any]]) -> str:
    """What the list's text search looks at, bounded."""
    words = [
        str(session.get("run_id", "")),
        str((session.get("task_spec") or {}).get("instruction", "")),
    ]
    for step in steps:
        label = (step.get("grounding") or {}).get("target_label", "")
        reason = (step.get("verdict") or {}).get("reason", "")
        words += [str(step.get("intent", "")), str(label), str(reason)]
    return "\n".join(word for word in words if word)[:100_000].lower()
