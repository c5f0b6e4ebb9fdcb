from __future__ import annotations

import hashlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from augur_sdk.bundle.canonical import compact
from augur_sdk.bundle.lines import LineFile

events = st.lists(
    st.builds(
        lambda ts, summary: compact({"ts": f"{ts:02d}", "layer": "a", "summary": summary}),
        st.integers(0, 20),
        st.text(max_size=3),
    ),
    max_size=4,
)


def render(record: bytes) -> bytes:
    return record + b"\n"


@given(st.lists(events, max_size=40))
def test_a_file_grown_in_batches_is_the_sorted_file_once_settled(
    batches: list[list[bytes]],
) -> None:
    lines = LineFile("events/run.jsonl", render, ordered=True)
    content, records = b"", []
    for batch in batches:
        records += batch
        addition = lines.addition(batch)
        if addition is None:
            content = lines.whole(records)
            lines.replaced(records, content)
        else:
            content += addition
            lines.appended(batch, addition)
        assert lines.digest == hashlib.sha256(content).digest()
        assert lines.written == len(records)
    if not lines.settled:
        content = lines.whole(records)
        lines.replaced(records, content)
    assert content == b"".join(render(r) for r in sorted(records, key=key))


def key(record: bytes) -> tuple[str, ...]:
    import orjson

    event: dict[str, Any] = orjson.loads(record)
    return tuple(str(event.get(name, "")) for name in ("ts", "layer", "kind", "summary"))
