from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augur_sdk.errors import RecordError
from augur_sdk.storage import LocalFSStore, atomic
from augur_sdk.storage.paths import checked_relpath
from augur_sdk.testing.store_contract import AsyncStoreContract, StoreContract


class TestLocalFSStore(StoreContract, AsyncStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> LocalFSStore:
        return LocalFSStore(tmp_path / "bundle")


class DocumentedStore:
    """A user's own store, written against the documented protocol and nothing else."""

    def __init__(self, root: Path) -> None:
        self._inner = LocalFSStore(root)

    @property
    def root_uri(self) -> str:
        return self._inner.root_uri

    def signed_url(self, relpath: str, *, ttl_seconds: int = 3600) -> str:
        return self._inner.signed_url(relpath, ttl_seconds=ttl_seconds)

    @contextmanager
    def open_write_binary(self, relpath: str) -> Iterator[IO[bytes]]:
        with self._inner.open_write_binary(relpath) as file:
            yield file

    @contextmanager
    def open_write_text(self, relpath: str) -> Iterator[IO[str]]:
        with self._inner.open_write_text(relpath) as file:
            yield file

    def exists(self, relpath: str) -> bool:
        return self._inner.exists(relpath)

    def read_text(self, relpath: str) -> str:
        return self._inner.read_text(relpath)

    def read_bytes(self, relpath: str) -> bytes:
        return self._inner.read_bytes(relpath)


class TestAUsersOwnStore(StoreContract, AsyncStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> DocumentedStore:
        return DocumentedStore(tmp_path / "bundle")


@pytest.fixture
def local(tmp_path: Path) -> LocalFSStore:
    return LocalFSStore(tmp_path / "bundle")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def test_constructing_a_store_makes_nothing(local: LocalFSStore) -> None:
    assert not local.root.exists()
    assert not local.exists("manifest.json")
    assert list(local.list_files()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no POSIX modes")
def test_files_and_folders_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = LocalFSStore(tmp_path / "bundle")
        store.write_bytes("a/b/c.json", b"1")
        store.create_bytes("a/d.json", b"1")
        store.append_bytes("logs/x.log", b"1")
        with store.open_write_text("AGENT.md") as file:
            file.write("1")
        store.link(tmp_path / "bundle" / "AGENT.md", "linked.md")
    finally:
        os.umask(before)
    modes = {mode(path) for path in store.root.rglob("*") if path.is_file()}
    folders = {mode(path) for path in store.root.rglob("*") if path.is_dir()} | {mode(store.root)}
    assert (modes, folders) == ({0o600}, {0o700})


@pytest.mark.skipif(os.name == "nt", reason="Windows has no POSIX modes")
def test_a_store_that_is_not_private_follows_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        store = LocalFSStore(tmp_path / "bundle", private=False)
        store.write_bytes("a/b.json", b"1")
    finally:
        os.umask(before)
    assert (mode(store.root / "a"), mode(store.root / "a/b.json")) == (0o755, 0o644)


def test_bytes_created_directly_are_there_and_never_replaced(local: LocalFSStore) -> None:
    local.create_bytes("steps/0001.json", b"one")
    with pytest.raises(FileExistsError):
        local.create_bytes("steps/0001.json", b"two")
    assert local.read_bytes("steps/0001.json") == b"one"


def test_appending_appends(local: LocalFSStore) -> None:
    local.append_bytes("events/run.jsonl", b"1\n")
    local.append_bytes("events/run.jsonl", b"2\n")
    assert local.read_bytes("events/run.jsonl") == b"1\n2\n"


def test_a_failed_append_leaves_the_file_as_long_as_it_was(
    local: LocalFSStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.append_bytes("events/run.jsonl", b"1\n")

    def torn(fd: int, data: bytes) -> None:
        os.write(fd, data[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic, "write_all", torn)
    with pytest.raises(OSError, match="No space"):
        local.append_bytes("events/run.jsonl", b"22\n")
    assert local.read_bytes("events/run.jsonl") == b"1\n"


def test_a_thread_may_write_several_files_of_a_folder_at_once(local: LocalFSStore) -> None:
    with local.open_write_binary("a/1.bin") as first, local.open_write_binary("a/2.bin") as second:
        first.write(b"one")
        second.write(b"two")
        local.write_bytes("a/3.bin", b"three")
    found = {path: local.read_bytes(path) for path in local.list_files()}
    assert found == {"a/1.bin": b"one", "a/2.bin": b"two", "a/3.bin": b"three"}


@pytest.mark.parametrize("method", ["write_bytes", "create_bytes"])
def test_a_disk_that_fills_up_leaves_nothing(
    local: LocalFSStore, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def full(fd: int, data: bytes) -> None:
        os.write(fd, data[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic, "write_all", full)
    with pytest.raises(OSError, match="No space"):
        getattr(local, method)("trace.json", b"x" * 100)
    assert names(local.root) == []


def test_short_writes_are_continued(local: LocalFSStore, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data[:7])))
    local.write_bytes("x", b"0123456789" * 5)
    monkeypatch.undo()
    assert local.read_bytes("x") == b"0123456789" * 5


def test_a_folder_removed_meanwhile_is_made_anew(local: LocalFSStore, tmp_path: Path) -> None:
    local.write_bytes("steps/0001.json", b"1")
    local.root.rename(tmp_path / "moved")
    local.write_bytes("steps/0002.json", b"2")
    local.append_bytes("steps/0003.json", b"3")
    with local.open_write_binary("steps/0004.json") as file:
        file.write(b"4")
    assert names(local.root / "steps") == ["0002.json", "0003.json", "0004.json"]


def test_a_link_shares_the_bytes_without_a_copy(local: LocalFSStore, tmp_path: Path) -> None:
    shot = tmp_path / "shot.png"
    shot.write_bytes(b"png")
    shot.chmod(0o600)
    assert local.link(shot, "screenshots/0001_pre.png")
    assert (local.root / "screenshots/0001_pre.png").samefile(shot)


def test_linking_the_same_file_twice_leaves_no_temporary(
    local: LocalFSStore, tmp_path: Path
) -> None:
    shot = tmp_path / "shot.png"
    shot.write_bytes(b"png")
    shot.chmod(0o600)
    local.link(shot, "a.png")
    local.link(shot, "a.png")
    assert names(local.root) == ["a.png"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no POSIX modes")
def test_a_file_that_others_may_read_is_copied_privately(
    local: LocalFSStore, tmp_path: Path
) -> None:
    shot = tmp_path / "shot.png"
    shot.write_bytes(b"png")
    shot.chmod(0o644)
    assert not local.link(shot, "a.png")
    assert mode(local.root / "a.png") == 0o600
    assert local.read_bytes("a.png") == b"png"


def test_where_links_are_impossible_a_copy_is_made(
    local: LocalFSStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shot = tmp_path / "shot.png"
    shot.write_bytes(b"png")
    shot.chmod(0o600)

    def crossing(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", crossing)
    assert not local.link(shot, "a.png")
    assert names(local.root) == ["a.png"]


def test_linking_what_is_not_there_says_so(local: LocalFSStore, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        local.link(tmp_path / "absent.png", "a.png")
    assert names(tmp_path) == []


def test_removing_is_quiet_about_what_is_absent(local: LocalFSStore) -> None:
    local.write_bytes("a/b", b"1")
    local.remove("a/b")
    local.remove("a/b")
    local.remove("a/b/c")
    assert not local.exists("a/b")


def test_temporary_files_are_never_listed_and_can_be_cleared(local: LocalFSStore) -> None:
    local.write_bytes("steps/0001.json", b"1")
    leftover = local.root / "steps" / f"{atomic.TEMPORARY_PREFIX}1-1{atomic.TEMPORARY_SUFFIX}"
    leftover.write_bytes(b"of a killed writer")
    assert list(local.list_files()) == ["steps/0001.json"]
    assert local.clear_temporary() == 1
    assert local.clear_temporary() == 0
    assert names(local.root) == ["0001.json", "steps"]


@pytest.mark.parametrize("link", ["folder", "file"])
def test_symbolic_links_lead_nowhere(local: LocalFSStore, tmp_path: Path, link: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    local.write_bytes("a.json", b"1")
    if link == "folder":
        (local.root / "steps").symlink_to(outside)
    else:
        (local.root / "steps").mkdir()
        (local.root / "steps/secret.txt").symlink_to(outside / "secret.txt")
    for act in (local.read_bytes, lambda path: local.append_bytes(path, b"1")):
        with pytest.raises((RecordError, OSError)):
            act("steps/secret.txt")
    assert list(local.list_files()) == ["a.json"]
    assert (outside / "secret.txt").read_text() == "secret"


def test_writing_through_a_linked_folder_is_refused(local: LocalFSStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    local.write_bytes("a.json", b"1")
    (local.root / "steps").symlink_to(outside)
    for act in (local.write_bytes, local.create_bytes, local.append_bytes):
        with pytest.raises(RecordError, match="symbolic link"):
            act("steps/0001.json", b"1")
    with pytest.raises(RecordError), local.open_write_binary("steps/deeper/0001.json"):
        pass
    assert names(outside) == []


def test_writing_onto_a_link_replaces_the_link(local: LocalFSStore, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("untouched")
    local.write_bytes("x", b"1")
    (local.root / "a.json").symlink_to(tmp_path / "victim")
    local.write_bytes("a.json", b"mine")
    assert (tmp_path / "victim").read_text() == "untouched"
    assert local.read_bytes("a.json") == b"mine"


def test_a_root_reached_through_a_link_is_fine(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "alias").symlink_to(tmp_path / "real")
    store = LocalFSStore(tmp_path / "alias")
    store.write_bytes("steps/0001.json", b"1")
    assert store.read_bytes("steps/0001.json") == b"1"


def test_the_signed_url_points_at_the_file(local: LocalFSStore) -> None:
    local.write_bytes("with space/é.json", b"1")
    url = urlsplit(local.signed_url("with space/é.json", ttl_seconds=1))
    assert url.scheme == "file"
    assert Path(url2pathname(url.path)).read_bytes() == b"1"


def test_a_file_in_use_is_replaced_a_moment_later(
    local: LocalFSStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []
    real = os.replace

    def busy(source: str, target: str) -> None:
        tries.append(source)
        if len(tries) < 4:
            raise PermissionError(13, "in use")
        real(source, target)

    monkeypatch.setattr(atomic, "REPLACE_RETRIES", 10)
    monkeypatch.setattr(os, "replace", busy)
    local.write_bytes("a.json", b"1")
    assert (len(tries), local.read_bytes("a.json")) == (4, b"1")


def test_a_file_that_stays_in_use_is_an_error_and_leaves_nothing(
    local: LocalFSStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise PermissionError(13, "in use")

    pauses: list[float] = []
    monkeypatch.setattr(atomic, "REPLACE_RETRIES", 10)
    monkeypatch.setattr(os, "replace", busy)
    with pytest.raises(PermissionError):
        atomic.move_into_place("a", "b", sleep=pauses.append)
    assert 0.5 < sum(pauses) < 1
    monkeypatch.setattr(atomic, "REPLACE_RETRIES", 0)
    with pytest.raises(PermissionError):
        local.write_bytes("a.json", b"1")
    assert names(local.root) == []


def test_syncing_skips_what_is_gone(local: LocalFSStore) -> None:
    local.write_bytes("steps/0001.json", b"1")
    local.sync(["steps/0001.json", "steps/absent.json", "absent/absent.json"])
    local.sync_all()


def test_syncing_works_without_the_one_call_for_all(
    local: LocalFSStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr("augur_sdk.storage.durable._syncfs", lambda: None)
    monkeypatch.setattr("augur_sdk.storage.durable._sync", lambda path, _: synced.append(path))
    local.write_bytes("steps/0001/s1.json", b"1")
    local.sync_all()
    root = local.root
    assert Path(synced[0]) == root / "steps/0001/s1.json"
    inside = {root, root / "steps", root / "steps/0001"}
    assert inside | set(root.parents) >= set(map(Path, synced[1:])) >= inside | {root.parent}


@given(st.lists(st.sampled_from(["..", ".", "", "a", "b", "/", "\\", "c:"]), max_size=6))
def test_no_combination_of_segments_leaves_the_root(segments: list[str]) -> None:
    relpath = "/".join(segments)
    try:
        checked_relpath(relpath)
    except ValueError:
        return
    resolved = os.path.normpath(f"/root/{relpath}")
    assert resolved.startswith("/root/")
    assert "\\" not in relpath


@given(st.text(max_size=40))
def test_a_legal_path_is_returned_unchanged_and_can_be_encoded(relpath: str) -> None:
    try:
        assert checked_relpath(relpath) == relpath
    except RecordError:
        return
    assert relpath.encode()


def test_a_refused_path_is_not_quoted() -> None:
    with pytest.raises(RecordError) as caught:
        checked_relpath("../my-secret")
    assert "my-secret" not in str(caught.value)
