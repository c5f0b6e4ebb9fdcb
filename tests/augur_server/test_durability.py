"""Killed at any instant, the server has what it acknowledged."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import httpx
import pytest
from served import Served, on, picture, running, start, step, trace

KILLS = 3


def _stream(served: Served, name: str, acknowledged: list[tuple[str, int]]) -> None:
    """Send steps and pictures until the server is gone, noting each acknowledgement."""
    with served.agent() as agent:
        try:
            for number in range(100_000):
                if agent.put(on(name, f"/steps/{number}"), json=step(number)).status_code == 201:
                    acknowledged.append(("step", number))
                files = {"image": ("shot.png", picture(f"#{number % 4096:03x}"), "image/png")}
                answer = agent.post(on(name, f"/screenshots/{number}/pre"), files=files)
                if answer.status_code == 201:
                    acknowledged.append(("screenshot", number))
        except httpx.HTTPError:
            return


def test_each_acknowledged_record_is_there_after_kill_9(tmp_path: Path) -> None:
    seed = random.randrange(2**32)  # noqa: S311 - when to kill, not a secret
    print("seed", seed)
    delays = random.Random(seed)  # noqa: S311 - the same
    told: dict[str, list[tuple[str, int]]] = {}
    for kill in range(KILLS):
        served = start(tmp_path / "data")
        names = [f"run-{kill}-{client}" for client in range(4)]
        for name in names:
            told[name] = []
        threads = [threading.Thread(target=_stream, args=(served, n, told[n])) for n in names]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 20
        while not all(told[name] for name in names) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(delays.uniform(0.05, 0.5))
        served.process.kill()
        served.process.wait(10)
        for thread in threads:
            thread.join(10)
    with running(tmp_path / "data") as served, served.browser() as person:
        served.log_in(person)
        for name, acknowledged in told.items():
            assert acknowledged
            index = person.get(on(name, "/index")).json()
            steps = set(index["step_index"])
            assert {n for kind, n in acknowledged if kind == "step"} <= steps
            for kind, number in acknowledged[-4:]:
                if kind == "screenshot":
                    path = on(name, f"/screenshots/{number:04d}_pre.png")
                    assert person.get(path).content == picture(f"#{number % 4096:03x}")


def test_sigterm_ends_it_in_order_within_five_seconds(tmp_path: Path) -> None:
    with running(tmp_path / "data") as served, served.agent() as agent:
        agent.put(on("r", "/trace"), json=trace("r"))
        poll = threading.Thread(target=_poll, args=(served,))
        poll.start()
        began = time.monotonic()
        assert served.stop() == 0
        poll.join(5)
        assert time.monotonic() - began < 5


def _poll(served: Served) -> None:
    with served.agent() as agent:
        try:
            agent.get(on("r", "/commands"))
        except httpx.HTTPError:
            return


def test_the_dsn_and_the_data_outlive_a_restart(tmp_path: Path) -> None:
    with running(tmp_path / "data") as served, served.agent() as agent:
        key = served.key
        agent.put(on("r", "/trace"), json=trace("r"))
        served.stop()
    with running(tmp_path / "data") as served, served.browser() as person:
        assert served.key == key
        served.log_in(person)
        assert person.get(on("r")).json()["status"] == "running"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1"])  # noqa: S104 - what is refused
def test_it_does_not_listen_to_the_world_without_tls(host: str) -> None:
    from augur_sdk.errors import RecordError
    from augur_server.serving import bind

    with pytest.raises(RecordError, match="--behind-proxy"):
        bind(host, 0)
