"""The one door: every byte that leaves the process passes a session's `RedactionDoor`.

Records, log lines, file names, AGENT.md, exception texts: each goes through `record` or `text`,
which never raise and fail closed. Redaction runs on whatever thread calls; the writer calls it in
its worker thread, never on the event loop.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, NoReturn

import orjson

from augur_sdk.redaction.anchors import encode
from augur_sdk.redaction.keystrokes import mask_spelled_secrets
from augur_sdk.redaction.markers import ERROR, count_markers
from augur_sdk.redaction.policy import RedactionPolicy
from augur_sdk.redaction.secret_registry import SecretRegistry
from augur_sdk.redaction.structure import keep_structure
from augur_sdk.redaction.typed_secrets import is_sensitive_step, mask_typed_text, typed_texts
from augur_sdk.redaction.walk import copy_json

__all__ = ["RedactionDoor"]

logger: logging.Logger = logging.getLogger(__name__)

_LONGEST_IDENTIFIER: Final = 128
_STEP: Final = "step"
_REASONING: Final = "reasoning"


class RedactionDoor:
    """One session's way out: its policy, its secrets, and the count of what they did.

    Guarantees: what comes out was redacted by the policy and holds no registered secret; a policy,
    redactor or dropper that raises or returns junk costs the field it was given, never the record
    and never an exception; passing twice changes nothing more. Safe to use from any thread.

    Args:
        policy: the session's policy.
        secrets: the session's registered secrets; its own by default.
    """

    def __init__(self, policy: RedactionPolicy, secrets: SecretRegistry | None = None) -> None:
        self.policy = policy
        self.secrets: SecretRegistry = SecretRegistry() if secrets is None else secrets
        self._key = os.urandom(16)
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._counts_by_place: dict[str, Counter[str]] = {}

    @property
    def failures(self) -> int:
        """How many fields became `***REDACTED:error***` because their redaction failed."""
        return self._counts["error"]

    @property
    def counts(self) -> dict[str, int]:
        """How many matches each rule replaced."""
        with self._lock:
            return dict(self._counts)

    def report(self) -> dict[str, Any]:
        """What was redacted so far, by rule and by place: the body of `redaction_report.json`."""
        with self._lock:
            return {
                "policy_id": self.policy.id,
                "failures": self._counts["error"],
                "registered_secrets": len(self.secrets),
                "rules": dict(sorted(self._counts.items())),
                "files": {
                    place: dict(sorted(counts.items()))
                    for place, counts in sorted(self._counts_by_place.items())
                },
            }

    def prepare(self) -> None:
        """Compile the policy's rules now rather than for the first record."""
        rules = self.policy.text_rules
        if rules is not None:
            rules.may_match(b"")

    def learn(self, step: Mapping[str, Any]) -> bool:
        """Register what a step typed, if it is marked sensitive or grounded on a password field.

        To be called with the caller's dict, before anything of the step is queued: records that
        wait in the queue then no longer show the value either.

        Returns:
            Whether the step is sensitive.
        """
        if not is_sensitive_step(step):
            return False
        for text in typed_texts(step):
            self.secrets.register(text, quiet=True)
        return True

    def record(
        self, kind: str, raw: bytes, *, sensitive: bool = False, place: str | None = None
    ) -> bytes:
        """The redacted form of one encoded record: compact JSON with sorted keys.

        Args:
            kind: the record's kind (`step`, `event`, `reasoning`, ...).
            raw: the record as JSON, as orjson encodes it.
            sensitive: the record belongs to a step that is marked sensitive: what its action typed
                is masked even if it was too short to be registered.
            place: where it will be written, for the report; the kind by default.
        """
        try:
            return self._record(kind, raw, sensitive, place or kind)
        except Exception as error:  # noqa: BLE001 - fails closed, and never into the agent
            logger.warning("a %s record could not be redacted: %s", kind, type(error).__name__)
            self._count({"error": 1}, place or kind)
            return orjson.dumps({"redaction": ERROR})

    def _record(self, kind: str, raw: bytes, sensitive: bool, place: str) -> bytes:
        value = orjson.loads(raw)
        known = bool(self.secrets) and self._mask_known(value, raw)
        if not (known or sensitive) and self._is_clean(kind, raw):
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        if kind == _STEP and isinstance(value, dict):
            self._hide_typed(value, sensitive)
        redacted = self._encode(self._redact(kind, value))
        self._count(count_markers(redacted) - count_markers(raw), place)
        return redacted

    def _is_clean(self, kind: str, raw: bytes) -> bool:
        policy = self.policy
        if type(policy).apply is not RedactionPolicy.apply:
            return False
        if kind == _REASONING and policy.reasoning_redactors:
            return False
        return not policy.may_change(raw)

    def _mask_known(self, value: Any, raw: bytes) -> bool:
        """Mask pieces of registered secrets in place; True if the record holds a known secret."""
        spelled = mask_spelled_secrets(value, self.secrets)
        return self.secrets.found_in(raw) or spelled

    def _hide_typed(self, step: dict[str, Any], sensitive: bool) -> None:
        if sensitive or is_sensitive_step(step):
            for text in typed_texts(step):
                self.secrets.register(text, quiet=True)
            mask_typed_text(step)

    def _redact(self, kind: str, value: Any) -> Any:
        value = self._without_secrets(value)
        redacted = self._apply(kind, value)
        if self._is_stock():
            return redacted
        return keep_structure(redacted, value, self._identifier)

    def _is_stock(self) -> bool:
        """True if only built-in rules ran, which keep a record's structure by themselves."""
        policy = self.policy
        custom = policy.redactors or policy.droppers or policy.reasoning_redactors
        return not custom and type(policy).apply is RedactionPolicy.apply

    def _apply(self, kind: str, value: Any) -> Any:
        try:
            if kind == _REASONING and isinstance(value, dict):
                return self._checked(self.policy.apply_reasoning(value))
            return self._checked(self.policy.apply(value))
        except Exception:  # noqa: BLE001 - tried again field by field: one costs only itself
            return self._field_by_field(value)

    def _checked(self, redacted: Any) -> Any:
        """What a policy returned, if it is a record that JSON can hold."""
        if not isinstance(redacted, (dict, list, str)):
            raise TypeError("a policy returned something that is no record")
        orjson.dumps(redacted)
        return redacted

    def _field_by_field(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._field(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [self._field(item) for item in value]
        return ERROR

    def _field(self, value: Any, key: str | None = None) -> Any:
        try:
            redacted = self.policy.apply(value, key=key)
            orjson.dumps(redacted)
        except Exception:  # noqa: BLE001 - fails closed: the field is hidden, the record stays
            return ERROR
        # A marker may stand for anything; everything else keeps its kind.
        return redacted if isinstance(redacted, (str, type(value))) else ERROR

    def _encode(self, value: Any) -> bytes:
        """The record's bytes, looked through again: a redactor may have joined what was split."""
        encoded = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        if self.secrets and self.secrets.found_in(encoded):
            return orjson.dumps(self._without_secrets(value), option=orjson.OPT_SORT_KEYS)
        return encoded

    def _without_secrets(self, value: Any) -> Any:
        """A copy in which each string, key and number that is a registered secret is masked."""
        if not self.secrets:
            return copy_json(value)
        if isinstance(value, str):
            return self.secrets.mask(value)
        if isinstance(value, dict):
            return {
                self.secrets.mask(key): self._without_secrets(item) for key, item in value.items()
            }
        if isinstance(value, list):
            return [self._without_secrets(item) for item in value]
        if isinstance(value, (int, float)) and self.secrets.is_number(value):
            return self.secrets.mask(str(value))
        return value

    def text(self, text: str, *, place: str = "text") -> str:
        """The redacted form of a text: a log line, a file name, AGENT.md, an exception.

        A name or id (one word) whose redaction failed keeps a digest that tells it from the other
        names of this session and says nothing else, so that different records stay apart.
        """
        try:
            redacted = self.policy.apply(self.secrets.mask(text))
            if isinstance(redacted, str) and ERROR not in redacted:
                redacted = self.secrets.mask(redacted)
                if redacted != text:
                    markers = count_markers(encode(redacted)) - count_markers(encode(text))
                    self._count(markers, place)
                return redacted
        except Exception as error:  # noqa: BLE001 - fails closed, and never into the agent
            logger.warning("a text could not be redacted: %s", type(error).__name__)
        self._count({"error": 1}, place)
        return self._identifier(text)

    def _identifier(self, text: Any) -> str:
        """What stands for an id whose redaction failed: different for different ids."""
        if not isinstance(text, str) or len(text) > _LONGEST_IDENTIFIER or " " in text:
            return ERROR
        digest = hmac.new(self._key, encode(text), hashlib.sha256).hexdigest()
        return f"{ERROR}.{digest[:8]}"

    def _count(self, counts: Mapping[str, int], place: str) -> None:
        if not counts:
            return
        with self._lock:
            self._counts.update(counts)
            self._counts_by_place.setdefault(place, Counter()).update(counts)

    def __repr__(self) -> str:
        return f"RedactionDoor({self.policy.id!r}, {len(self.secrets)} secrets)"

    def __reduce_ex__(self, _protocol: Any) -> NoReturn:
        raise TypeError("a redaction door holds secrets: it cannot be pickled or copied")
