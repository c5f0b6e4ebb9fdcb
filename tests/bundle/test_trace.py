from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenarios import step

from augur_sdk.bundle.canonical import pretty
from augur_sdk.bundle.trace import TraceSpool, trace_chunks

values: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
records = st.dictionaries(st.text(max_size=6), values, max_size=4)


@given(records, st.lists(records, max_size=5))
def test_a_trace_put_together_from_blocks_is_the_canonical_file(
    session: dict[str, Any], steps: list[dict[str, Any]]
) -> None:
    blocks = (pretty(s).rstrip(b"\n").replace(b"\n", b"\n    ") for s in steps)
    made = b"".join(trace_chunks(pretty(session), blocks))
    if steps:
        assert made == pretty({"session": session, "steps": steps})
    assert orjson.loads(made) == {"session": session, "steps": steps}


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 1, 2, 0], [0, 1, 1, 0, 2, 1]])
def test_the_latest_block_of_each_step_comes_out_in_step_order(
    tmp_path: Path, order: list[int]
) -> None:
    spool = TraceSpool(tmp_path)
    latest = {}
    for revision, index in enumerate(order):
        latest[index] = pretty(step(index, intent=str(revision)))
        spool.add(index, latest[index])
    blocks = [orjson.loads(block) for block in spool.blocks()]
    assert blocks == [orjson.loads(latest[index]) for index in sorted(latest)]
    spool.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_large_spool_is_read_in_pieces(tmp_path: Path) -> None:
    spool = TraceSpool(tmp_path)
    for index in range(3000):
        spool.add(index, pretty(step(index, intent="x" * 1000)))
    assert sum(1 for _ in spool.blocks()) == 3000
    assert [orjson.loads(b)["step_index"] for b in spool.blocks()] == list(range(3000))
    spool.discard()


def test_a_spool_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    spool = TraceSpool(tmp_path / "nowhere")
    spool.add(0, pretty(step(0, intent="x" * 300_000)))
    assert not spool.usable
    with pytest.raises(OSError, match="could not be written"):
        list(spool.blocks())
