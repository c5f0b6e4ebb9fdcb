"""Whatever is in the folder, the answer is issues and no exception."""

import io
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augur_sdk.validation.bundle import validate_contents
from augur_sdk.validation.issue import ValidationIssue

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["session", "steps", "step_id", "step_index", "signatures", "missing"]),
            inner,
        )
    ),
    max_leaves=6,
)


class MemoryReader:
    """A bundle in a dict; some files cannot be read."""

    name = "memory"

    def __init__(self, files: dict[str, bytes], broken: frozenset[str] = frozenset()) -> None:
        self._files = files
        self._broken = broken

    def paths(self) -> Iterator[str]:
        return iter(self._files)

    def read(self, path: str) -> bytes:
        return self.open(path).read()

    def open(self, path: str) -> BinaryIO:
        if path in self._broken:
            raise PermissionError(13, "Permission denied")
        return io.BytesIO(self._files[path])


def check(files: dict[str, bytes], *broken: str) -> list[ValidationIssue]:
    return validate_contents(MemoryReader(files, frozenset(broken)))


@pytest.fixture
def stored(files: Any) -> dict[str, bytes]:
    data: dict[str, bytes] = files.stored()
    return data


def test_a_bundle_need_not_be_in_a_folder(stored: dict[str, bytes]) -> None:
    assert check(stored) == []


def test_every_unreadable_file_is_one_issue(stored: dict[str, bytes]) -> None:
    for path in stored:
        issues = [issue for issue in check(stored, path) if issue.where == path]
        assert "cannot be read: Permission denied" in [issue.message for issue in issues], path


def test_a_folder_that_cannot_be_listed_is_one_issue() -> None:
    class Unlistable(MemoryReader):
        def paths(self) -> Iterator[str]:
            raise PermissionError(13, "Permission denied")

    (issue,) = validate_contents(Unlistable({}))
    assert issue.render() == "memory: cannot be read: Permission denied"


def test_any_cut_in_any_file_is_noticed(stored: dict[str, bytes]) -> None:
    @settings(max_examples=100, deadline=None)
    @given(st.sampled_from(sorted(stored)), st.floats(0, 1, exclude_max=True))
    def cut(path: str, share: float) -> None:
        whole = stored[path]
        assert check(stored | {path: whole[: int(len(whole) * share)]})

    cut()


def test_any_flipped_byte_is_noticed(stored: dict[str, bytes]) -> None:
    signed = sorted(stored.keys() - {"manifest.json"})

    @settings(max_examples=100, deadline=None)
    @given(st.sampled_from(signed), st.floats(0, 1, exclude_max=True), st.integers(1, 255))
    def flip(path: str, share: float, bits: int) -> None:
        damaged = bytearray(stored[path])
        damaged[int(len(damaged) * share)] ^= bits
        assert check(stored | {path: bytes(damaged)})

    flip()


def test_any_json_in_any_file_raises_nothing(stored: dict[str, bytes]) -> None:
    @settings(max_examples=200, deadline=None)
    @given(st.sampled_from(sorted(stored)), JSON_VALUES)
    def replace(path: str, value: Any) -> None:
        check(stored | {path: json.dumps(value).encode()})

    replace()


def test_any_bytes_in_any_file_raise_nothing(stored: dict[str, bytes]) -> None:
    @settings(max_examples=200, deadline=None)
    @given(st.sampled_from(sorted(stored)), st.binary(max_size=20))
    def replace(path: str, value: bytes) -> None:
        check(stored | {path: value})

    replace()


@pytest.mark.parametrize("opener", [b"[", b'{"steps":[', b'{"session":{"a":'])
def test_bottomless_nesting_raises_nothing(stored: dict[str, bytes], opener: bytes) -> None:
    for path in stored:
        assert check(stored | {path: opener * 20_000}), path


def test_deep_but_legal_nesting_is_compared_without_an_exception(files: Any) -> None:
    step = files.trace["steps"][0]
    files.manifest.pop("signatures")
    raw = orjson.dumps(step).replace(b'"x":10', b'"x":' + b"[" * 900 + b"]" * 900)
    stored = files.stored() | {"steps/0000.json": raw}
    assert [issue.where for issue in check(stored)] == ["steps/0000.json"]
