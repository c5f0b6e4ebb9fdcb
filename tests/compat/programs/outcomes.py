"""Outcomes of steps and of the run, versions and fingerprints of the environment."""

from common import options, step

from augur_sdk import DebugSession

with DebugSession(**options("outcomes")) as session:
    session.record_step(step(0, costs={"model_usd": 0.02, "tokens_in": 5}))
    session.record_step(step(1, "failed"))
    session.set_step_versions(0, model="m-1", prompt_hash="abc")
    session.set_step_versions(0, grounder="g-2")
    session.attach_env_fingerprint(
        1,
        url_host="shop.example",
        url_path_template="/cart/{id}",
        api_shapes={"GET /cart": "list"},
        extensions=["adblock"],
    )
    session.finalize_outcome(scope="step", step_index=0, task_class="shopping")
    session.finalize_outcome(scope="step", step_index=1, verdict={"status": "failed"})
    session.finalize_outcome(task_class="shopping", cost_summary={"total_usd": 0.02})
    session.set_status("failed")
