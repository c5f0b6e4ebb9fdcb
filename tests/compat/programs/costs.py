"""What steps and the run have cost."""

from common import options, step

from augur_sdk import DebugSession

with DebugSession(**options("costs")) as session:
    for index in range(2):
        session.record_step(step(index))
        session.set_step_costs(index, model_usd=0.01, tokens_in=100, tokens_out=10)
    session.set_step_costs(1, cache_hit_tokens=50)
    session.set_costs(total_usd=0.5, gpu_usd=0.1)
    session.set_costs(model_usd=0.4)
    session.finalize_outcome(verdict={"status": "passed"}, task_class="shopping")
    session.set_status("succeeded")
