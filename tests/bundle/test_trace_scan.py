"""The scanner finds the parts of any trace, in any spelling, in little memory."""

import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augur_sdk.bundle.trace_scan import TraceSyntaxError, trace_parts

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.text(st.sampled_from('a"\\{}[],: \n'), max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.sampled_from('a"\\}'), max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
SPELLINGS: list[Callable[[Any], bytes]] = [
    orjson.dumps,
    lambda value: orjson.dumps(value, option=orjson.OPT_INDENT_2),
    lambda value: json.dumps(value, indent="\t", separators=(" ,", " : ")).encode() + b"\r\n ",
    lambda value: json.dumps(value, indent=0).encode(),
    lambda value: json.dumps(value, indent=1).replace("\n", "\r\n").encode(),
]


class Dripping:
    """A source that gives a few bytes at a time, whatever it is asked for."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data = io.BytesIO(data)
        self._size = size

    def read(self, size: int, /) -> bytes:
        return self._data.read(min(size, self._size))


def parts(raw: bytes, size: int = 1 << 20) -> list[tuple[str, int | None, Any]]:
    found = list(trace_parts(Dripping(raw, size)))
    assert [raw[part.start :][: len(part.raw)] for part in found] == [part.raw for part in found]
    for part in found:
        assert part.value is None or part.value == json.loads(part.raw)
    return [(part.key, part.position, json.loads(part.raw)) for part in found]


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(["session", "other", "{"]), VALUES),
    st.none() | st.lists(VALUES, max_size=4),
    st.sampled_from(SPELLINGS),
    st.integers(1, 40),
)
def test_the_parts_are_those_of_the_document(
    members: dict[str, Any], steps: list[Any] | None, spell: Callable[[Any], bytes], size: int
) -> None:
    expected: list[tuple[str, int | None, Any]] = [
        (key, None, value) for key, value in members.items()
    ]
    if steps is not None:
        members = {**members, "steps": steps}
        expected += [("steps", position, step) for position, step in enumerate(steps)]
    if steps == []:
        expected += [("steps", None, [])]
    assert parts(spell(members), size) == expected


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["session", "steps"]), VALUES), st.data())
def test_a_trace_that_was_cut_is_never_whole(members: dict[str, Any], data: st.DataObject) -> None:
    raw = orjson.dumps(members)
    cut = data.draw(st.integers(0, len(raw) - 1))
    with pytest.raises((TraceSyntaxError, ValueError)):
        parts(raw[:cut])


@pytest.mark.parametrize(
    "raw",
    [b"", b" ", b"[]", b"null", b"{", b"{}{}", b'{"a" 1}', b'{"a":}', b'{"a":1,}', b"{a:1}",
     b'{"steps":[1 2]}', b'{"steps":[1,]}', b'{"steps":[,1]}', b'{"steps":[1}', b'{1:2}',
     b'{"\\x":1}', b'{"a":"', b'{"a":tru'],
)  # fmt: skip
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(TraceSyntaxError):
        parts(raw)


def test_an_indented_step_is_decoded_by_finding_its_end() -> None:
    steps = [{"a": {"b": []}}, {"a": "}"}]
    raw = orjson.dumps({"steps": steps}, option=orjson.OPT_INDENT_2)
    assert [part.value for part in trace_parts(io.BytesIO(raw))] == steps


@pytest.mark.parametrize(
    "step",
    [
        b'{"a":{\n    }, "b":"\\"}"}',
        b'{"a":"}",\n    "b":[{}\n    ]}',
        b'{\n    "a":' + b"[" * 2000 + b"]" * 2000 + b"\n    }",
        b'{\n    "a":"' + b"x" * 100_000 + b'"\n    }',
        b'{\n    "a":NaN\n    }',
    ],
)
def test_a_step_ends_where_its_brackets_do_however_it_is_indented(step: bytes) -> None:
    raw = b'{"steps":[\n    ' + step + b",\n    {}\n]}"
    for size in (7 + len(raw) // 100, 1 << 20):
        found = list(trace_parts(Dripping(raw, size)))
        assert [part.raw for part in found] == [step, b"{}"]
        assert [part.start for part in found] == [raw.index(step), raw.rindex(b"{}")]


def test_memory_is_bounded_by_a_step_not_by_the_trace() -> None:
    step = orjson.dumps({"step_id": "s", "action": {"params": {"text": "x" * 3000}}}) + b",\n"

    class LongTrace:
        """Forty megabytes that exist only a block at a time."""

        def __init__(self) -> None:
            self._blocks = self._text()

        def _text(self) -> Iterator[bytes]:
            yield b'{"session":{},"steps":['
            for _ in range(400):
                yield step * 32
            yield b"0]}"

        def read(self, _size: int, /) -> bytes:
            return next(self._blocks, b"")

    tracemalloc.start()
    try:
        count = sum(1 for _ in trace_parts(LongTrace()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 400 * 32 + 2
    assert peak < 4 << 20


def test_one_huge_step_is_scanned_in_linear_time() -> None:
    """Reading on by as much as is held keeps the number of reads logarithmic."""

    class Counting(Dripping):
        reads = 0

        def read(self, size: int, /) -> bytes:
            self.reads += 1
            return super().read(size)

    source = Counting(b'{"steps":["' + b"x" * (32 << 20) + b'"]}', 1 << 30)
    assert [part.position for part in trace_parts(source)] == [0]
    assert source.reads < 12
