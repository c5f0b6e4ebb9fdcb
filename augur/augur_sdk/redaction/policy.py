"""Redaction policies: what is dropped, what is masked, which rules run over text.

A policy is data and callables, without state of a run: one object may serve many sessions. The
behaviour is that of contract/api-reference.txt (Redaction) and contract/behaviour.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import orjson

from augur_sdk.redaction.key_judge import DROP_KEYS, MASK_KEYS, KeyJudge, key_judge
from augur_sdk.redaction.markers import ERROR
from augur_sdk.redaction.walk import Walk, copy_json, run_redactors

if TYPE_CHECKING:
    from augur_sdk.redaction.text_rules import TextRules

__all__ = ["DEFAULT_POLICY_ID", "DefaultRedactionPolicy", "RedactionPolicy"]

DEFAULT_POLICY_ID: Final = "default-pii-v1"


@dataclass(init=False, eq=False, repr=False)
class RedactionPolicy:
    """A policy that does what it is told and nothing else: the base to build one's own on.

    It has no keys and no rules until given some. `DefaultRedactionPolicy` has the documented ones;
    derive from that to add to them. A subclass may set `id`, `drop_keys`, `mask_keys`, `keep_keys`,
    `redactors` and `droppers` as class attributes, or override `apply`.

    Args:
        id: what records name as their policy.
        drop_keys: keys that are removed with their values; any case, any separator.
        mask_keys: keys whose values become `***REDACTED:mask***`; likewise.
        keep_keys: keys that are never dropped or masked for their name; the text rules still run.
        redactors: callables `str -> str` over every string value, after the built-in rules.
        droppers: callables `(key, value) -> bool`; True removes the field.
        reasoning_redactors: callables `str -> str` over the text of reasoning traces.

    It is a dataclass, so `dataclasses.replace(policy, mask_keys=...)` makes a changed copy.
    """

    id: str = "custom"
    drop_keys: frozenset[str] = frozenset()
    mask_keys: frozenset[str] = frozenset()
    keep_keys: frozenset[str] = frozenset()
    redactors: list[Callable[[str], str]] = field(default_factory=list)
    droppers: list[Callable[[str, Any], bool]] = field(default_factory=list)
    reasoning_redactors: list[Callable[[str], str]] = field(default_factory=list)

    key_grammar: ClassVar[bool] = False
    """Whether keys that name a secret by their words (`userPassword`) are masked too."""

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        """Give each policy its own lists, even where a subclass forgets `super().__init__()`."""
        policy = super().__new__(cls)
        for name in ("redactors", "droppers", "reasoning_redactors"):
            setattr(policy, name, list(getattr(cls, name, ())))
        return policy

    def __init__(
        self,
        id: str | None = None,  # noqa: A002 - the documented field's name
        drop_keys: Iterable[str] | None = None,
        mask_keys: Iterable[str] | None = None,
        redactors: Iterable[Callable[[str], str]] = (),
        droppers: Iterable[Callable[[str, Any], bool]] = (),
        reasoning_redactors: Iterable[Callable[[str], str]] = (),
        *,
        keep_keys: Iterable[str] | None = None,
    ) -> None:
        if id is not None:
            self.id = id
        given = {"drop_keys": drop_keys, "mask_keys": mask_keys, "keep_keys": keep_keys}
        for name, keys in given.items():
            if keys is not None:
                setattr(self, name, frozenset(keys))
        # A copy made by `dataclasses.replace` is given what its class has already.
        self.redactors += [fn for fn in redactors if fn not in self.redactors]
        self.droppers += [fn for fn in droppers if fn not in self.droppers]
        self.reasoning_redactors += [
            fn for fn in reasoning_redactors if fn not in self.reasoning_redactors
        ]

    def add_redactor(self, fn: Callable[[str], str]) -> None:
        """Run `fn` over every string value, after the built-in rules.

        One that raises, or returns anything but a string, turns the field it was given into
        `***REDACTED:error***`.
        """
        self.redactors.append(fn)

    def add_dropper(self, fn: Callable[[str, Any], bool]) -> None:
        """Remove every field for which `fn(key, value)` is True.

        One that raises, or returns anything but a bool or None, turns the field it was given into
        `***REDACTED:error***`.
        """
        self.droppers.append(fn)

    def add_reasoning_redactor(self, fn: Callable[[str], str]) -> None:
        """Run `fn` over the `text` of reasoning traces, after everything else."""
        self.reasoning_redactors.append(fn)

    def apply(self, value: Any, *, key: str | None = None) -> Any:
        """The redacted form of a value; the value itself is not changed.

        Applying a policy to what it returned changes nothing more (as long as the user's own
        redactors agree).

        Args:
            value: anything: dicts, lists, tuples, sets, bytes, strings, objects.
            key: the key that the value stands under, if any. Under a key that is dropped the
                result is None.
        """
        if self.is_untouched(value, key):
            return copy_json(value)
        walk = Walk(self)
        return walk.value(value) if key is None else walk.field(key, value)

    def apply_reasoning(self, trace: Mapping[str, Any]) -> dict[str, Any]:
        """A reasoning trace after `apply` and, on its `text`, the reasoning redactors."""
        redacted = self.apply(dict(trace))
        if not isinstance(redacted, dict):
            return {"text": ERROR}
        if isinstance(redacted.get("text"), str):
            redacted["text"] = self._redact_reasoning(redacted["text"])
        return redacted

    def _redact_reasoning(self, text: str) -> str:
        try:
            return run_redactors(self.reasoning_redactors, text)
        except Exception:  # noqa: BLE001 - fails closed: the text is hidden, the trace stays
            return ERROR

    @property
    def text_rules(self) -> TextRules | None:
        """The built-in rules that run over text; None for none."""
        return None

    @property
    def key_judge(self) -> KeyJudge:
        """What this policy does with keys."""
        drop, mask, keep = map(frozenset, (self.drop_keys, self.mask_keys, self.keep_keys))
        return key_judge(drop, mask, keep, self.key_grammar)

    def may_change(self, encoded: bytes) -> bool:
        """False if the stock `apply` would change nothing in this JSON text."""
        if self.redactors or self.droppers:
            return True
        rules = self.text_rules
        return (rules is not None and rules.may_match(encoded)) or self.key_judge.may_match(encoded)

    def is_untouched(self, value: Any, key: str | None = None) -> bool:
        """True if one look at the value's JSON text shows that nothing in it is to be redacted."""
        if self.redactors or self.droppers:
            return False
        try:
            return not self.may_change(orjson.dumps(value if key is None else {key: value}))
        except TypeError:
            return False

    def __repr__(self) -> str:
        return f"{type(self).__name__}(id={self.id!r})"


class DefaultRedactionPolicy(RedactionPolicy):
    """`default-pii-v1`: the documented keys and rules, and everything else that has a syntax."""

    id = DEFAULT_POLICY_ID
    drop_keys = DROP_KEYS
    mask_keys = MASK_KEYS
    key_grammar = True

    @property
    def text_rules(self) -> TextRules | None:
        """The rules of `default-pii-v1`."""
        return _default_rules()


@cache
def _default_rules() -> TextRules:
    # Compiling them takes a while, which who only imports this module does not wait for.
    from augur_sdk.redaction.text_rules import default_rules

    return default_rules()
