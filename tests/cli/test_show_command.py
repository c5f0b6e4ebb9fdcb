"""`augur show`: a bundle in short, whatever its length and whatever is in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from augur_sdk import DebugSession


def test_the_header_says_who_ran_what_and_how_it_went(augur: Any, bundle: Path) -> None:
    said = augur("show", bundle)
    assert said.code == 0
    for fact in ("checkout-7", "shopper 1.2", "succeeded", "full", "team=growth"):
        assert fact in said.out
    assert "4 (1 failed, 1 recovered, 2 succeeded)" in said.out
    assert "2 events" in said.out


def test_there_is_a_row_for_each_step_and_its_iterations_are_marked(
    augur: Any, bundle: Path
) -> None:
    lines = augur("show", bundle).out.splitlines()
    starts = [line.split()[0] for line in lines if " click " in line or " type " in line]
    assert starts == ["step", "0", "1", "~2", "2", "3"]
    assert any(line.split()[:2] == ["1", "x2"] for line in lines)


def test_the_failed_step_is_what_to_look_at_first(augur: Any, bundle: Path) -> None:
    out = augur("show", bundle).out
    assert str(bundle / "AGENT.md") in out
    assert str(bundle / "events" / "0002.jsonl") in out


def test_only_failed_steps_on_request(augur: Any, bundle: Path) -> None:
    steps = augur("show", bundle, "--failed", "--json").json["steps"]
    assert [step["index"] for step in steps] == [2]


def test_a_page_of_steps_says_how_to_go_on(augur: Any, bundle: Path) -> None:
    said = augur("show", bundle, "--limit", "2")
    assert "2 more; go on with --from 2" in said.out
    rest = augur("show", bundle, "--from", "2", "--json").json["steps"]
    assert [step["index"] for step in rest] == [2, 3]


def test_json_is_for_programs(augur: Any, bundle: Path) -> None:
    shown = augur("show", bundle, "--json").json
    assert shown["complete"]
    assert shown["counts"]["by_status"] == {"failed": 1, "recovered": 1, "succeeded": 2}
    second = shown["steps"][1]
    assert (second["index"], second["iterations"], second["iteration"]) == (1, 2, 0)
    assert shown["steps"][2]["intent"] == "Search for a cup"


def test_a_pipe_gets_no_escape_sequences(augur: Any, bundle: Path) -> None:
    assert "\x1b" not in augur("show", bundle).out


def test_recorded_text_cannot_steer_the_terminal(augur: Any, tmp_path: Path) -> None:
    out_dir = tmp_path / "bundle"
    hostile = "\x1b]0;owned\x07\x1b[2J[bold red]hello\u202e"
    with (
        DebugSession(
            run_id=hostile, client_name="c", out_dir=out_dir, capture_mode="full"
        ) as session,
        session.step("click", intent=hostile) as step,
    ):
        step.failed(hostile)
    said = augur("show", out_dir)
    assert said.code == 0
    assert "[bold red]hello" in said.out
    assert not {"\x1b", "\x07", "\u202e"} & set(said.out)


def test_an_unfinished_bundle_ends_with_1_and_points_at_recover(augur: Any, bundle: Path) -> None:
    (bundle / "manifest.json").unlink()
    said = augur("show", bundle)
    assert said.code == 1
    assert f"augur recover {bundle}" in said.out
    assert "Add it again" in said.out


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff\xfe"])
def test_a_damaged_step_is_named_and_the_others_are_shown(
    augur: Any, bundle: Path, damage: bytes
) -> None:
    (bundle / "steps" / "0002.json").write_bytes(damage)
    said = augur("show", bundle)
    assert said.code == 1
    assert "cannot be read: steps/0002.json" in said.out
    assert "Add it again" in said.out


@pytest.mark.parametrize("name", ["manifest.json", "trace.json"])
def test_a_damaged_envelope_is_named_too(augur: Any, bundle: Path, name: str) -> None:
    (bundle / name).write_bytes(b'{"session": ')
    said = augur("show", bundle)
    assert said.code == 1
    assert f"cannot be read: {name}" in said.out


def test_other_layouts_of_the_same_json_are_read(augur: Any, bundle: Path) -> None:
    trace = orjson.loads((bundle / "trace.json").read_bytes())
    backwards = {"steps": trace["steps"], "session": trace["session"]}
    for text in (orjson.dumps(backwards), orjson.dumps(backwards, option=orjson.OPT_INDENT_2)):
        (bundle / "trace.json").write_bytes(text)
        assert augur("show", bundle, "--json").json["header"]["status"] == "succeeded"


def test_records_of_the_wrong_shape_do_not_stop_it(augur: Any, bundle: Path) -> None:
    odd = {"step_index": "x", "grounding": [], "verdict": "passed", "duration_ms": "long"}
    (bundle / "steps" / "0003.json").write_bytes(orjson.dumps(odd))
    assert augur("show", bundle).code == 0


_MEASURED = """
import sys, tracemalloc
from pathlib import Path
from augur_sdk.cli.summary import View, summarize

tracemalloc.start()
summary = summarize(Path(sys.argv[1]), View(limit=5, failed_only=True))
peak = tracemalloc.get_traced_memory()[1]
print(summary.counts["steps"], summary.matching, [row.index for row in summary.rows], peak)
"""


def test_ten_thousand_steps_cost_no_memory(tmp_path: Path) -> None:
    _write_long_bundle(tmp_path, 10_000)
    # A process of its own: here other tests' threads would be counted too.
    child = [sys.executable, "-c", _MEASURED, str(tmp_path)]
    said = subprocess.run(child, capture_output=True, text=True, check=True, timeout=50).stdout
    words, peak = said.rsplit(maxsplit=1)
    assert words == "10000 100 [99, 199, 299, 399, 499]"
    assert int(peak) < 8 * 1024 * 1024


def test_a_terminal_gets_colour_unless_it_is_unwanted(bundle: Path) -> None:
    assert "\x1b[" in _on_a_terminal("show", str(bundle))
    assert "\x1b[3" not in _on_a_terminal("show", str(bundle), NO_COLOR="1")


@pytest.mark.parametrize("columns", ["70", "90", "120"])
def test_a_narrow_terminal_shortens_words_and_never_outcomes(
    augur: Any, bundle: Path, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = augur("show", bundle).out.splitlines()
    [row] = [line for line in lines if line.split()[:1] == ["2"]]
    assert "failed" in row
    assert "no_state_change" in row
    assert len(row) <= int(columns)


def _write_long_bundle(root: Path, count: int) -> None:
    (root / "steps").mkdir()
    (root / "manifest.json").write_bytes(b'{"run_id": "long"}')
    template = {"step_type": "click", "started_at": "2030-01-01T00:00:00Z", "intent": "x" * 200}
    for index in range(count):
        status = "failed" if index % 100 == 99 else "succeeded"
        record = {**template, "step_id": f"s{index}", "step_index": index, "status": status}
        (root / "steps" / f"{index:04d}.json").write_bytes(orjson.dumps(record))


def _on_a_terminal(*arguments: str, **environment: str) -> str:
    ours, theirs = pytest.importorskip("pty", reason="no pseudo-terminals here").openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "augur_sdk.cli", *arguments],
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", **environment},
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            chunk = os.read(ours, 65_536)
        except OSError:  # how Linux says that the other end was closed
            break
        if not chunk:
            break
        said += chunk
    os.close(ours)
    assert process.wait(timeout=30) == 0
    return said.decode()
