"""The text rules together: one look for anchors, then only the rules that could match.

The rules run until they change nothing more, so that redacting a redacted text changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Final

from augur_sdk.redaction.anchors import AnchorSet, encode
from augur_sdk.redaction.credentials import CREDENTIAL_RULES
from augur_sdk.redaction.headers import HEADER_RULES
from augur_sdk.redaction.hidden import HIDDEN_ANCHORS, unhidden
from augur_sdk.redaction.identity import IDENTITY_RULES
from augur_sdk.redaction.key_blocks import BLOCK_RULES
from augur_sdk.redaction.key_values import KEY_VALUE_RULES
from augur_sdk.redaction.markup import MARKUP_RULES
from augur_sdk.redaction.rule import Rule

__all__ = ["TextRules", "default_rules"]

_HIDDEN: Final = -1
"""The anchors of hidden characters, which belong to no rule."""

_SHORTEST_SECRET: Final = 5
"""Nothing shorter matches any rule."""

_MOST_PASSES: Final = 8
"""Two passes are the rule (the second finds nothing); each further one replaced something more."""


class TextRules:
    """An ordered list of rules behind one set of anchors. Immutable, usable from any thread.

    `redact_key` is `redact` for the keys of dicts, which repeat: it remembers the last 4096.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        groups = {number: rule.anchors for number, rule in enumerate(self._rules)}
        self.redact_key: Callable[[str], str] = lru_cache(maxsize=4096)(self.redact)
        self._anchors = AnchorSet({_HIDDEN: HIDDEN_ANCHORS, **groups})

    def may_match(self, encoded: bytes) -> bool:
        """False if no rule can match in this UTF-8 text, or in any string of this JSON text."""
        return bool(self._anchors.hits(encoded))

    def redact(self, text: str) -> str:
        """The text with each secret replaced by a marker; the same object if there is none."""
        if len(text) < _SHORTEST_SECRET:
            return text
        hits = self._anchors.hits(encode(text))
        if not hits:
            return text
        redacted = self._until_stable(text, hits)
        return self._redact_hidden(redacted) if _HIDDEN in hits else redacted

    def _until_stable(self, text: str, hits: list[int]) -> str:
        for _ in range(_MOST_PASSES):
            redacted = self._one_pass(text, hits)
            if redacted == text:
                return text
            text = redacted
            hits = self._anchors.hits(encode(text))
        return text

    def _one_pass(self, text: str, hits: list[int]) -> str:
        for number in hits:
            if number != _HIDDEN:
                text = self._rules[number].redact(text)
        return text

    def _redact_hidden(self, text: str) -> str:
        """The plain reading, if it holds a secret that the text as written does not show."""
        plain = unhidden(text)
        if plain == text:
            return text
        redacted = self._until_stable(plain, self._anchors.hits(encode(plain)))
        return text if redacted == plain else redacted


@cache
def default_rules() -> TextRules:
    """The rules of `default-pii-v1`, most telling first: the first to match names the kind."""
    return TextRules(
        (
            *BLOCK_RULES,
            *HEADER_RULES,
            *CREDENTIAL_RULES,
            *KEY_VALUE_RULES,
            *MARKUP_RULES,
            *IDENTITY_RULES,
        )
    )
