"""Verdicts that come after their steps, and scores."""

from typing import Any

from common import options, step

from augur_sdk import DebugSession

with DebugSession(**options("verifier")) as session:
    for index in range(3):
        unjudged: Any = {**step(index, "unknown"), "status": "succeeded"}
        session.record_step(unjudged)
    session.attach_verifier(0, status="passed", reason="the cart is open", check="dom")
    session.attach_verifier(1, status="failed", check="total", expected=3, actual=4)
    session.set_score(2, 0.75, comparator="verifier", components={"speed": 0.5, "care": 1.0})
    session.set_score(2, 1.5)
    session.set_status("failed")
