"""A well-behaved server for tests: it keeps what it is sent, by run (contract/http.md)."""

from __future__ import annotations

import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.parser import BytesParser
from typing import Any, Final
from urllib.parse import unquote

import orjson

from augur_sdk.testing.loopback import LoopbackServer, ReceivedRequest, Reply
from augur_sdk.times import utc_now

__all__ = ["CaptureServer", "CapturedRun"]

HOLD: Final = 25.0
"""Seconds that a command poll is held open when nothing happens."""

_STORED: Final = Reply(201, b'{"status": "stored"}')
_EMPTY: Final = Reply(200, b"")


@dataclass
class CapturedRun:
    """What the server holds of one run: the latest of what is replaced, all of what adds up.

    `step_history` has every step in order of arrival, `commands` what was pushed for the run.
    """

    run_id: str
    trace: dict[str, Any] | None = None
    manifest: dict[str, Any] | None = None
    costs: dict[str, Any] | None = None
    steps: dict[int, dict[str, Any]] = field(default_factory=dict)
    step_history: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    screenshots: dict[tuple[int, str], bytes] = field(default_factory=dict)
    modelio: dict[str, dict[str, Any]] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    side_effects: list[dict[str, Any]] = field(default_factory=list)
    reasoning: list[dict[str, Any]] = field(default_factory=list)
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    eval_candidates: list[dict[str, Any]] = field(default_factory=list)
    judge_decisions: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    commands: list[dict[str, Any]] = field(default_factory=list)


class CaptureServer(LoopbackServer):
    """Answers as the contract says, and remembers everything.

    with CaptureServer() as server:
        run_the_agent(dsn=server.dsn)
        assert server.runs["run-1"].steps[0]["status"] == "succeeded"

    Args:
        token: The only credential that is accepted; others get 401.
        tenant: The tenant named in `dsn`.
        tls: Serve HTTPS with this context.
        modelio: Whether the tenant has opted in to model calls; otherwise they get 403.
        known_runs_only: Answer 404 for a run whose trace or manifest was never sent.
        hold: Seconds that a command poll is held open when nothing happens.
        envelope_bytes: How many bytes of records it takes in one request, as announced in the
            answer to a heartbeat; 0 announces nothing and takes none.
    """

    def __init__(
        self,
        *,
        token: str = "test-token",  # noqa: S107 - a made-up token for loopback
        tenant: str = "test",
        tls: ssl.SSLContext | None = None,
        modelio: bool = True,
        known_runs_only: bool = False,
        hold: float = HOLD,
        envelope_bytes: int = 0,
    ) -> None:
        super().__init__(token=token, tenant=tenant, tls=tls)
        self.envelope_bytes = envelope_bytes
        self.modelio = modelio
        self.known_runs_only = known_runs_only
        self.hold = hold
        self.runs: dict[str, CapturedRun] = {}
        self.heartbeats: list[dict[str, Any]] = []
        self.repeated: int = 0
        self._keys: set[str] = set()
        self._lock = threading.RLock()

    def push_command(
        self,
        run_id: str,
        type: str,  # noqa: A002 - the contract's name
        payload: dict[str, Any] | None = None,
        operator_id: str | None = None,
        *,
        command_id: str | None = None,
    ) -> str:
        """Queue an operator's command for a run, and wake its poll; returns the command's id."""
        command: dict[str, Any] = {
            "command_id": command_id or f"cmd_{uuid.uuid4().hex[:12]}",
            "type": type,
            "issued_at": utc_now(),
        }
        if operator_id is not None:
            command["operator_id"] = operator_id
        if payload is not None:
            command["payload"] = payload
        with self.changed:
            self.run(run_id).commands.append(command)
            self.changed.notify_all()
        return str(command["command_id"])

    def run(self, run_id: str) -> CapturedRun:
        """The run of that id, made when it is not there yet."""
        with self._lock:
            return self.runs.setdefault(run_id, CapturedRun(run_id))

    def respond(self, request: ReceivedRequest) -> Reply:
        """Answer as the contract says."""
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return _detail(401, "unknown credential")
        try:
            return self._routed(request)
        except (ValueError, TypeError, LookupError, AttributeError):
            return _detail(422, "the body is not what this route takes")

    def _routed(self, request: ReceivedRequest) -> Reply:
        match request.method, request.segments:
            case "POST", ["heartbeat"]:
                self._keep(request, lambda: self.heartbeats.append(request.json))
                return self._greeting()
            case "POST", ["runs"]:
                return self._keep(request, lambda: self._manifest(request.json))
            case "POST", ["runs", _, "envelope"] if self.envelope_bytes:
                return self._opened(request)
            case "GET", ["runs", run_id, "commands"]:
                return self._commands(run_id, request)
            case _, ["runs", run_id, *rest]:
                return self._recorded(request, run_id, rest)
        return _detail(404, "no such route")

    def _recorded(self, request: ReceivedRequest, run_id: str, rest: list[str]) -> Reply:
        opens = rest == ["trace"]
        if self.known_runs_only and not opens and run_id not in self.runs:
            return _detail(404, "unknown run")
        if rest[0] == "modelio" and not self.modelio:
            return _detail(403, "the tenant has not opted in to model calls")
        store = _store(self.run(run_id), request, rest)
        return self._keep(request, store) if store else _detail(404, "no such route")

    def _greeting(self) -> Reply:
        if not self.envelope_bytes:
            return _STORED
        told = {"envelope": 1, "max_bytes": self.envelope_bytes}
        return Reply(200, orjson.dumps({"capabilities": told}))

    def _opened(self, request: ReceivedRequest) -> Reply:
        """Answer for each item of an envelope as for a request of its own."""
        if len(request.body) > self.envelope_bytes:
            return _detail(413, "more bytes than were announced")
        replies = [self.respond(item) for item in _items(request)]
        results = [{"status": reply.status} for reply in replies]
        return Reply(200, orjson.dumps({"results": results}))

    def _keep(self, request: ReceivedRequest, store: Callable[[], object]) -> Reply:
        key = request.headers.get("idempotency-key")
        with self._lock:
            if key is not None and key in self._keys:
                self.repeated += 1
                return _STORED
            store()
            if key is not None:
                self._keys.add(key)
        return _STORED

    def _manifest(self, manifest: dict[str, Any]) -> None:
        self.run(manifest["run_id"]).manifest = manifest

    def _commands(self, run_id: str, request: ReceivedRequest) -> Reply:
        run = self.run(run_id)
        seen = int(request.query.get("cursor") or 0)
        deadline = time.monotonic() + self.hold
        with self.changed:
            while len(run.commands) <= seen and not self.stopping.is_set():
                left = deadline - time.monotonic()
                if left <= 0:
                    return _EMPTY
                self.changed.wait(left)
            fresh = run.commands[seen:]
        answer = {"commands": fresh, "cursor": str(seen + len(fresh))}
        return Reply(200, orjson.dumps(answer))


def _items(request: ReceivedRequest) -> Iterator[ReceivedRequest]:
    """The requests that an envelope stands for."""
    run = request.raw_path.removesuffix("envelope")
    rest = request.body
    while rest:
        line, _, rest = rest.partition(b"\n")
        header = orjson.loads(line)
        body, rest = rest[: header["length"]], rest[header["length"] + 1 :]
        headers = {"authorization": request.headers["authorization"]}
        headers["content-type"] = header["type"]
        if key := header.get("idempotency_key"):
            headers["idempotency-key"] = key
        path = run + header["path"]
        yield ReceivedRequest(header["method"], unquote(path), path, {}, headers, body, request.at)


def _store(
    run: CapturedRun, request: ReceivedRequest, rest: list[str]
) -> Callable[[], object] | None:
    """The call that keeps a record, or None for a route that does not exist."""
    match request.method, rest:
        case "PUT", ["trace"]:
            return lambda: setattr(run, "trace", request.json)
        case "PUT", ["costs"]:
            return lambda: setattr(run, "costs", request.json)
        case "PUT", ["steps", index]:
            return lambda: _step(run, int(index), request.json)
        case "POST", ["events"]:
            return lambda: run.events.extend(request.json["events"])
        case "POST", ["screenshots", index, kind]:
            return lambda: run.screenshots.__setitem__((int(index), kind), _picture(request))
        case "POST", ["modelio", name]:
            return lambda: run.modelio.__setitem__(name, request.json)
        case "POST", ["logs"]:
            return lambda: _log(run, **request.json)
        case "POST", ["steps", index, "judge-decisions"]:
            return lambda: run.judge_decisions.setdefault(int(index), []).append(request.json)
        case "POST", ["side-effects" | "reasoning" | "outcomes" | "eval-candidates" as part]:
            return lambda: getattr(run, part.replace("-", "_")).append(request.json)
    return None


def _step(run: CapturedRun, index: int, step: dict[str, Any]) -> None:
    run.step_history.append(step)
    run.steps[index] = step


def _log(run: CapturedRun, text: str, name: str, step_index: int | None = None) -> None:
    file = name if step_index is None else f"step-{step_index}"
    run.logs[file] = run.logs.get(file, "") + text


def _picture(request: ReceivedRequest) -> bytes:
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    for part in BytesParser().parsebytes(head + request.body).walk():
        if part.get_param("name", header="content-disposition") == "image":
            return bytes(part.get_payload(decode=True))
    raise ValueError("no part named image")


def _detail(status: int, text: str) -> Reply:
    return Reply(status, orjson.dumps({"detail": text}))
