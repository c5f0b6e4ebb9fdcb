"""What of a push a server has: never more than it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from augur_sdk.pipeline.inventory import Inventory
from augur_sdk.streaming.delivery import Item
from augur_sdk.streaming.routes import Wire


async def load() -> bytes:
    raise AssertionError("nothing is read here")


def has(records: dict[str, Any], item: Item, *, keys: str = "push_dbg", events: int = 2) -> bool:
    counts = {"event": events, "log": 1}
    return Inventory(records, "dbg", keys, counts).has(item, Path("nowhere"))


EVENT = Item(5, Wire.EVENT, load, 0)


def test_events_of_the_live_stream_are_there_when_there_are_as_many() -> None:
    live = {"event": {"dbg:3#0": {"rev": 1}, "dbg:9#0": {"rev": 2}}}
    assert has(live, EVENT)


def test_where_the_server_has_fewer_nothing_is_taken_to_be_there() -> None:
    assert not has({"event": {"dbg:3#0": {"rev": 1}}}, EVENT)


@pytest.mark.parametrize("key", ["push_dbg:5", "push_dbg:5#0"])
def test_what_an_earlier_push_brought_is_known_by_its_key(key: str) -> None:
    assert has({"event": {key: {"rev": 1}}}, EVENT)
    assert not has({"event": {"push_dbg:6#0": {"rev": 1}}}, EVENT)


def test_the_journal_of_an_interrupted_run_is_held_against_its_own_keys_one_by_one() -> None:
    live = {"event": {"dbg:5#0": {"rev": 1}, "dbg:9#0": {"rev": 2}}}
    assert has(live, EVENT, keys="dbg")
    assert not has(live, Item(6, Wire.EVENT, load, 0), keys="dbg")


def test_another_sessions_records_of_the_run_are_not_this_ones() -> None:
    other = {"event": {"dbg_2:3#0": {"rev": 1}, "dbg_2:9#0": {"rev": 2}}}
    assert not has(other, EVENT)


def test_a_picture_is_there_only_with_its_bytes(tmp_path: Path) -> None:
    item = Item(7, Wire.SCREENSHOT, load, 3, "pre")
    known = {"screenshot": {"3/pre": {"rev": 1, "sha256": "0" * 64}}}
    (tmp_path / "screenshots").mkdir()
    (tmp_path / "screenshots/0003_pre.png").write_bytes(b"PNG")
    assert not Inventory(known, "dbg", "push_dbg", {}).has(item, tmp_path)


def test_what_replaces_is_sent_in_any_case() -> None:
    assert not has({"step": {"0/s0": {"rev": 1}}}, Item(8, Wire.STEP, load, 0, "s0"))
