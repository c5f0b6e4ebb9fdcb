"""A session that is told by its context to be a branch of another run, and ends by an exception."""

from common import options, step

from augur_sdk import DebugSession

context = {
    "parent_run_id": "run_a",
    "branch_point_step_index": 1,
    "mutated_axis": "action",
    "mutation": {"action": "type"},
    "branch_id": "branch_2",
}


class TooExpensiveError(Exception):
    """What ends the run."""


try:
    with DebugSession(**options("orchestrator", branch_context=context)) as session:
        session.record_step(step(0))
        session.set_live_endpoints(status_url="https://example.com/status")
        session.set_capture_mode("screenshots")
        session.record_step(step(1))
        raise TooExpensiveError  # noqa: TRY301 - what is shown
except TooExpensiveError:
    pass
