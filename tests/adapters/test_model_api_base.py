"""An adapter of a third party, made on the base with as little as it asks for."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from augur_sdk.adapters import ModelApiAdapterBase
from augur_sdk.adapters.side_by_side import SideBySide, peek

MESSAGES: list[dict[str, Any]] = [
    {"role": "user", "content": "Save the file."},
    {
        "role": "assistant",
        "content": "I open the menu.",
        "calls": [{"type": "click", "x": 5, "y": 6}],
    },
    {"role": "user", "content": "ok"},
    {"role": "assistant", "content": "", "calls": [{"type": "key", "params": {"text": "s"}}]},
]


class Tiny(ModelApiAdapterBase):
    name: ClassVar[str] = "tiny"

    def iter_tool_calls(
        self, messages: Iterable[Mapping[str, Any]]
    ) -> Iterator[tuple[int, int, dict[str, Any]]]:
        for turn, message in enumerate(messages):
            for number, call in enumerate(message.get("calls", [])):
                yield turn, number, call


class Indexing(Tiny):
    """Reads the messages by index, and all of them before the first action."""

    def iter_tool_calls(
        self, messages: Iterable[Mapping[str, Any]]
    ) -> Iterator[tuple[int, int, dict[str, Any]]]:
        listed = list(messages)
        for turn in range(len(listed)):
            for number, call in enumerate(listed[turn].get("calls", [])):
                yield turn, number, call


def steps_of(bundle: Path) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = json.loads((bundle / "trace.json").read_text())["steps"]
    return steps


@pytest.mark.parametrize("adapter", [Tiny(), Indexing()])
def test_a_name_and_one_method_are_enough(
    adapter: Tiny, write_json: Callable[..., Path], write_lines: Callable[..., Path], tmp_path: Path
) -> None:
    for number, log in enumerate((write_json(MESSAGES), write_lines(MESSAGES))):
        steps = steps_of(adapter.bundle_from_input(log, tmp_path / f"out{number}"))
        assert [s["action"]["type"] for s in steps] == ["click", "key"]
        assert [s.get("intent") for s in steps] == ["I open the menu.", None]
        assert steps[0]["grounding"]["coordinates"] == {"x": 5, "y": 6}
        assert steps[1]["action"] == {"type": "key", "params": {"text": "s"}}


def test_a_folder_means_its_first_json_file(
    write_json: Callable[..., Path], tmp_path: Path
) -> None:
    write_json(MESSAGES, name="b.json", run_id="second")
    write_json(MESSAGES, name="a.json", run_id="first")
    adapter = Tiny()
    adapter.bundle_from_input(tmp_path, tmp_path / "out")
    assert adapter.report is not None
    assert adapter.report.run_id == "first"
    assert adapter.report.render().startswith(
        "run first: 2 steps and 0 screenshots from 4 messages"
    )


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no log"):
        Tiny().bundle_from_input(tmp_path, tmp_path / "out")


def test_the_run_id_is_the_arguments_else_the_metadatas_else_the_files(
    write_json: Callable[..., Path], tmp_path: Path
) -> None:
    def run_id(log: Path, argument: str | None) -> str:
        bundle = Tiny().bundle_from_input(
            log, tmp_path / f"out-{argument}-{log.stem}", run_id=argument
        )
        found: str = json.loads((bundle / "manifest.json").read_text())["run_id"]
        return found

    told = write_json(MESSAGES, name="told.json", run_id="from-metadata")
    assert run_id(told, "mine") == "mine"
    assert run_id(told, None) == "from-metadata"
    assert run_id(write_json(MESSAGES, name="file-name.json"), None) == "file-name"


def test_screenshots_beside_the_log_are_found_by_their_names(
    write_json: Callable[..., Path], picture: Callable[[int], bytes], tmp_path: Path
) -> None:
    screens = tmp_path / "screens"
    screens.mkdir()
    (screens / "0000_pre.png").write_bytes(picture(1))
    (screens / "0001_post.png").write_bytes(picture(2))
    bundle = Tiny().bundle_from_input(write_json(MESSAGES), tmp_path / "out")
    assert (bundle / "screenshots/0000_pre.png").read_bytes() == picture(1)
    assert steps_of(bundle)[1]["observation_post"] == "screenshots/0001_post.png"


def test_a_subclass_names_its_own_screenshots_and_provider(
    write_json: Callable[..., Path], picture: Callable[[int], bytes], tmp_path: Path
) -> None:
    class Own(Tiny):
        def find_screenshot(self, screens_dir: Path, step_index: int, kind: str) -> Path | None:
            path = screens_dir / f"{kind}-{step_index}.png"
            return path if path.exists() else None

        def grounding_provider(self) -> str:
            return "som-v2"

    screens = tmp_path / "shots"
    screens.mkdir()
    (screens / "pre-1.png").write_bytes(picture(1))
    log = write_json(MESSAGES)
    steps = steps_of(Own().bundle_from_input(log, tmp_path / "out", screens_dir=screens))
    assert steps[1]["observation_pre"] == "screenshots/0001_pre.png"
    assert steps[0]["grounding"]["provider"] == "som-v2"


def test_a_run_status_in_the_metadata_is_the_bundles(
    write_json: Callable[..., Path], tmp_path: Path
) -> None:
    log = write_json(MESSAGES, status="failed", tags={"suite": "nightly"})
    bundle = Tiny().bundle_from_input(log, tmp_path / "out")
    session = json.loads((bundle / "trace.json").read_text())["session"]
    assert session["status"] == "failed"
    assert session["tags"]["suite"] == "nightly"
    assert session["tags"]["augur.adapter"] == "tiny"


def test_a_base_without_the_method_says_so(write_json: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="must implement iter_tool_calls"):
        ModelApiAdapterBase().bundle_from_input(write_json(MESSAGES), tmp_path / "out")


def test_the_second_reader_never_gets_ahead_of_the_first() -> None:
    both = SideBySide(iter([{"n": n} for n in range(6)]))
    first = iter(both.source)
    assert list(both.up_to(3)) == []
    next(first)
    next(first)
    assert [index for index, _ in both.up_to(0)] == [0]
    assert [index for index, _ in both.up_to(5)] == [1]
    assert [index for index, _ in both.rest()] == [2, 3, 4, 5]


def test_a_sequence_is_handed_on_as_it_is() -> None:
    listed = [{"n": n} for n in range(3)]
    both = SideBySide(listed)
    assert both.source is listed
    assert [index for index, _ in both.up_to(1)] == [0, 1]
    assert [index for index, _ in both.rest()] == [2]


def test_peeking_loses_nothing() -> None:
    first, messages = peek(iter([{"n": 0}, {"n": 1}]))
    assert first == {"n": 0}
    assert [m["n"] for m in messages] == [0, 1]
    assert peek(iter([]))[0] is None
    assert peek([])[0] is None


def long_log(path: Path, turns: int, picture: str) -> None:
    with path.open("w") as file:
        for turn in range(turns):
            calls = [{"type": "click", "x": turn % 40, "y": 5}]
            answer = {"role": "assistant", "content": f"Turn {turn}.", "calls": calls}
            seen = {"role": "user", "content": [{"type": "text", "text": "ok"}], "shot": picture}
            file.write(json.dumps(answer) + "\n" + json.dumps(seen) + "\n")


@pytest.mark.slow
def test_reading_a_log_of_any_length_takes_flat_memory(tmp_path: Path) -> None:
    def peak_of_reading(turns: int) -> int:
        path = tmp_path / f"{turns}.jsonl"
        long_log(path, turns, "x" * 20_000)
        adapter = Tiny()
        tracemalloc.start()
        messages, _ = adapter.load_messages(path)
        both = SideBySide(messages)
        for turn, _, _ in adapter.iter_tool_calls(both.source):
            for _ in both.up_to(turn):
                pass
        assert sum(1 for _ in both.rest()) == 1
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert peak_of_reading(2000) < 1.5 * peak_of_reading(100)


def test_effects_that_the_adapter_knows_are_in_the_ledger(
    write_json: Callable[..., Path], tmp_path: Path
) -> None:
    class Sending(Tiny):
        def on_side_effect(self, raw_action: Any, step_index: int) -> dict[str, Any] | None:
            key = raw_action["type"] == "key"
            return {"resource": "mail", "action": f"send {step_index}"} if key else None

    bundle = Sending().bundle_from_input(write_json(MESSAGES), tmp_path / "out")
    (path,) = (bundle / "side_effects").iterdir()
    effect = json.loads(path.read_text())
    assert (effect["step_index"], effect["resource"], effect["action"]) == (1, "mail", "send 1")
    assert (effect["status"], effect["provenance"]) == ("committed", "adapter_inferred")


@pytest.mark.parametrize("raw", [b"not a picture", b"", "text", None])
def test_what_is_no_observation_is_refused(raw: Any) -> None:
    with pytest.raises(ValueError, match="no picture"):
        Tiny().on_observation(raw, 0)
