from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augur_sdk.intervention import InterventionCommand
from augur_sdk.intervention.command import read_batch


def parsed(**raw: Any) -> InterventionCommand:
    command = InterventionCommand.parse(raw)
    assert command is not None
    return command


def test_a_command_is_read() -> None:
    command = parsed(
        command_id="c1",
        type="inject_hint",
        issued_at="2026-01-01T00:00:00Z",
        operator_id="op",
        payload={"text": "scroll down"},
    )
    assert command == InterventionCommand(
        "c1", "inject_hint", "2026-01-01T00:00:00Z", "op", {"text": "scroll down"}
    )
    assert command.text == "scroll down"


@pytest.mark.parametrize(
    ("raw", "command_id"),
    [
        ({"command_id": "a", "id": "b"}, "a"),
        ({"id": "b"}, "b"),
        ({"id": 7}, "7"),
        ({"command_id": 0}, "0"),
    ],
)
def test_the_id_is_found_under_either_name(raw: dict[str, Any], command_id: str) -> None:
    assert parsed(type="pause", **raw).command_id == command_id


def test_a_kill_without_an_id_still_counts_once() -> None:
    first = parsed(type="kill", issued_at="1")
    assert first.command_id == parsed(type="kill", issued_at="1").command_id
    assert first.command_id != parsed(type="kill", issued_at="2").command_id


@pytest.mark.parametrize("raw", [None, 3, "kill", [], {}, {"type": None}, {"command_id": "c"}])
def test_what_commands_nothing_is_no_command(raw: object) -> None:
    assert InterventionCommand.parse(raw) is None


def test_odd_fields_cost_themselves_and_not_the_command() -> None:
    command = parsed(type=" KILL ", command_id="c", operator_id=7, payload="junk", issued_at=None)
    assert command == InterventionCommand("c", "kill", "", "7", {})


@pytest.mark.parametrize(
    ("coordinates", "point"),
    [
        ({"x": 1, "y": 2.5}, {"x": 1, "y": 2.5}),
        ({"x": 1, "y": 2, "z": 3}, {"x": 1, "y": 2}),
        ({"x": "1", "y": 2}, None),
        ({"x": True, "y": 2}, None),
        ({"x": float("nan"), "y": 2}, None),
        ({"x": 1}, None),
        ([1, 2], None),
        (None, None),
    ],
)
def test_coordinates_are_a_point_or_nothing(coordinates: Any, point: Any) -> None:
    assert parsed(type="override_action", payload={"coordinates": coordinates}).coordinates == point


@pytest.mark.parametrize(
    ("body", "ids", "cursor"),
    [
        (b"", [], "old"),
        (b"  \n", [], "old"),
        (b"{}", [], "old"),
        (b'{"commands": null, "cursor": "new"}', [], "new"),
        (b'{"commands": [], "cursor": 7}', [], "7"),
        (b'{"commands": [{"id": "a", "type": "pause"}], "cursor": "new"}', ["a"], "new"),
        (b'{"commands": [{"id": "a", "type": "pause"}, 3, {}]}', ["a"], "old"),
        (b'[{"id": "a", "type": "pause"}]', ["a"], "old"),
    ],
)
def test_an_answer_is_read(body: bytes, ids: list[str], cursor: str) -> None:
    batch = read_batch(body, "old")
    assert batch is not None
    assert ([c.command_id for c in batch.commands], batch.cursor) == (ids, cursor)


@pytest.mark.parametrize("body", [b"{oops", b"3", b'"x"', b'{"commands": 3}', b"\xff"])
def test_what_is_no_answer_is_an_error(body: bytes) -> None:
    assert read_batch(body, None) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(
    raw=st.dictionaries(
        st.sampled_from(["type", "id", "command_id", "payload", "operator_id"]), JSON
    )
)
def test_reading_never_raises(raw: dict[str, Any]) -> None:
    command = InterventionCommand.parse(raw)
    if command is not None:
        assert isinstance(command.command_id, str)
        assert command.coordinates is None or set(command.coordinates) == {"x", "y"}
    read_batch(orjson.dumps({"commands": [raw]}), None)
