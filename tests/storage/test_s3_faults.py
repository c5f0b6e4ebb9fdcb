"""A real S3 server behind a proxy that misbehaves on demand."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import anyio
import pytest
from faulty_s3 import Faults

from augur_sdk.storage import Patience, S3Store, StoreError
from augur_sdk.storage.failures import classify
from augur_sdk.storage.object_store import PART_BYTES


@pytest.mark.parametrize("fault", ["unavailable", "cut_request"])
def test_a_passing_fault_is_ridden_out(
    proxied: Callable[..., S3Store], faults: Faults, fault: str
) -> None:
    store = proxied()
    faults.plan = [fault, fault]
    store.write_bytes("trace.json", b"x" * 100_000)
    faults.plan = [fault, fault]
    assert store.read_bytes("trace.json") == b"x" * 100_000
    assert len(faults.requests) == 6


def test_an_answer_cut_in_its_body_never_passes_for_the_whole(
    proxied: Callable[..., S3Store], faults: Faults
) -> None:
    store = proxied()
    data = bytes(range(256)) * 4000
    store.write_bytes("trace.json", data)
    faults.plan = ["cut_answer"]
    assert bytes_or_reason(store) in (data, "unavailable", "timeout")


def bytes_or_reason(store: S3Store) -> bytes | str:
    try:
        return store.read_bytes("trace.json")
    except StoreError as error:
        return error.reason


def test_retries_have_a_bound(proxied: Callable[..., S3Store], faults: Faults) -> None:
    store = proxied()
    faults.always = "unavailable"
    with pytest.raises(StoreError) as caught:
        store.write_bytes("trace.json", b"1")
    assert (caught.value.reason, len(faults.requests)) == ("unavailable", 4)
    assert "503 SlowDown" in str(caught.value)


@pytest.mark.parametrize("act", ["write", "awrite", "read", "exists", "list", "block"])
def test_expired_credentials_are_told_at_once_and_leak_nothing(
    proxied: Callable[..., S3Store], faults: Faults, act: str
) -> None:
    store = proxied(session_token="canary-token")
    faults.always = "expired"
    acts: dict[str, Callable[[], object]] = {
        "write": lambda: store.write_bytes("a", b"1"),
        "awrite": lambda: anyio.run(store.awrite_bytes, "a", b"1"),
        "read": lambda: store.read_bytes("a"),
        "exists": lambda: store.exists("a"),
        "list": lambda: list(store.list_files()),
        "block": lambda: write_block(store),
    }
    with pytest.raises(StoreError) as caught:
        acts[act]()
    error = caught.value
    assert (error.reason, len(faults.requests)) == ("denied", 1) or act == "exists"
    assert error.__cause__ is None
    assert "canary" not in f"{error!r} {error}"


def write_block(store: S3Store) -> None:
    with store.open_write_binary("a") as file:
        file.write(b"1")


def test_a_server_that_hangs_is_a_timeout(proxied: Callable[..., S3Store], faults: Faults) -> None:
    store = proxied(patience=Patience(timeout=0.2, retries=0))
    faults.always = "slow"
    with pytest.raises(StoreError) as caught:
        store.read_bytes("a")
    assert caught.value.reason == "timeout"


def test_a_call_to_a_hanging_server_can_be_cancelled(
    proxied: Callable[..., S3Store], faults: Faults
) -> None:
    store = proxied()
    faults.always = "slow"

    async def main() -> float:
        begun = time.monotonic()
        with anyio.move_on_after(0.2):
            await store.awrite_bytes("a", b"1")
        return time.monotonic() - begun

    assert anyio.run(main) < 4  # the request's own limit is 5 s


def test_a_large_upload_that_fails_leaves_no_object_and_no_parts(
    proxied: Callable[..., S3Store], make_s3: Callable[..., S3Store], faults: Faults
) -> None:
    store = proxied(patience=Patience(timeout=5, retries=0))
    faults.plan = ["pass", "pass", "unavailable"]
    with pytest.raises(StoreError):
        store.write_bytes("trace.json", b"x" * (3 * PART_BYTES))
    assert not make_s3("runs/1").exists("trace.json")
    deadline = time.monotonic() + 20
    while not any(line.startswith("DELETE") and "uploadId" in line for line in faults.requests):
        assert time.monotonic() < deadline, faults.requests


def test_a_part_that_fails_once_is_sent_again(
    proxied: Callable[..., S3Store], faults: Faults
) -> None:
    store = proxied()
    faults.plan = ["pass", "cut_request", "unavailable"]
    data = bytes(range(256)) * (3 * PART_BYTES // 256)
    store.write_bytes("trace.json", data)
    assert store.read_bytes("trace.json") == data


def test_a_refused_connection_is_unavailable(make_s3: Callable[..., S3Store]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        store = make_s3(
            endpoint=f"http://127.0.0.1:{taken.getsockname()[1]}", patience=Patience(retries=0)
        )
        with pytest.raises(StoreError) as caught:
            store.exists("a")
    assert caught.value.reason == "unavailable"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Server returned non-2xx status code: 500", "unavailable"),
        ("Server returned non-2xx status code: 429", "unavailable"),
        ("status code: 403 Forbidden <Code>AccessDenied</Code>", "denied"),
        ("status code: 400 <Code>ExpiredToken</Code>", "denied"),
        ("status code: 400 <Code>InvalidArgument</Code>", "refused"),
        ("HTTP error: request timed out", "timeout"),
        ("dns error", "unavailable"),
        ("", "unavailable"),
    ],
)
def test_failures_are_told_apart(text: str, reason: str) -> None:
    assert classify(Exception(text)).reason == reason
    assert "canary" not in str(classify(Exception(f"{text} ?sig=canary")))
