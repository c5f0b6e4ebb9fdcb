"""The page of a comparison: whole, self-contained, and safe to open."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from augur_sdk.comparison import compare_bundles, picture_embedding, render_html
from augur_sdk.images.probe import probe

Run = Callable[..., Path]
FAILED = {"verdict": {"status": "failed"}, "failure_class": "card_declined"}
HOSTILE = '<img src=x onerror="alert(1)"></style><script>alert(2)</script>\u202e&'


class Elements(HTMLParser):
    """Collects elements and checks that they are closed in order."""

    VOID = frozenset({"meta", "br", "img"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def sources(self) -> Iterator[str]:
        return (attrs["src"] or "" for tag, attrs in self.seen if tag == "img")


def test_the_page_shows_the_divergence_with_both_screenshots(run: Run) -> None:
    a, b = run("a"), run("b", pay=FAILED)
    page = render_html(compare_bundles(a, b))
    sources = list(Elements(page).sources())
    assert len(sources) == 4
    embedded = base64.b64decode(sources[0].removeprefix("data:image/png;base64,"))
    assert embedded == (a / "screenshots/0004_pre.png").read_bytes()
    assert page.count('class="marker"') == 2
    assert "passed in A, card_declined in B" in page
    assert "cua.uncategorized_failure" not in page


def test_the_page_asks_for_nothing_and_runs_nothing(run: Run) -> None:
    page = render_html(compare_bundles(run("a"), run("b", pay=FAILED)))
    elements = Elements(page)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in elements.seen}
    assert not re.search(r"(?:https?:)?//", re.sub(r"data:[^\"]+", "", page))
    assert all(source.startswith("data:image/") for source in elements.sources())
    assert "default-src 'none'" in page


def test_recorded_text_stays_text(run: Run) -> None:
    hostile = {
        "grounding": {"provider": "g", "provenance": "dom", "target_label": HOSTILE},
        "failure_class": HOSTILE,
        "status": "failed",
    }
    page = render_html(compare_bundles(run("a"), run("b", mug=hostile, pay=hostile)))
    elements = Elements(page)
    assert not {"script"} & {tag for tag, _ in elements.seen}
    assert not [attrs for _, attrs in elements.seen if "onerror" in attrs]
    assert "\u202e" not in page


def test_equal_runs_have_a_page_too(run: Run) -> None:
    page = render_html(compare_bundles(run("a"), run("b")))
    assert "The same trajectory" in page
    assert "First divergence" not in page
    assert "6 equal steps" in page


def test_equal_steps_far_from_a_difference_are_folded(run: Run) -> None:
    labels = tuple(f"Button {number}" for number in range(20))
    page = render_html(compare_bundles(run("a", labels), run("b", (*labels[:10], *labels[11:]))))
    assert "8 equal steps: A 0 to 7, B 0 to 7" in page
    assert page.count("<tr class=") == 5 + 2


def test_a_large_screenshot_is_scaled_down(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_embedding, "_AS_IT_IS", 10)
    monkeypatch.setattr(picture_embedding, "_WIDTH", 100)
    uri = picture_embedding.data_uri(run("a"), "screenshots/0000_pre.png") or ""
    found = probe(base64.b64decode(uri.removeprefix("data:image/jpeg;base64,")))
    assert (found.width, found.height) == (100, 62)


@pytest.mark.parametrize("path", ["screenshots/none.png", "../x.png", "manifest.json"])
def test_what_is_no_picture_of_the_bundle_is_not_embedded(run: Run, path: str) -> None:
    assert picture_embedding.data_uri(run("a"), path) is None
