"""The SDK's own secret, the token: a canary that must sing nowhere but in one header."""

from __future__ import annotations

import dataclasses
import logging
import traceback
from pathlib import Path

import pytest
from scenarios import event, files_of, png, step

from augur_sdk import DebugSession
from augur_sdk.errors import RunKilled
from augur_sdk.testing import Fault, FaultyServer

TOKEN = "cAnArY-7f3a9c51d2"  # made up


def test_the_token_is_in_one_header_and_nowhere_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    during: dict[str, bytes] = {}
    with FaultyServer(token=TOKEN, hold=5.0) as server:
        server.script(status=401, times=1, path="/steps/")
        server.script(status=500, times=2, path="/events")
        server.script(fault=Fault.RESET, times=2)
        session = DebugSession(
            run_id="run-1",
            client_name="agent",
            out_dir=tmp_path / "b",
            capture_mode="full",
            dsn=server.dsn,
            flush_timeout=1.0,
        )
        try:
            with session:
                channel = session.bind_intervention(None)
                shown += [repr(session), repr(channel), repr(vars(session)), repr(session.stats)]
                core = session._core
                shown += [repr(vars(part)) for part in (core, core.delivery, core.intervention)]
                for index in range(3):
                    session.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
                    session.record_event(event(index))
                    session.record_step(step(index))
                server.wait_for(lambda: len(server.run("run-1").steps) > 1)
                during.update(files_of(tmp_path))
                server.push_command("run-1", "kill", operator_id="ada")
                while True:
                    session.checkpoint()
        except RunKilled:
            shown.append(traceback.format_exc())
        with (
            server.down(),
            DebugSession(
                run_id="run-2",
                client_name="agent",
                out_dir=tmp_path / "c",
                capture_mode="full",
                dsn=server.dsn,
                flush_timeout=0.1,
            ) as unsent,
        ):
            unsent.record_step(step(0))
        assert unsent.stats.pending > 0
        for request in server.requests:
            authorization = request.headers.pop("authorization")
            assert authorization == f"Bearer {TOKEN}"
            shown.append(repr(dataclasses.asdict(request)))
    out, err = capfd.readouterr()
    shown += [caplog.text, out, err, *(repr(vars(entry)) for entry in caplog.records)]
    assert not [text for text in shown if TOKEN in text]
    for files in (during, files_of(tmp_path)):
        assert not [name for name, data in files.items() if TOKEN.encode() in data or TOKEN in name]


def test_a_malformed_dsn_is_ignored_and_not_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with DebugSession(
        run_id="r",
        client_name="a",
        out_dir=tmp_path / "b",
        capture_mode="full",
        dsn=f"ftp://host/api/v1?token={TOKEN}",
    ) as session:
        session.record_step(step(0))
    assert "ignored" in caplog.text
    assert TOKEN not in caplog.text
