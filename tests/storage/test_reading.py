from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable
from pathlib import Path

import anyio
import orjson
import pytest

from augur_sdk.errors import BundleReadError, RecordError
from augur_sdk.storage import ListingStore, LocalFSStore, ObjectStore, S3Store, Store, StoreError
from augur_sdk.storage.pushing import push_bundle
from augur_sdk.storage.reading import ManifestListing, local_copy, reader_from

FILES = {
    "AGENT.md": b"# run\n",
    "screenshots/0001_pre.png": bytes(range(256)),
    "steps/0001.json": b"{}\n",
    "trace.json": b'{"session": {"status": "succeeded"}, "steps": []}\n',
}


@pytest.fixture
def bundle(tmp_path: Path) -> LocalFSStore:
    store = LocalFSStore(tmp_path / "bundle")
    for relpath, data in FILES.items():
        store.write_bytes(relpath, data)
    signatures = {relpath: hashlib.sha256(data).hexdigest() for relpath, data in FILES.items()}
    store.write_bytes("manifest.json", orjson.dumps({"signatures": signatures}))
    return store


class Plain:
    """A store with the documented protocol and nothing else."""

    def __init__(self, inner: Store) -> None:
        for name in (
            "signed_url",
            "open_write_binary",
            "open_write_text",
            "exists",
            "read_text",
            "read_bytes",
        ):
            setattr(self, name, getattr(inner, name))
        self.root_uri = inner.root_uri


def everything(reader: ListingStore) -> dict[str, bytes]:
    return {relpath: reader.read_bytes(relpath) for relpath in reader.list_files()}


def test_a_folder_and_a_uri_read_the_same(bundle: LocalFSStore) -> None:
    uri = "memory://test-reading/run"
    assert anyio.run(push_bundle, bundle, uri).complete
    places: list[str | Path] = [uri, bundle.root, str(bundle.root), bundle.root_uri]
    for place in places:
        reader = reader_from(place)
        assert everything(reader) == everything(bundle)
        assert reader.read_range("trace.json", 0, 10) == FILES["trace.json"][:10]
        assert reader.read_text("AGENT.md") == "# run\n"
        assert not reader.exists("journal.jsonl")


def test_a_store_that_cannot_list_is_read_by_its_manifest(bundle: LocalFSStore) -> None:
    reader = reader_from(Plain(bundle))  # type: ignore[arg-type] # its methods are set at run time
    assert isinstance(reader, ManifestListing)
    assert everything(reader) == everything(bundle)
    assert list(reader.list_files("steps/")) == ["steps/0001.json"]
    assert reader.read_range("steps/0001.json", 1, 9) == b"}\n"


def test_a_store_that_cannot_list_and_has_no_manifest_is_empty(tmp_path: Path) -> None:
    assert list(ManifestListing(LocalFSStore(tmp_path)).list_files()) == []


def test_a_manifest_that_names_nothing_cannot_replace_a_listing(tmp_path: Path) -> None:
    store = LocalFSStore(tmp_path)
    store.write_bytes("manifest.json", b"[]")
    with pytest.raises(BundleReadError):
        list(ManifestListing(store).list_files())


def test_a_local_copy_of_a_folder_is_the_folder(bundle: LocalFSStore) -> None:
    with local_copy(bundle.root) as folder:
        assert folder == bundle.root


def test_a_local_copy_of_a_store_is_whole_private_and_temporary(
    bundle: LocalFSStore, make_s3: Callable[..., S3Store]
) -> None:
    remote = make_s3("runs/1")
    anyio.run(push_bundle, bundle, remote)
    told: list[tuple[int, int]] = []
    with local_copy(remote, progress=lambda *now: told.append(now)) as folder:
        copy = LocalFSStore(folder)
        assert everything(copy) == everything(bundle)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not folder.exists()
    assert told == [(number, 5) for number in range(1, 6)]


def test_a_local_copy_can_leave_out_the_pictures(bundle: LocalFSStore) -> None:
    remote = ObjectStore.from_uri("memory://")
    anyio.run(push_bundle, bundle, remote)
    with local_copy(remote, only=lambda path: not path.endswith(".png")) as folder:
        assert not (folder / "screenshots").exists()
        assert (folder / "trace.json").exists()


def test_an_empty_place_is_no_bundle() -> None:
    with pytest.raises(BundleReadError, match="no bundle"), local_copy("memory:///nothing"):
        pass


def test_what_goes_wrong_while_copying_comes_out(bundle: LocalFSStore) -> None:
    class Failing(ObjectStore):
        def read_bytes(self, relpath: str) -> bytes:
            raise StoreError("unavailable", relpath[:0])

    remote = Failing(ObjectStore.from_uri("memory://")._backend, "memory://")
    anyio.run(push_bundle, bundle, remote)
    with pytest.raises(StoreError), local_copy(remote):
        pass


def test_a_place_that_names_no_store_is_refused() -> None:
    with pytest.raises(RecordError):
        reader_from("ftp://host/run")
