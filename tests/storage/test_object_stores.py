from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import anyio
import anyio.lowlevel
import httpx
import pytest

from augur_sdk.errors import MissingExtraError, RecordError
from augur_sdk.storage import (
    AsyncStore,
    ListingStore,
    LocalFSStore,
    ObjectStore,
    S3Store,
    Store,
    StoreError,
    as_async,
    store_from_uri,
)
from augur_sdk.storage.aws_profile import credential_provider, static_keys
from augur_sdk.storage.object_store import PART_BYTES
from augur_sdk.testing.store_contract import AsyncStoreContract, StoreContract


class TestS3(StoreContract, AsyncStoreContract):
    @pytest.fixture
    def store(self, make_s3: Callable[..., S3Store]) -> S3Store:
        return make_s3("runs/1")


class TestGoogleCloudStorage(StoreContract, AsyncStoreContract):
    @pytest.fixture
    def store(self, gcs_store: ObjectStore) -> ObjectStore:
        return gcs_store

    def test_a_signed_url_is_a_url(self, store: Store) -> None:
        """Signing without a key of one's own asks a server on the internet; see below for keys."""


class TestAzure(StoreContract, AsyncStoreContract):
    @pytest.fixture
    def store(self, azure_store: ObjectStore) -> ObjectStore:
        return azure_store


class TestMemory(StoreContract, AsyncStoreContract):
    @pytest.fixture
    def store(self) -> ObjectStore:
        return ObjectStore.from_uri("memory:///runs/1")


class TestFolderAsObjectStore(StoreContract, AsyncStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ObjectStore:
        return ObjectStore.from_uri((tmp_path / "bundle").as_uri())


def test_object_stores_have_both_sides(make_s3: Callable[..., S3Store]) -> None:
    store = make_s3()
    assert isinstance(store, Store)
    assert isinstance(store, ListingStore)
    assert isinstance(store, AsyncStore)
    assert as_async(store) is store


def test_prefixes_keep_bundles_apart(make_s3: Callable[..., S3Store]) -> None:
    one, other = make_s3("runs/1"), make_s3("runs/10")
    one.write_bytes("manifest.json", b"1")
    assert not other.exists("manifest.json")
    assert list(make_s3("runs").list_files()) == ["1/manifest.json"]


def test_a_whole_bucket_can_be_a_root(make_s3: Callable[..., S3Store]) -> None:
    store = make_s3()
    store.write_bytes("a/b", b"1")
    assert list(store.list_files()) == ["a/b"]
    assert store.list_folders() == ["a"]
    assert store.read_bytes("a/b") == b"1"


def test_a_signed_url_opens_the_object_without_credentials(
    make_s3: Callable[..., S3Store],
) -> None:
    store = make_s3("runs/1")
    store.write_bytes("AGENT.md", b"# run")
    url = store.signed_url("AGENT.md", ttl_seconds=77)
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["77"]
    assert httpx.get(url).content == b"# run"


def test_an_azure_url_stops_working_when_its_time_is_over(azure_store: ObjectStore) -> None:
    azure_store.write_bytes("AGENT.md", b"# run")
    url = azure_store.signed_url("AGENT.md", ttl_seconds=1)
    deadline = time.monotonic() + 20
    while httpx.get(url).status_code == 200:
        assert time.monotonic() < deadline
    assert httpx.get(azure_store.signed_url("AGENT.md")).content == b"# run"


def test_a_google_url_is_signed_with_the_service_accounts_own_key() -> None:
    rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    pem = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "private_key": pem.decode(),
        "private_key_id": "1",
        "client_email": "robot@example.iam.gserviceaccount.com",
    }
    store = ObjectStore.from_uri("gs://bucket/runs", service_account_key=json.dumps(account))
    query = parse_qs(urlsplit(store.signed_url("AGENT.md", ttl_seconds=60)).query)
    assert query["X-Goog-Expires"] == ["60"]
    assert query["X-Goog-Signature"]


@pytest.mark.parametrize("ttl", [0, -1, 7 * 24 * 3600 + 1])
def test_a_ttl_that_no_vendor_grants_is_refused(make_s3: Callable[..., S3Store], ttl: int) -> None:
    with pytest.raises(RecordError, match="ttl_seconds"):
        make_s3().signed_url("AGENT.md", ttl_seconds=ttl)


def test_a_large_file_goes_up_in_parts_and_comes_back_whole(
    make_s3: Callable[..., S3Store], tmp_path: Path
) -> None:
    store = make_s3()
    large = tmp_path / "trace.json"
    large.write_bytes(bytes(range(251)) * (3 * PART_BYTES // 251))
    anyio.run(store.awrite_bytes, "trace.json", large)
    assert store.read_bytes("trace.json") == large.read_bytes()


def test_an_open_block_keeps_memory_flat(make_s3: Callable[..., S3Store]) -> None:
    store = make_s3()
    piece = b"x" * (1 << 20)
    tracemalloc.start()
    try:
        with store.open_write_binary("trace.json") as file:
            for _ in range(40):
                file.write(piece)
            _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * PART_BYTES
    assert len(store.read_bytes("trace.json")) == 40 << 20


def test_an_absent_bucket_is_named_as_the_cause(make_s3: Callable[..., S3Store]) -> None:
    store = S3Store(
        "no-such-bucket",
        endpoint=make_s3().signed_url("x").split("/bucket")[0],
        region="us-east-1",
        access_key_id="key",
        secret_access_key="canary-secret",
    )
    with pytest.raises(StoreError) as caught:
        store.write_bytes("a", b"1")
    assert caught.value.reason == "missing"


def test_no_credential_is_in_a_repr(make_s3: Callable[..., S3Store]) -> None:
    store = make_s3("runs/1", session_token="canary-token")
    assert "canary" not in repr(store)
    assert "canary" not in repr(as_async(store))
    assert repr(store).startswith("S3Store('s3://bucket")


# -- which store a URI names


@pytest.mark.parametrize(
    ("uri", "root"),
    [
        ("s3://bucket/runs/1", "s3://bucket/runs/1"),
        ("s3://bucket", "s3://bucket"),
        ("s3a://bucket/runs/", "s3://bucket/runs"),
        ("S3://Bucket/Runs", "s3://Bucket/Runs"),
        ("memory://name/a", "memory://name/a"),
    ],
)
def test_a_uri_is_kept_as_the_root(uri: str, root: str) -> None:
    assert ObjectStore.from_uri(uri).root_uri == root


def test_google_and_azure_uris_need_no_network() -> None:
    assert ObjectStore.from_uri("gs://b/runs", skip_signature=True).root_uri == "gs://b/runs"
    azure = ObjectStore.from_uri("az://c/runs", account_name="a", skip_signature=True)
    assert azure.root_uri == "az://c/runs"
    host = "abfss://c@account.dfs.core.windows.net/runs"
    assert ObjectStore.from_uri(host, skip_signature=True).root_uri == (
        "az://c@account.dfs.core.windows.net/runs"
    )


def test_s3_uris_make_s3_stores() -> None:
    assert isinstance(store_from_uri("s3://bucket/runs"), S3Store)


def test_paths_and_file_uris_are_local_folders(tmp_path: Path) -> None:
    for place in (str(tmp_path), tmp_path.as_uri()):
        store = store_from_uri(place)
        assert isinstance(store, LocalFSStore)
        assert store.root == tmp_path


def test_one_memory_name_is_one_place() -> None:
    store_from_uri("memory://shared-place/a").open_write_binary("x")
    with store_from_uri("memory://shared-place/a").open_write_binary("x") as file:
        file.write(b"1")
    assert store_from_uri("memory://shared-place").read_bytes("a/x") == b"1"
    assert not store_from_uri("memory://other-place/a").exists("x")
    assert not store_from_uri("memory:///a").exists("x")


@pytest.mark.parametrize(
    "uri", ["ftp://host/x", "s3://", "s3:///runs", "s3://key:canary@bucket/x", "s3://key@bucket/x"]
)
def test_a_uri_that_names_no_store_is_refused_without_quoting_it(uri: str) -> None:
    with pytest.raises(RecordError) as caught:
        store_from_uri(uri)
    assert "canary" not in str(caught.value)


def test_a_prefix_cannot_climb() -> None:
    with pytest.raises(RecordError):
        store_from_uri("s3://bucket/../other")


def test_others_register_schemes_of_their_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Registered(LocalFSStore):
        def __init__(self, uri: str, *, region: str) -> None:
            super().__init__(tmp_path / region / uri.partition("://")[2])

    class Entry(EntryPoint):
        def load(self) -> type[Registered]:
            return Registered

    def registered(*, group: str, name: str = "vault") -> list[EntryPoint]:
        entry = Entry("vault", "somewhere:Registered", group)
        return [entry] if (group, name) == ("augur_sdk.stores", "vault") else []

    monkeypatch.setattr("importlib.metadata.entry_points", registered)
    store = store_from_uri("vault://runs", region="eu")
    assert isinstance(store, Registered)
    with pytest.raises(RecordError, match="vault"):
        store_from_uri("unheard-of://runs")


# -- what is loaded, and when


def test_without_obstore_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(MissingExtraError, match=r"augur-sdk\[object-store\]"):
        S3Store("bucket")
    with pytest.raises(MissingExtraError):
        store_from_uri("memory://")


def test_importing_the_stores_loads_none_of_their_dependencies() -> None:
    code = "import sys, augur_sdk.storage; print({'obstore', 'boto3'} & set(sys.modules))"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert child.stdout.strip() == b"set()"


FORKING = """
import os, signal, sys
from augur_sdk.storage import StoreError, store_from_uri

store = store_from_uri("memory://name")
store.write_bytes("a", b"1")
pid = os.fork()
if pid == 0:
    signal.alarm(10)  # a call that waits for ever ends the child here
    try:
        store_from_uri("memory://name").read_bytes("a")
    except StoreError as error:
        os._exit(0 if error.reason == "refused" else 1)
    os._exit(2)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_after_a_fork_it_refuses_instead_of_hanging() -> None:
    code = ["-W", "ignore::DeprecationWarning", "-c", FORKING]
    child = subprocess.run([sys.executable, *code], capture_output=True, check=False)
    assert (child.returncode, child.stderr) == (0, b"")


# -- AWS profiles


@pytest.fixture
def shared_files(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "credentials").write_text(
        "[default]\naws_access_key_id = A\naws_secret_access_key = B\n"
        "[other]\naws_access_key_id = C\naws_secret_access_key = D%1\naws_session_token = E\n"
    )
    return {
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_CONFIG_FILE": str(tmp_path / "absent"),
    }


def test_keys_are_read_from_the_shared_file(shared_files: dict[str, str]) -> None:
    assert static_keys(shared_files, "default") == {"access_key_id": "A", "secret_access_key": "B"}
    other = static_keys(shared_files, "other")
    assert other == {"access_key_id": "C", "secret_access_key": "D%1", "token": "E"}
    assert static_keys(shared_files, "absent") is None


@pytest.mark.parametrize("with_boto3", [True, False])
def test_a_profile_gives_its_keys_with_and_without_boto3(
    shared_files: dict[str, str], monkeypatch: pytest.MonkeyPatch, with_boto3: bool
) -> None:
    for name, value in shared_files.items():
        monkeypatch.setenv(name, value)
    if not with_boto3:
        monkeypatch.setitem(sys.modules, "boto3", None)
    provider = credential_provider(shared_files, "other")
    assert provider is not None
    found = provider()
    assert (found["access_key_id"], found["token"]) == ("C", "E")


def test_the_environment_comes_before_the_default_profile(shared_files: dict[str, str]) -> None:
    assert credential_provider({**shared_files, "AWS_ACCESS_KEY_ID": "env"}, None) is None


def test_a_profile_that_is_not_there_is_an_error(
    shared_files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in shared_files.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RecordError, match="profile"):
        credential_provider(shared_files, "absent")


def test_a_profile_signs_real_requests(
    make_s3: Callable[..., S3Store], shared_files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in shared_files.items():
        monkeypatch.setenv(name, value)
    store = make_s3(access_key_id=None, secret_access_key=None, profile="other")
    store.write_bytes("a", b"1")
    assert "Credential=C" in store.signed_url("a")


# -- the loop


def test_a_users_blocking_store_does_not_block_the_loop(tmp_path: Path) -> None:
    released = threading.Event()

    class Slow(LocalFSStore):
        def exists(self, relpath: str) -> bool:
            assert released.wait(20)
            return super().exists(relpath)

    async def main() -> bool:
        found: list[bool] = []
        store = as_async(Slow(tmp_path))

        async def ask() -> None:
            found.append(await store.aexists("a"))

        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            await anyio.lowlevel.checkpoint()
            released.set()  # reached only while the store is still waiting
        return found[0]

    assert anyio.run(main) is False


def test_a_users_store_that_raises_anything_is_a_store_error(tmp_path: Path) -> None:
    class Broken(LocalFSStore):
        def exists(self, relpath: str) -> bool:
            raise ZeroDivisionError(relpath)

    with pytest.raises(StoreError) as caught:
        anyio.run(as_async(Broken(tmp_path)).aexists, "a")
    assert caught.value.reason == "unavailable"


@pytest.mark.parametrize("uri", ["gs://bucket/x?token=s3cret", "s3://b?X-Amz-Signature=s3cret"])
def test_credentials_in_a_uris_query_are_refused_and_not_shown(uri: str) -> None:
    with pytest.raises(RecordError, match="credentials") as refused:
        store_from_uri(uri)
    assert "s3cret" not in str(refused.value)


def test_azure_without_an_account_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
    with pytest.raises(RecordError, match="an account"):
        store_from_uri("az://container/run")
