"""What runs a session: imported with the first one, put together from its arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from augur_sdk.pipeline import fork_gate
from augur_sdk.recording.state import Settings
from augur_sdk.session import arguments
from augur_sdk.streaming.dsn import DSN

if TYPE_CHECKING:
    from augur_sdk.pipeline.delivering import Delivery

__all__ = ["delivery", "destination", "load_engine"]


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
