"""Steps with pictures and events, tags, a log, a status."""

from common import event, options, picture, step

from augur_sdk import DebugSession

with DebugSession(**options("basic", tags={"team": "growth"})) as session:
    for index in range(3):
        session.attach_observation(step_index=index, kind="pre", png_bytes=picture(2 * index))
        session.attach_observation(step_index=index, kind="post", png_bytes=picture(2 * index + 1))
        session.record_event(event(index))
        session.record_step(
            step(
                index,
                observation_pre=f"screenshots/{index:04d}_pre.png",
                observation_post=f"screenshots/{index:04d}_post.png",
            )
        )
    session.record_event(event(None, "the run is over"))
    session.add_tag("branch", "main")
    session.append_log("a line of the runner\n")
    session.set_status("succeeded")
