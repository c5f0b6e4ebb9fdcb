from __future__ import annotations

import threading

import pytest

from augur_sdk.pipeline import portal


def test_leases_share_one_portal_and_two_workers_and_the_last_stops_them() -> None:
    before = threading.active_count()
    leases = [portal.lease() for _ in range(5)]
    assert len({id(lease) for lease in leases}) == 1
    assert threading.active_count() - before == 1 + portal.WORKERS
    for lease in leases:
        portal.release(lease)
    assert threading.active_count() == before


def test_a_system_without_threads_is_a_runtime_error_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError, match="thread"):
        portal.lease()
    monkeypatch.undo()
    portal.release(portal.lease())


def test_work_goes_to_the_workers_and_comes_back() -> None:
    lease = portal.lease()
    try:
        name = lease.portal.call(lease.in_worker, lambda: threading.current_thread().name)
        assert name.startswith("augur-worker")
    finally:
        portal.release(lease)
