"""A folder gives the bytes of its files, whatever their size."""

from pathlib import Path

import pytest

from augur_sdk.validation.reading import FolderReader


@pytest.mark.parametrize("size", [0, 1, (1 << 16) - 1, 1 << 16, (1 << 16) + 1, 300_000])
def test_a_file_is_read_whole(tmp_path: Path, size: int) -> None:
    data = b"line\n" * (size // 5) + b"x" * (size % 5)
    (tmp_path / "run.jsonl").write_bytes(data)
    reader = FolderReader(tmp_path)
    assert reader.read("run.jsonl") == data
    with reader.open("run.jsonl") as file:
        assert list(file) == data.splitlines(keepends=True)


def test_a_file_that_is_gone_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FolderReader(tmp_path).read("gone.json")
