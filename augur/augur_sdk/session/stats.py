"""What became of the records of a session."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from augur_sdk.session.core import SessionCore

__all__ = ["SessionStats", "counted"]


@dataclass(frozen=True)
class SessionStats:
    """A snapshot of the session's counts (promises: loss is counted).

    `accepted == stored + queued + sum(dropped.values())` and `stored == delivered + pending`
    hold in every snapshot; `queued` is 0 after `flush()`. Without a DSN the bundle is the only
    destination, and what is stored is delivered.
    """

    accepted: int = 0
    """Records that calls handed over; a patched step counts again."""
    stored: int = 0
    """Records in the journal or the finished bundle."""
    queued: int = 0
    """Records on their way to the journal, in memory."""
    dropped: dict[str, int] = field(default_factory=dict)
    """Records lost, by reason."""
    delivered: int = 0
    """Stored records that have reached every destination."""
    pending: int = 0
    """Stored records that the server does not have, refused ones included."""
    refused: dict[str, int] = field(default_factory=dict)
    """Pending records that the server will not take, by status."""
    repaired: int = 0
    """Values replaced by text because JSON cannot hold them."""
    schema_problems: int = 0
    """Records and arguments kept as given although they break their schema, or are odd."""
    refused_calls: dict[str, dict[str, int]] = field(default_factory=dict)
    """Recording calls that raised and kept nothing, by method and reason."""
    redaction_failures: int = 0
    """Fields replaced by a marker because redaction failed on them."""
    repeated_calls: int = 0
    """Model calls not stored again although they brought another response to a known prompt."""

    def as_dict(self) -> dict[str, Any]:
        """The counts as plain values."""
        return asdict(self)


def counted(core: SessionCore) -> SessionStats:
    """A session's counts as they are now."""
    recorder, delivery = core.recorder, core.delivery
    accepted, stored, dropped = recorder.accepted, core.intake.stored, core.losses.dropped
    pending = 0 if delivery is None else min(stored, delivery.pending)
    return SessionStats(
        accepted=accepted,
        stored=stored,
        queued=max(0, accepted - stored - sum(dropped.values())),
        dropped=dropped,
        delivered=stored - pending,
        pending=pending,
        refused={} if delivery is None else delivery.refused,
        repaired=recorder.repaired,
        schema_problems=core.inspector.count + recorder.leniency.oddities,
        refused_calls=core.refusals.counts(),
        redaction_failures=core.door.failures,
        repeated_calls=recorder.repeated_calls,
    )
