"""The process's one portal: an event loop on a thread of its own, shared by all sessions.

It starts with the first session and stops with the last. The pipeline of either session class
runs here rather than on the agent's loop, because an agent that blocks its own loop (a
synchronous model call, `time.sleep`) must not keep its records in memory, miss its heartbeats
or be out of the operator's reach meanwhile.

Threads of the process on behalf of this package: the portal, and the two workers below.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

import anyio
from anyio.from_thread import BlockingPortal, BlockingPortalProvider

from augur_sdk.pipeline import fork_gate

__all__ = ["LookupThreads", "Runtime", "lease", "release"]

P = ParamSpec("P")
T = TypeVar("T")

WORKERS: Final = 2
"""One so that journaling never waits for file projection, one for the projection and reads."""

MAX_LOOKUPS: Final = 2
"""Host names looked up at a time; each that hangs holds a thread."""


class LookupThreads(ThreadPoolExecutor):
    """Resolves host names, in threads that nobody waits for: a lookup may hang for half a minute.

    As a loop's default executor, which has to be of this type. What comes while all of them hang
    fails at once, and is tried again like any connection that cannot be made.
    """

    def __init__(self) -> None:
        super().__init__(1)
        self._free = threading.Semaphore(MAX_LOOKUPS)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a call in a daemon thread of its own."""
        future: Future[T] = Future()
        if not self._free.acquire(blocking=False):
            future.set_exception(OSError("earlier lookups of host names still hang"))
            return future

        def work() -> None:
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - raised where the call is awaited
                future.set_exception(error)
            finally:
                self._free.release()

        future.set_running_or_notify_cancel()
        threading.Thread(target=work, name="augur-lookup", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing: whoever still looks something up is left to it."""


class Runtime:
    """What leaseholders share: the portal, the workers, the turns at projecting and hashing."""

    def __init__(self) -> None:
        self._provider = BlockingPortalProvider()
        self.workers: ThreadPoolExecutor = ThreadPoolExecutor(
            WORKERS, thread_name_prefix="augur-worker"
        )
        self.leases = 0
        try:
            # Started now: a thread that cannot start must fail here, not in the middle of a run.
            barrier = threading.Barrier(WORKERS)
            for job in [self.workers.submit(barrier.wait, 5.0) for _ in range(WORKERS)]:
                job.result()
            self.portal: BlockingPortal = self._provider.__enter__()
        except BaseException:
            self.workers.shutdown(wait=False)
            raise
        self.projecting: anyio.Semaphore = self.portal.call(lambda: anyio.Semaphore(1))
        self.hashing: anyio.Semaphore = self.portal.call(lambda: anyio.Semaphore(1))

    async def in_worker(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a plain function in a worker thread; call this on the portal.

        Raises:
            RuntimeError: The interpreter is shutting down.
        """
        call = _job(functools.partial(function, *args, **kwargs))
        return await asyncio.get_running_loop().run_in_executor(self.workers, call)

    def submit(self, function: Callable[[], object]) -> None:
        """Run a plain function in a worker thread some time; from any thread.

        Raises:
            RuntimeError: The interpreter is shutting down.
        """
        self.workers.submit(_job(function))

    def stop(self) -> None:
        """Stop the portal and the workers."""
        self._provider.__exit__(None, None, None)
        self.workers.shutdown(wait=True)


def _job(function: Callable[[], T]) -> Callable[[], T]:
    def job() -> T:
        with fork_gate.job():
            return function()

    return job


class _Shared:
    """The process's runtime, if any session holds it. One a process: threads are counted so."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.runtime: Runtime | None = None


_shared = _Shared()


def lease() -> Runtime:
    """Take part in the process's runtime; starts it when nobody does yet.

    Raises:
        RuntimeError: The system refuses another thread.
    """
    with _shared.lock:
        if _shared.runtime is None:
            _shared.runtime = Runtime()
        _shared.runtime.leases += 1
        return _shared.runtime


def release(runtime: Runtime) -> None:
    """Give a lease back; the last one stops the runtime. Not to be called on the portal."""
    with _shared.lock:
        runtime.leases -= 1
        last = runtime.leases == 0
        if last and _shared.runtime is runtime:
            _shared.runtime = None
    if last:
        runtime.stop()


def _forget_after_fork() -> None:
    # The child has none of the parent's threads, and must not wait for its locks.
    global _shared
    _shared = _Shared()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
