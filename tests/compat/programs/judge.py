"""Judges of four kinds, one of them without a say in the verdict."""

from common import STARTED, options, step

from augur_sdk import DebugSession

with DebugSession(**options("judge")) as session:
    session.record_step(step(0))
    session.record_step(step(1))
    session.record_judge_decision(
        0,
        judge_id="rules",
        judge_type="rule",
        verdict={"status": "passed", "reason": "fits"},
        judged_at=STARTED,
    )
    session.record_judge_decision(
        0,
        judge_id="gpt",
        judge_type="model",
        verdict={"status": "failed", "reason": "no"},
        confidence=0.7,
        evidence_refs=["trace.json"],
        judged_at=STARTED,
    )
    session.record_judge_decision(
        1,
        judge_id="ada",
        judge_type="human",
        verdict={"status": "failed"},
        judged_at=STARTED,
        promote=False,
    )
    session.mark_for_eval(1, "judges disagree", candidate_cluster_id="c1")
    session.set_status("succeeded")
