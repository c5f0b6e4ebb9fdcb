"""A text rule: what it looks for, and what it leaves in its place.

Each rule is linear in its input for any input. The means: a literal head, bounded or possessive
repetition, a look-behind that admits one start for each run of characters, and checks (Luhn,
check digits, decoding) in a function that sees the match only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from augur_sdk.redaction.anchors import Anchor
from augur_sdk.redaction.markers import marker

__all__ = ["Rule", "Span", "accept_all", "pattern_rule", "span_rule", "starts_word"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: it may only change a text in which one of its anchors occurs."""

    name: str
    anchors: tuple[Anchor, ...]
    redact: Callable[[str], str]


def accept_all(_match: re.Match[str]) -> bool:
    """Every match is a secret."""
    return True


def pattern_rule(
    name: str,
    expression: str,
    *,
    anchors: tuple[Anchor, ...],
    kind: str | None = None,
    flags: int = 0,
    accept: Callable[[re.Match[str]], bool] = accept_all,
) -> Rule:
    """A rule that replaces each accepted match of a regular expression.

    Where the expression has a group `secret`, only that group is replaced.

    Args:
        name: the rule's name in reports.
        expression: linear for any input; see the module's text.
        anchors: literals one of which occurs in whatever matches.
        kind: the marker's kind; the rule's name by default.
        flags: of the `re` module; `re.ASCII` unless `re.UNICODE` is among them.
        accept: looks closer at a match; False leaves it alone.
    """
    mark = marker(kind or name)
    group = "secret" if "(?P<secret>" in expression else 0

    def replace(match: re.Match[str]) -> str:
        if not accept(match):
            return match[0]
        start, end = match.span(group)
        offset = match.start()
        whole = match[0]
        return f"{whole[: start - offset]}{mark}{whole[end - offset :]}"

    @cache
    def compiled() -> re.Pattern[str]:
        """Compiled at the rule's first use: most rules are never needed in a run."""
        return re.compile(expression, flags if flags & re.UNICODE else flags | re.ASCII)

    return Rule(name, anchors, lambda text: compiled().sub(replace, text))


Span = tuple[int, int, str]
"""Where a secret begins and ends in a text, and its kind."""


def span_rule(
    name: str, anchors: tuple[Anchor, ...], find: Callable[[str], Iterator[Span]]
) -> Rule:
    """A rule whose matches a function finds; spans come in order, and overlaps are ignored."""

    def redact(text: str) -> str:
        pieces: list[str] = []
        done = 0
        for start, end, kind in find(text):
            if start >= done:
                pieces += (text[done:start], marker(kind))
                done = end
        return "".join((*pieces, text[done:])) if pieces else text

    return Rule(name, anchors, redact)


def starts_word(head: str) -> str:
    r"""A look-behind to put after the literal `head`: the head began a word of its own.

    Escapes count as separators: in `\\nsk-...`, `%20sk-...` and `\\u003dsk-...` a word begins.
    """
    head = re.escape(head)
    return (
        rf"(?:(?<![A-Za-z0-9]{head})|(?<=\\[nrtbf]{head})"
        rf"|(?<=%[0-9A-Fa-f]{{2}}{head})|(?<=\\u00[0-9A-Fa-f]{{2}}{head}))"
    )
