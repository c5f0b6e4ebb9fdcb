"""What runs a session: imported with the first one, put together from its arguments."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from augur_sdk.capture import CaptureMode
from augur_sdk.pipeline import fork_gate
from augur_sdk.recording.state import Settings
from augur_sdk.redaction import RedactionDoor, RedactionPolicy
from augur_sdk.session import arguments
from augur_sdk.streaming.dsn import DSN

if TYPE_CHECKING:
    from pathlib import Path

    from augur_sdk.pipeline.delivering import Delivery
    from augur_sdk.session.behaviour import Behaviour
    from augur_sdk.session.core import SessionCore
    from augur_sdk.storage import Store

__all__ = ["core", "delivery", "destination", "door", "load_engine", "load_for"]


def load_engine(*, streaming: bool = True, mirroring: bool = True, loops: bool = True) -> None:
    """Import what runs a session, asyncio included: a class costs no program that only has it.

    All of it now, so that no recording call imports any of it later.

    Args:
        streaming: Also what a session with a DSN needs.
        mirroring: Also what a session with a store of its own needs.
        loops: Also what notices loops.
    """
    with fork_gate.job():  # a forked child waits for ever for what another thread was importing
        import augur_sdk.session.core

        if streaming:
            import augur_sdk.intervention.channel
            import augur_sdk.pipeline.delivering
        if mirroring:
            import augur_sdk.pipeline.mirroring
        if loops:
            import augur_sdk.session.loop_watch  # noqa: F401 - importing is the purpose


def core(
    settings: Settings,
    root: Path,
    door: RedactionDoor,
    behaviour: Behaviour,
    store: Store,
    delivery: Delivery | None,
    *,
    loops: bool,
) -> SessionCore:
    """What both session classes are thin faces of."""
    from augur_sdk.session.core import SessionCore

    made = SessionCore(settings, root, door, behaviour, store, delivery)
    if loops:
        from augur_sdk.session.loop_watch import watch_loops

        watch_loops(made)
    return made


def load_for(mode: CaptureMode, door: RedactionDoor) -> None:
    """Load and compile what a session's first records need, before there are any.

    It takes a fifth of a second, once a process. Behind the first steps it would hold the
    interpreter, and with it their way to the journal, for just as long. What fails here fails
    again, and is told, with the record that needs it.
    """
    if mode is CaptureMode.OFF:
        return
    with fork_gate.job(), suppress(Exception):  # the gate: as above
        door.prepare()
        if mode >= CaptureMode.SCREENSHOTS:
            from augur_sdk.images.hashing import load_decoder

            load_decoder()
        if mode >= CaptureMode.MODEL_IO:
            from augur_sdk.models.validators import prepare

            prepare("modelio")


def door(policy: RedactionPolicy, server: DSN | None) -> RedactionDoor:
    """The gateway of a session, which knows the server's token from the start."""
    made = RedactionDoor(policy)
    if server is not None:
        # An agent that prints its environment says it bare, where no rule knows it.
        made.secrets.register(str(server.token), "dsn_token", quiet=True)
    return made


def destination(dsn: DSN) -> str:
    """The server as the journal names it."""
    from augur_sdk.pipeline.delivering import destination_of

    return destination_of(dsn)


def delivery(
    dsn: DSN, settings: Settings, clean: Callable[[str], str], live: str | None = None
) -> Delivery:
    """What brings a session's records to its server."""
    from augur_sdk.pipeline.delivering import Delivery

    session_id, client = settings.debug_session_id, settings.client

    def run_id() -> str:
        return clean(settings.run_id)

    def describe() -> dict[str, str]:
        named = {f"client_{part}": clean(client[part]) for part in client if part != "git_sha"}
        mode = settings.capture_mode.value
        return {**named, "client_id": session_id, "run_id": run_id(), "capture_mode": mode}

    return Delivery(
        dsn,
        describe,
        session_id=session_id,
        run_id=run_id,
        records=settings.streaming,
        at_once=arguments.leaves_at_once(live),
    )
