"""Effects declared before they happen: committed, aborted, left open."""

from common import options, step

from augur_sdk import DebugSession

with DebugSession(**options("side_effects")) as session:
    session.record_step(step(0))
    paid = session.declare_side_effect(
        0, "orders/1", "submit", idempotency_key="k1", side_effect_id="e1"
    )
    session.commit_side_effect(paid, {"order": 17})
    mailed = session.declare_side_effect(
        0, "mail", "send", reversibility="compensated", compensation_handle="h", side_effect_id="e2"
    )
    session.mark_side_effect_aborted(mailed, "changed its mind")
    session.declare_side_effect(
        0, "disk", "delete", reversibility="reversible", side_effect_id="e3"
    )
    aborted = session.abort_pending_side_effects("the run ends")
    assert aborted == ["e3"]
    session.set_status("succeeded")
