"""Logs on disk: documents, lines, damage."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augur_sdk.adapters import message_log
from augur_sdk.adapters.message_log import MessageLog, Record, SkippedRecords, open_log


def test_a_document_gives_messages_and_metadata(write_json: Callable[..., Path]) -> None:
    messages, metadata = open_log(write_json([{"role": "user"}], run_id="r"))
    assert messages == [{"role": "user"}]
    assert metadata == {"run_id": "r"}


def test_a_bare_list_is_a_log(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"role": "user"}, 3]')
    assert open_log(path) == ([{"role": "user"}], {})


@pytest.mark.parametrize("text", ["{}", '"a"', "3", '{"messages": 3}'])
def test_a_document_without_messages_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="holds no list of messages"):
        open_log(path)


def test_a_damaged_document_is_refused_and_says_where(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"messages": [\n{"role": ')
    with pytest.raises(ValueError, match=r"a\.json is not JSON .*line 2.*\.jsonl"):
        open_log(path)


def test_lines_give_messages_and_the_first_may_be_metadata(
    write_lines: Callable[..., Path],
) -> None:
    messages, metadata = open_log(write_lines([{"metadata": {"run_id": "r"}}, {"n": 1}, {"n": 2}]))
    assert metadata == {"run_id": "r"}
    assert list(messages) == [{"n": 1}, {"n": 2}]
    assert list(messages) == [{"n": 1}, {"n": 2}]


def test_damaged_lines_are_skipped_and_counted(write_lines: Callable[..., Path]) -> None:
    log = MessageLog(write_lines([{"n": 1}, '{"n": 2', "", '"text"', {"n": 3}, "\x00\x01"]))
    assert list(log) == [{"n": 1}, {"n": 3}]
    assert log.skipped.count == 3
    assert [number for number, _ in log.skipped.first] == [2, 4, 6]
    assert log.skipped.first[1][1] == "a JSON str, not an object"


def test_a_reason_never_quotes_the_line(write_lines: Callable[..., Path]) -> None:
    log = MessageLog(write_lines(['{"password": "hunter2"']))
    assert list(log) == []
    assert "hunter2" not in str(log.skipped.first)


def test_a_line_that_is_too_long_is_passed_over(
    write_lines: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_log, "MAX_LINE_BYTES", 64)
    log = MessageLog(write_lines([{"n": 1}, {"n": "x" * 1000}, {"n": 2}]))
    assert list(log) == [{"n": 1}, {"n": 2}]
    assert log.skipped.first == [(2, "longer than 64 bytes")]


def test_only_the_first_few_reasons_are_kept(write_lines: Callable[..., Path]) -> None:
    log = MessageLog(write_lines(["{"] * 500))
    assert list(log) == []
    assert log.skipped.count == 500
    assert len(log.skipped.first) == message_log.REMEMBERED


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 400), junk=st.binary(max_size=30))
def test_any_damage_leaves_the_intact_lines(
    tmp_path_factory: pytest.TempPathFactory, cut: int, junk: bytes
) -> None:
    lines = [json.dumps({"n": n}).encode() + b"\n" for n in range(40)]
    whole = b"".join(lines)
    path = tmp_path_factory.mktemp("log") / "a.jsonl"
    path.write_bytes(whole[:cut] + junk + b"\n" + whole[cut:])
    starts = {n: sum(map(len, lines[:n])) for n in range(40)}
    intact = {n for n, at in starts.items() if not at < cut < at + len(lines[n])}
    assert intact <= {record.get("n") for record in MessageLog(path)}


def test_what_a_document_holds_besides_messages_is_counted_too(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"n": 1}, 7, {"n": 2}]')

    def odd(records: Iterator[Record], skipped: SkippedRecords) -> Iterator[Record]:
        for record in records:
            if record["n"] % 2:
                yield record
            else:
                skipped.skip("even")

    log, _ = open_log(path, odd)
    assert isinstance(log, MessageLog)
    assert list(log) == list(log) == [{"n": 1}]
    assert log.skipped.first == [(2, "a int, not an object"), (3, "even")]
