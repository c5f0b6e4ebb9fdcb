"""What became of the records of a session."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from augur_sdk.pipeline.delivering import Delivery
    from augur_sdk.session.core import SessionCore

__all__ = ["SessionStats", "counted"]


@dataclass(frozen=True)
class SessionStats:
    """A snapshot of the session's counts (promises: loss is counted).

    In every snapshot `accepted == stored + queued + sum(dropped.values())`, and
    `stored == delivered + superseded + sum(refused.values()) + waiting + bundle_only`; `queued` is
    0 after `flush()`. Without a DSN nothing is delivered, and all that is stored is waiting: it is
    what `augur push` would send.
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
    """Stored records for which the server has answered, each for itself."""
    superseded: int = 0
    """Stored records of which a newer version was delivered before they were sent."""
    refused: dict[int, int] = field(default_factory=dict)
    """Stored records that the server has refused for good, by status; the bundle keeps them."""
    waiting: int = 0
    """Stored records that wait to be sent or answered."""
    held: int = 0
    """Those of the waiting that wait for their step to say whether it is sensitive."""
    bundle_only: int = 0
    """Stored records that have no request of their own, such as replay fixtures."""
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

    @property
    def pending(self) -> int:
        """`waiting`, by its older name."""
        return self.waiting

    def as_dict(self) -> dict[str, Any]:
        """The counts as plain values."""
        return asdict(self)


def counted(core: SessionCore) -> SessionStats:
    """A session's counts as they are now."""
    recorder, delivery = core.recorder, core.delivery
    # The journal's opening line is no record; it is the first that is stored.
    opening = int(bool(recorder.accepted and core.intake.stored))
    accepted, stored = recorder.accepted - opening, core.intake.stored - opening
    dropped = core.losses.dropped
    sent = _sent(delivery, stored)
    return SessionStats(
        accepted=accepted,
        stored=stored,
        queued=max(0, accepted - stored - sum(dropped.values())),
        dropped=dropped,
        **sent,
        repaired=recorder.repaired,
        schema_problems=core.inspector.count + recorder.leniency.oddities,
        refused_calls=core.refusals.counts(),
        redaction_failures=core.door.failures,
        repeated_calls=recorder.repeated_calls,
    )


def _sent(delivery: Delivery | None, stored: int) -> dict[str, Any]:
    if delivery is None or not delivery.records:
        return {"waiting" if delivery is None else "bundle_only": stored}
    ends, pending = delivery.ends, min(stored, delivery.pending)
    ended = ends.delivered + ends.superseded + ends.refused.total()
    return {
        "delivered": ends.delivered,
        "superseded": ends.superseded,
        "refused": dict(ends.refused),
        "waiting": pending,
        "held": delivery.held,
        "bundle_only": max(0, stored - pending - ended),
    }
