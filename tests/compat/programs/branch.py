"""A run, and a replay branch of it with another model."""

from common import OUT, options, picture, step

from augur_sdk import DebugSession

with DebugSession(**options("parent")) as parent:
    for index in range(3):
        parent.attach_observation(step_index=index, kind="pre", png_bytes=picture(index))
        parent.record_step(step(index, observation_pre=f"screenshots/{index:04d}_pre.png"))
    parent.set_status("succeeded")

with DebugSession.branch_from(
    parent_run_id="run_parent",
    branch_point_step_index=2,
    mutated_axis="model",
    mutation={"model": "m-2"},
    client_name="sample",
    out_dir=OUT / "branch",
    parent_bundle=OUT / "parent",
    branch_id="branch_1",
    run_id="run_branch",
    capture_mode="full",
    debug_session_id="dbg_branch000001",
    started_at="2030-01-01T01:00:00Z",
) as session:
    assert session.branch_mode == "replay"
    session.record_step(step(2, "failed"))
    session.set_status("failed")
