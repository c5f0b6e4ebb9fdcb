"""What commands print with: readable on a terminal, plain in a pipe, JSON for programs."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import orjson
from rich.console import Console
from rich.progress import Progress
from rich.segment import Segment

__all__ = [
    "JSON_OPTION_HELP",
    "busy",
    "counting",
    "error_console",
    "harmless",
    "output",
    "print_json",
    "printable",
    "track",
]

JSON_OPTION_HELP: Final = "Print JSON, for a program to read."

PIPE_WIDTH: Final = 160
"""Columns where there is no terminal to ask: rows are not broken, and still fit an editor."""

PATIENCE: Final = 1.0
"""Seconds that a loop may take before it shows a progress bar."""

_STEERING: Final = re.compile(
    r"[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
"""Controls, direction marks and invisible characters that JSON may hold as they are."""

T = TypeVar("T")


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


class _SafeConsole(Console):
    """A console whose texts cannot steer the terminal, wherever they come from.

    Rich strips only a few control characters; a folder's name can hold any.
    """

    def render(self, *args: Any, **options: Any) -> Iterator[Segment]:
        """The pieces of a renderable, made harmless."""
        for segment in super().render(*args, **options):
            yield segment if segment.control else Segment(harmless(segment.text), segment.style)


def harmless(text: str) -> str:
    """Text whose controls and direction marks are replaced; line ends stay."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character == "\n" else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def output() -> Console:
    """The console on standard output; obeys NO_COLOR, COLUMNS and the absence of a terminal."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return _SafeConsole(width=width, highlight=False, markup=False, emoji=False)


def error_console() -> Console:
    """The console on standard error, for what is no part of a command's answer."""
    return _SafeConsole(stderr=True, highlight=False, markup=False, emoji=False)


def print_json(value: Any) -> None:
    """Print a value as JSON in UTF-8, keys sorted.

    What could steer a terminal is escaped, so that a program reads the value as it was.
    """
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    text = orjson.dumps(value, option=options).decode()
    sys.stdout.buffer.write(_STEERING.sub(_escaped, text).encode())
    sys.stdout.flush()


def printable(value: object) -> str:
    """A recorded value as one line that cannot steer a terminal.

    Control characters, escape sequences and text-direction marks come from outside; each becomes
    one replacement character.
    """
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for character in " ".join(str(value).split())
    )


@contextmanager
def busy(what: str) -> Iterator[None]:
    """Show on a terminal that something is going on, while the block runs."""
    console = error_console()
    if not console.is_terminal:
        yield
        return
    with console.status(what):
        yield


@contextmanager
def counting(what: str, console: Console | None = None) -> Iterator[Callable[[int, int], None]]:
    """Give a function that is told (done, in all); on a terminal a bar shows up after a while.

    Args:
        what: What is being done.
        console: Where the bar is shown; on standard error unless given. A console that is printed
            to meanwhile has to be given.
    """
    bar = Progress(console=console or error_console(), transient=True)
    task = bar.add_task(what, total=None)
    begun = time.monotonic()

    def tell(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total)
        if bar.console.is_terminal and time.monotonic() - begun > PATIENCE:
            bar.start()

    try:
        yield tell
    finally:
        if bar.live.is_started:  # stopping prints a line where there is no terminal
            bar.stop()


def track(items: Sequence[T], what: str) -> Iterator[T]:
    """Go through the items; on a terminal a progress bar shows up when that takes a while."""
    bar = Progress(console=error_console(), transient=True)
    task = bar.add_task(what, total=len(items))
    begun, shown = time.monotonic(), False
    try:
        for done, item in enumerate(items):
            if bar.console.is_terminal and not shown and time.monotonic() - begun > PATIENCE:
                bar.start()
                shown = True
            if shown:
                bar.update(task, completed=done)
            yield item
    finally:
        if shown:
            bar.stop()
