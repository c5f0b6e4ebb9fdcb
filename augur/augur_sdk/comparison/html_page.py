"""The comparison as one HTML page that needs nothing else: no script, no link, no request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby
from typing import Any, Final

from augur_sdk.comparison.page_style import STYLE
from augur_sdk.comparison.picture_embedding import data_uri
from augur_sdk.comparison.result import (
    AlignedStep,
    BundleComparison,
    Divergence,
    FindingChanges,
    RunSide,
)
from augur_sdk.models import DiagnosticFinding

__all__ = ["render_html"]

_CONTEXT: Final = 2
"""Equal steps shown on each side of a difference; more are folded away."""

_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_NAMES: Final = {
    "same": "same",
    "action": "other action",
    "outcome": "other outcome",
    "only_a": "only in A",
    "only_b": "only in B",
}


def render_html(comparison: BundleComparison) -> str:
    """Render a comparison as a page: the verdict, the first divergence, findings, all steps.

    The screenshots at the divergence are embedded. Everything recorded is escaped, and the page's
    own policy forbids scripts and requests.
    """
    a, b = comparison.a, comparison.b
    title = f"{a.run_id or 'A'} compared with {b.run_id or 'B'}"
    body = [
        f"<header><h1>{_text(title)}</h1>{_verdict(comparison)}</header>",
        f'<section class="sides">{_side("A", a)}{_side("B", b)}</section>',
        _divergence(comparison) if comparison.divergence else "",
        _findings(comparison.findings),
        _steps(comparison.rows),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(title)}</title><style>{STYLE}</style></head>\n"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _verdict(comparison: BundleComparison) -> str:
    count = sum(1 for _ in comparison.differences())
    if comparison.same:
        said, kind = "The same trajectory", "good"
    else:
        said, kind = f"{count} {'step differs' if count == 1 else 'steps differ'}", "bad"
    return (
        f'<p class="verdict"><span class="pill {kind}">{said}</span> '
        f"{comparison.similarity:.0%} of steps and pairs of steps in common</p>"
    )


def _side(name: str, side: RunSide) -> str:
    facts = {
        "Run": side.run_id,
        "Client": side.client,
        "Status": side.status,
        "Steps": side.steps,
        "Bundle": side.name or side.bundle_dir,
        "Fingerprint": side.fingerprint,
    }
    rows = "".join(f"<dt>{key}</dt><dd>{_text(value)}</dd>" for key, value in facts.items())
    return f'<article class="card"><h2><i class="tag">{name}</i></h2><dl>{rows}</dl></article>'


def _divergence(comparison: BundleComparison) -> str:
    found = comparison.divergence
    if found is None:
        return ""
    columns = _column("A", comparison.a, found, found.screenshots_a, found.point_a) + _column(
        "B", comparison.b, found, found.screenshots_b, found.point_b
    )
    return (
        '<section class="card"><h2>First divergence</h2>'
        f'<p class="lead">{_text(found.summary)}</p><div class="sides">{columns}</div></section>'
    )


def _column(
    name: str,
    side: RunSide,
    found: Divergence,
    screenshots: dict[str, str],
    point: tuple[float, float] | None,
) -> str:
    step = found.step
    index, action, outcome = (
        (step.a, step.action_a, step.outcome_a)
        if name == "A"
        else (step.b, step.action_b, step.outcome_b)
    )
    head = f'<h3><i class="tag">{name}</i> '
    if index is None:
        return f'<div>{head}</h3><p class="empty">no step here</p></div>'
    figures = "".join(
        _figure(side, kind, path, point if kind == "pre" else None)
        for kind, path in screenshots.items()
    )
    nothing = '<p class="empty">no screenshots in the bundle</p>'
    return (
        f"<div>{head}step {index}</h3><p>{_text(action)} {_outcome(outcome)}</p>"
        f"{figures or nothing}</div>"
    )


def _figure(side: RunSide, kind: str, path: str, point: tuple[float, float] | None) -> str:
    source = data_uri(side.bundle_dir, path)
    if source is None:
        return f'<p class="empty">{_text(path)} cannot be shown</p>'
    when = "before" if kind == "pre" else "after"
    return (
        f'<figure><div class="shot"><img src="{source}" alt="the screen {when} the step">'
        f"{_marker(point)}</div><figcaption>{when}: {_text(path)}</figcaption></figure>"
    )


def _marker(point: tuple[float, float] | None) -> str:
    if point is None or not all(0 <= share <= 1 for share in point):
        return ""
    return f'<b class="marker" style="left:{point[0]:.2%};top:{point[1]:.2%}"></b>'


def _findings(changes: FindingChanges) -> str:
    promoted = [_finding(p.finding, f"{p.severity_before} &rarr; ") for p in changes.promoted]
    lists = (
        _finding_list("New in B", map(_finding, changes.new))
        + _finding_list("More severe in B", promoted)
        + _finding_list("Resolved in B", map(_finding, changes.resolved))
    )
    unchanged = f'<p class="empty">{changes.unchanged} unchanged</p>'
    return f'<section class="card"><h2>Findings</h2>{lists}{unchanged}</section>'


def _finding_list(title: str, items: Iterable[str]) -> str:
    shown = "".join(items)
    return f"<h3>{title}</h3><ul>{shown}</ul>" if shown else ""


def _finding(finding: DiagnosticFinding, before: str = "") -> str:
    index = finding.get("step_index")
    where = "run" if index is None else f"step {index}"
    severity = finding["severity"]
    return (
        f'<li><span class="pill {_text(severity)}">{before}{_text(severity)}</span> '
        f"<code>{_text(finding['rule_id'])}</code> <small>{where}</small><br>"
        f"{_text(finding['summary'])}</li>"
    )


def _steps(rows: Sequence[AlignedStep]) -> str:
    head = "<tr><th>A</th><th></th><th>B</th><th></th><th>Screens</th><th></th></tr>"
    return (
        '<section class="card"><h2>Steps</h2><div class="wide"><table>'
        f"<thead>{head}</thead>{''.join(_groups(rows))}</table></div></section>"
    )


def _groups(rows: Sequence[AlignedStep]) -> Iterator[str]:
    shown = _near_differences(rows)
    for is_shown, group in groupby(range(len(rows)), key=lambda number: number in shown):
        numbers = list(group)
        if is_shown or len(numbers) <= _CONTEXT:
            yield f"<tbody>{''.join(_row(rows[number]) for number in numbers)}</tbody>"
        else:
            first, last = rows[numbers[0]], rows[numbers[-1]]
            yield (
                '<tbody><tr class="folded"><td colspan="6">'
                f"{len(numbers)} equal steps: A {first.a} to {last.a}, B {first.b} to {last.b}"
                "</td></tr></tbody>"
            )


def _near_differences(rows: Sequence[AlignedStep]) -> set[int]:
    differing = [number for number, row in enumerate(rows) if row.difference != "same"]
    return {near for at in differing for near in range(at - _CONTEXT, at + _CONTEXT + 1)}


def _row(row: AlignedStep) -> str:
    distance = "" if row.screen_distance is None else f"{row.screen_distance} bits"
    return (
        f'<tr class="{row.difference}">'
        f"<td>{_number(row.a)}</td><td>{_text(row.action_a)} {_outcome(row.outcome_a)}</td>"
        f"<td>{_number(row.b)}</td><td>{_text(row.action_b)} {_outcome(row.outcome_b)}</td>"
        f"<td>{distance}</td><td>{_NAMES[row.difference]}</td></tr>"
    )


def _number(index: int | None) -> str:
    return "" if index is None else str(index)


def _outcome(outcome: str) -> str:
    return f'<span class="outcome">{_text(outcome)}</span>' if outcome else ""


def _text(value: Any) -> str:
    """Recorded text for the page; a direction mark could make it read otherwise than it is."""
    return escape(
        "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value))
    )
