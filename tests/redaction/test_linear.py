"""Ten times the text takes about ten times the time, for the shapes that break regular expressions.

The full table, up to 1 MB, is benchmarks/redaction.py; here the texts are small and the slack wide.
"""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from types import ModuleType

import pytest

from augur_sdk.redaction import DefaultRedactionPolicy

SMALL, LARGE = 4_000, 40_000
SLACK = 35  # a quadratic rule shows 100


def _benchmark() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "redaction.py"
    spec = importlib.util.spec_from_file_location("redaction_benchmark", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


benchmark = _benchmark()


def seconds(text: str) -> float:
    policy = DefaultRedactionPolicy()
    best = float("inf")
    for _ in range(3):
        start = time.thread_time()
        policy.apply(text)
        best = min(best, time.thread_time() - start)
    return best


@pytest.mark.parametrize("name", sorted(benchmark.SHAPES))
def test_redaction_is_linear(name: str) -> None:
    shape = benchmark.SHAPES[name]
    short = max(seconds(benchmark.filled(shape, SMALL)), 20e-6)
    assert seconds(benchmark.filled(shape, LARGE)) < SLACK * short


@pytest.mark.usefixtures("without_re2")
@pytest.mark.parametrize("name", ["prose", "a", "digits", "password=x", "tags", "://", "elements"])
def test_redaction_is_linear_without_re2(name: str) -> None:
    test_redaction_is_linear(name)


ANCHORED = {
    "email": "mail a@b.co ",
    "card": "4111111111111111 ",
    "key": "password=hunter2x ",
    "bearer": "Authorization: Bearer abcdefghijklmnop ",
    "url": "https://u:pa55word@h.example/x?token=abc ",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefgh ",
}
UNITS = [
    "'a",
    "a'",
    "-'a",
    "a.",
    "a+",
    "\\a",
    "\\n",
    "%41",
    "&#64;",
    "a@",
    "1-",
    "a=",
    "://a",
    '"a":',
]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("kind", sorted(ANCHORED))
def test_redaction_is_linear_behind_a_text_that_wakes_a_rule(kind: str, unit: str) -> None:
    head = ANCHORED[kind]
    short = max(seconds(head + benchmark.filled(unit, SMALL)), 20e-6)
    assert seconds(head + benchmark.filled(unit, LARGE)) < SLACK * short
