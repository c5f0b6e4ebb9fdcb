"""What every `Store` must do, as a suite of tests for yours.

Subclass, give a fixture named `store` that returns a fresh, empty store, and let pytest collect it:

    import pytest
    from augur_sdk.testing.store_contract import AsyncStoreContract, StoreContract

    class TestMyStore(StoreContract, AsyncStoreContract):
        @pytest.fixture
        def store(self, tmp_path):
            return MyStore(tmp_path)

What goes beyond the documented protocol (listing, ranges) is skipped where a store has none.
`AsyncStoreContract` runs against `as_async(store)`, so it also holds for a synchronous store.
"""

# Tests are made of asserts, and methods need no other docstring than their name:
# ruff: noqa: D102, S101

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, AnyStr, Final
from urllib.parse import urlsplit

import anyio
import pytest

from augur_sdk.storage.asynchronous import as_async
from augur_sdk.storage.failures import StoreError
from augur_sdk.storage.protocol import AsyncStore, ListingStore, Store

__all__ = ["AWKWARD", "ILLEGAL", "PAYLOADS", "AsyncStoreContract", "StoreContract"]

PAYLOADS: Final = {
    "empty": b"",
    "every byte": bytes(range(256)),
    "line ends": b"a\nb\r\nc\rd",
    "3 MB": bytes(range(256)) * 12_000,
}
"""Bytes that must come back as they went in."""

AWKWARD: Final = (
    "with space.txt",
    "percent%20encoded.txt",
    "ünï/çødé-漢字.json",
    "brackets[1]{2}~#&+=,;!'().txt",
    "question?mark.txt",
    ".hidden/file",
    "a/b/c/d/e/f/g/h.json",
    "no-extension",
    f"{'long' * 30}.json",
)
"""Relpaths that are legal everywhere but on file systems that forbid the characters."""

ILLEGAL: Final = (
    "",
    "/absolute",
    "../outside",
    "a/../../outside",
    "a/..",
    ".",
    "a/./b",
    "a//b",
    "a/",
    "C:/windows",
    "c:relative",
    "\\\\host\\share",
    "a\\..\\..\\b",
    "nul\0byte",
    "line\nend",
    "lone\ud800surrogate",
    "x" * 300,
    "deep/" * 400 + "x",
)
"""Relpaths that must be refused by every method."""


class Interrupted(Exception):  # noqa: N818 - not an error of the store: the caller's own
    """What the caller's own code raises in the middle of a write."""


class StoreContract:
    """The documented protocol. Needs a fixture `store`."""

    def test_it_satisfies_the_protocol(self, store: Store) -> None:
        assert isinstance(store, Store)

    @pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
    def test_bytes_come_back_as_they_went_in(self, store: Store, payload: bytes) -> None:
        _write(store, "steps/0001.json", payload)
        assert store.read_bytes("steps/0001.json") == payload

    def test_text_is_utf8_with_plain_newlines(self, store: Store) -> None:
        with store.open_write_text("logs/runner.log") as file:
            file.write("größe\nsecond line\n")
            file.write("漢字")
        assert store.read_bytes("logs/runner.log") == "größe\nsecond line\n漢字".encode()

    def test_reading_text_leaves_line_ends_alone(self, store: Store) -> None:
        _write(store, "logs/runner.log", b"a\r\nb\rc\n")
        assert store.read_text("logs/runner.log") == "a\r\nb\rc\n"

    def test_a_file_written_in_pieces_is_whole(self, store: Store) -> None:
        with store.open_write_binary("trace.json") as file:
            for number in range(300):
                file.write(bytes([number % 256]) * 1000)
        assert len(store.read_bytes("trace.json")) == 300_000

    def test_nothing_is_visible_before_the_end(self, store: Store) -> None:
        with store.open_write_binary("manifest.json") as file:
            file.write(b"half")
            file.flush()
            assert not store.exists("manifest.json")
            with pytest.raises(FileNotFoundError):
                store.read_bytes("manifest.json")
        assert store.exists("manifest.json")

    def test_the_old_version_is_visible_until_the_end(self, store: Store) -> None:
        _write(store, "trace.json", b"old")
        with store.open_write_binary("trace.json") as file:
            file.write(b"new and longer")
            assert store.read_bytes("trace.json") == b"old"
        assert store.read_bytes("trace.json") == b"new and longer"

    def test_an_exception_leaves_nothing(self, store: Store) -> None:
        with pytest.raises(Interrupted):
            _interrupted(store.open_write_binary("trace.json"), b"x" * 100_000)
        assert not store.exists("trace.json")

    def test_an_exception_in_a_text_block_leaves_nothing(self, store: Store) -> None:
        with pytest.raises(Interrupted):
            _interrupted(store.open_write_text("AGENT.md"), "x" * 100_000)
        assert not store.exists("AGENT.md")

    def test_an_exception_leaves_the_old_version(self, store: Store) -> None:
        _write(store, "trace.json", b"old")
        with pytest.raises(Interrupted):
            _interrupted(store.open_write_binary("trace.json"), b"new")
        assert store.read_bytes("trace.json") == b"old"

    def test_text_that_is_not_unicode_leaves_nothing(self, store: Store) -> None:
        with pytest.raises(UnicodeEncodeError), store.open_write_text("AGENT.md") as file:
            file.write("fine so far \ud800")
        assert not store.exists("AGENT.md")

    def test_an_exception_leaves_nothing_beside_either(self, store: Store) -> None:
        listing = _listing(store)
        with pytest.raises(Interrupted):
            _interrupted(store.open_write_binary("a/trace.json"), b"x")
        assert list(listing.list_files()) == []

    def test_what_is_absent_is_a_file_not_found(self, store: Store) -> None:
        assert not store.exists("nothing/here.json")
        with pytest.raises(FileNotFoundError):
            store.read_bytes("nothing/here.json")
        with pytest.raises(FileNotFoundError):
            store.read_text("nothing/here.json")

    def test_a_folder_is_not_a_file(self, store: Store) -> None:
        _write(store, "steps/0001.json", b"{}")
        assert not store.exists("steps")
        with pytest.raises(FileNotFoundError):
            store.read_bytes("steps")

    @pytest.mark.parametrize("relpath", AWKWARD)
    def test_awkward_names_round_trip(self, store: Store, relpath: str) -> None:
        _write(store, relpath, relpath.encode())
        assert store.read_bytes(relpath) == relpath.encode()
        if isinstance(store, ListingStore):
            assert list(store.list_files()) == [relpath]

    def test_no_path_leaves_the_root(self, store: Store) -> None:
        reads = (store.exists, store.read_bytes, store.read_text, store.signed_url)
        writes = (store.open_write_binary, store.open_write_text)
        for relpath in ILLEGAL:
            for write in writes:
                with pytest.raises(ValueError), write(relpath):  # noqa: PT011 - no narrower promise
                    pass
            for read in reads:
                with pytest.raises(ValueError):  # noqa: PT011 - no narrower promise
                    read(relpath)

    def test_two_writes_at_once_do_not_meet(self, store: Store) -> None:
        with (
            store.open_write_binary("a.json") as one,
            store.open_write_binary("b.json") as other,
        ):
            one.write(b"one")
            other.write(b"other")
        assert (store.read_bytes("a.json"), store.read_bytes("b.json")) == (b"one", b"other")

    def test_writers_racing_for_a_path_leave_one_whole_version(self, store: Store) -> None:
        versions = [bytes([number]) * 50_000 for number in range(8)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda version: _write(store, "trace.json", version), versions))
        assert store.read_bytes("trace.json") in versions

    def test_the_root_uri_names_a_place_without_secrets(self, store: Store) -> None:
        root = urlsplit(store.root_uri)
        assert root.scheme
        assert not root.password
        assert not root.query

    def test_a_signed_url_is_a_url(self, store: Store) -> None:
        _write(store, "AGENT.md", b"# run")
        assert urlsplit(store.signed_url("AGENT.md", ttl_seconds=60)).scheme

    def test_listing_is_sorted_and_whole(self, store: Store) -> None:
        listing = _listing(store)
        written = ["a.txt", "a/b.txt", "a/b/c.txt", "steps/0001.json", "steps/0002.json"]
        for relpath in reversed(written):
            _write(store, relpath, b"1")
        assert list(listing.list_files()) == sorted(written)

    def test_a_prefix_is_a_folder(self, store: Store) -> None:
        listing = _listing(store)
        for relpath in ("steps/0001.json", "steps/0003/a.json", "steps2/0001.json", "step"):
            _write(store, relpath, b"1")
        expected = ["steps/0001.json", "steps/0003/a.json"]
        assert list(listing.list_files("steps")) == expected
        assert list(listing.list_files("steps/")) == expected
        assert list(listing.list_files("absent")) == []

    @pytest.mark.parametrize(
        ("start", "length", "expected"),
        [(0, 4, b"0123"), (4, 3, b"456"), (8, 10, b"89"), (10, 5, b""), (99, 5, b""), (3, 0, b"")],
    )
    def test_a_range_ends_where_the_file_ends(
        self, store: Store, start: int, length: int, expected: bytes
    ) -> None:
        listing = _listing(store)
        _write(store, "trace.json", b"0123456789")
        assert listing.read_range("trace.json", start, length) == expected

    def test_a_range_of_an_empty_file_is_empty(self, store: Store) -> None:
        listing = _listing(store)
        _write(store, "empty", b"")
        assert listing.read_range("empty", 0, 10) == b""
        with pytest.raises(FileNotFoundError):
            listing.read_range("absent", 0, 10)


class AsyncStoreContract:
    """The asynchronous side, native or through worker threads. Needs a fixture `store`."""

    @pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
    def test_bytes_and_files_come_back(self, store: Store, payload: bytes, tmp_path: Path) -> None:
        local = tmp_path / "local.bin"
        local.write_bytes(payload)

        async def main(remote: AsyncStore) -> tuple[bytes, bytes]:
            await remote.awrite_bytes("a/bytes.bin", payload)
            await remote.awrite_bytes("a/file.bin", local)
            return await remote.aread_bytes("a/bytes.bin"), await remote.aread_bytes("a/file.bin")

        assert anyio.run(main, as_async(store)) == (payload, payload)
        assert store.read_bytes("a/file.bin") == payload

    def test_parts_can_be_read(self, store: Store) -> None:
        async def main(remote: AsyncStore) -> list[bytes]:
            await remote.awrite_bytes("x", b"0123456789")
            parts = [(2, 3), (8, None), (0, None), (50, 2)]
            return [await remote.aread_bytes("x", start=s, length=n) for s, n in parts]

        assert anyio.run(main, as_async(store)) == [b"234", b"89", b"0123456789", b""]

    def test_absence_is_told(self, store: Store) -> None:
        async def main(remote: AsyncStore) -> bool:
            with pytest.raises(FileNotFoundError):
                await remote.aread_bytes("absent")
            with pytest.raises(FileNotFoundError):
                await remote.aread_bytes("absent", start=0, length=10)
            return await remote.aexists("absent")

        assert anyio.run(main, as_async(store)) is False

    def test_an_unreadable_local_file_writes_nothing(self, store: Store, tmp_path: Path) -> None:
        async def main(remote: AsyncStore) -> bool:
            with pytest.raises(FileNotFoundError):
                await remote.awrite_bytes("a.bin", tmp_path / "absent")
            return await remote.aexists("a.bin")

        assert anyio.run(main, as_async(store)) is False

    def test_no_path_leaves_the_root_asynchronously(self, store: Store) -> None:
        async def main(remote: AsyncStore) -> None:
            for relpath in ILLEGAL:
                with pytest.raises(ValueError):  # noqa: PT011 - no narrower promise
                    await remote.awrite_bytes(relpath, b"")
                with pytest.raises(ValueError):  # noqa: PT011 - no narrower promise
                    await remote.aread_bytes(relpath)
                with pytest.raises(ValueError):  # noqa: PT011 - no narrower promise
                    await remote.aexists(relpath)

        anyio.run(main, as_async(store))

    def test_listing_folders_and_removing(self, store: Store) -> None:
        _listing(store)

        async def main(remote: AsyncStore) -> None:
            for relpath in ("a/1", "a/b/2", "c/3", "d"):
                await remote.awrite_bytes(relpath, b"1")
            assert sorted([path async for path in remote.alist("a")]) == ["a/1", "a/b/2"]
            assert await remote.afolders() == ["a", "c"]
            assert await remote.afolders("a") == ["a/b"]
            assert await remote.afolders("absent") == []

        anyio.run(main, as_async(store))

    def test_removing_twice_is_no_error(self, store: Store) -> None:
        async def main(remote: AsyncStore) -> bool:
            await remote.awrite_bytes("a", b"1")
            try:
                await remote.aremove("a")
                await remote.aremove("a")
            except StoreError as error:
                pytest.skip(f"this store cannot remove: {error.reason}")
            return await remote.aexists("a")

        assert anyio.run(main, as_async(store)) is False

    def test_many_writes_at_once(self, store: Store) -> None:
        async def main(remote: AsyncStore) -> None:
            async with anyio.create_task_group() as group:
                for number in range(40):
                    group.start_soon(remote.awrite_bytes, f"n/{number}", str(number).encode())

        anyio.run(main, as_async(store))
        assert [store.read_bytes(f"n/{number}") for number in range(40)] == [
            str(number).encode() for number in range(40)
        ]


def _write(store: Store, relpath: str, data: bytes) -> None:
    with store.open_write_binary(relpath) as file:
        file.write(data)


def _interrupted(block: AbstractContextManager[IO[AnyStr]], data: AnyStr) -> None:
    with block as file:
        file.write(data)
        raise Interrupted


def _listing(store: Store) -> ListingStore:
    if not isinstance(store, ListingStore):
        pytest.skip("this store cannot list")
    return store
