"""A server that misbehaves on a script, and otherwise behaves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from augur_sdk.testing.loopback import Fault, ReceivedRequest, Reply
from augur_sdk.testing.server import CaptureServer

__all__ = ["FaultyServer", "Rule"]


@dataclass
class Rule:
    """One line of the script.

    Args:
        reply: The answer, or a call that makes one from the request.
        method: The method it is for; None for all.
        path: A regular expression searched for in the path.
        times: How often it fires; None for as long as the rule stands.
        stores: Whether the record is kept all the same, as when only the answer is lost.
    """

    reply: Reply | Callable[[ReceivedRequest], Reply]
    method: str | None = None
    path: str = ""
    times: int | None = None
    stores: bool = False
    fired: int = 0

    def fires(self, request: ReceivedRequest) -> bool:
        """Whether the rule is for this request and not used up."""
        left = self.times is None or self.fired < self.times
        for_method = self.method is None or self.method == request.method
        return left and for_method and re.search(self.path, request.path) is not None


class FaultyServer(CaptureServer):
    """A `CaptureServer` with a script of faults; the first rule that fits a request answers it.

    with FaultyServer() as server:
        server.script(status=503, headers={"Retry-After": "1"}, times=2)
        server.script(fault=Fault.RESET, method="PUT", path="/steps/3$", stores=True)
        with server.down():
            ...  # connections are refused
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.rules: list[Rule] = []

    def script(
        self,
        *,
        status: int = 200,
        body: bytes = b'{"detail": "scripted"}',
        headers: dict[str, str] | None = None,
        delay: float = 0.0,
        fault: Fault | None = None,
        method: str | None = None,
        path: str = "",
        times: int | None = None,
        stores: bool = False,
    ) -> Rule:
        """Add a rule: what to answer (`status` to `fault`), and when (`method` to `times`)."""
        reply = Reply(status, body, headers or {}, delay, fault)
        return self.add(Rule(reply, method, path, times, stores))

    def add(self, rule: Rule) -> Rule:
        """Add a rule made by hand, for answers that depend on the request."""
        with self._lock:
            self.rules.append(rule)
        return rule

    def heal(self) -> None:
        """Drop the script; from now on the server behaves."""
        with self._lock:
            self.rules.clear()

    @contextmanager
    def down(self) -> Iterator[None]:
        """Refuse connections for as long as the block runs, then listen on the same port."""
        self.stop_listening()
        try:
            yield
        finally:
            self.listen()

    def respond(self, request: ReceivedRequest) -> Reply:
        """Answer by the script, or as a well-behaved server."""
        with self._lock:
            rule = next((rule for rule in self.rules if rule.fires(request)), None)
            if rule is not None:
                rule.fired += 1
        if rule is None:
            return super().respond(request)
        if rule.stores:
            super().respond(request)
        return rule.reply(request) if callable(rule.reply) else rule.reply
