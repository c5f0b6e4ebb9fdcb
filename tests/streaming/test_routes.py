"""Which request carries which record (contract/http.md)."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augur_sdk.entry import Kind
from augur_sdk.streaming.routes import MERGE, Route, Wire, compose, lane, route


@pytest.mark.parametrize(
    ("kind", "name", "method", "path"),
    [
        (Wire.SESSION, "", "PUT", "/runs/r/trace"),
        (Wire.TRACE, "", "PUT", "/runs/r/trace"),
        (Wire.COSTS, "", "PUT", "/runs/r/costs"),
        (Wire.STEP, "", "PUT", "/runs/r/steps/7"),
        (Wire.EVENT, "", "POST", "/runs/r/events"),
        (Wire.SCREENSHOT, "pre", "POST", "/runs/r/screenshots/7/pre"),
        (Wire.MODELIO, "modelio/0007-p-0.json", "POST", "/runs/r/modelio/0007-p-0.json"),
        (Wire.MODELIO, "0007-p-0", "POST", "/runs/r/modelio/0007-p-0.json"),
        (Wire.LOG, "run", "POST", "/runs/r/logs"),
        (Wire.SIDE_EFFECT, "se_1", "POST", "/runs/r/side-effects"),
        (Wire.REASONING, "", "POST", "/runs/r/reasoning"),
        (Wire.OUTCOME, "", "POST", "/runs/r/outcomes"),
        (Wire.EVAL_CANDIDATE, "", "POST", "/runs/r/eval-candidates"),
        (Wire.JUDGE_DECISION, "", "POST", "/runs/r/steps/7/judge-decisions"),
        (Wire.MANIFEST, "", "POST", "/runs"),
    ],
)
def test_each_kind_has_its_request(kind: Wire, name: str, method: str, path: str) -> None:
    assert route(kind, "r", step_index=7, name=name) == Route(method, path)  # type: ignore[arg-type]  # a table of text


def test_every_kind_says_what_may_be_merged() -> None:
    assert set(MERGE) == set(Wire)


def test_the_names_are_those_of_the_journals_entries() -> None:
    only_on_the_wire = {"costs", "trace", "manifest"}
    assert {kind.value for kind in Wire} - only_on_the_wire <= {kind.value for kind in Kind}


@given(run_id=st.text(min_size=1, max_size=60))
def test_a_run_id_stays_one_segment_whatever_it_holds(run_id: str) -> None:
    path = route(Wire.STEP, run_id, step_index=0).path
    sent = httpx.URL("http://a.example/api/v1" + path).raw_path.decode()
    segments = urlsplit("http://a.example" + sent).path.split("/")
    assert segments[:4] == ["", "api", "v1", "runs"]
    assert segments[5:] == ["steps", "0"]
    assert unquote(segments[4], errors="surrogatepass") == run_id


@pytest.mark.parametrize(
    "run_id", ["..", ".", "../..", "a/../b", "a?token=x", "a#b", "a%2e", "\x00"]
)
def test_a_hostile_run_id_cannot_leave_the_api(run_id: str) -> None:
    url = httpx.URL("http://a.example/api/v1" + route(Wire.TRACE, run_id).path)
    assert url.raw_path.startswith(b"/api/v1/runs/")
    assert url.raw_path.endswith(b"/trace")


def composed(kind: Wire, body: object, step_index: int | None = None, name: str = "") -> object:
    raw = compose(kind, orjson.dumps(body), step_index=step_index, name=name)
    return None if raw is None else orjson.loads(raw)


def test_a_session_travels_as_a_trace_without_steps() -> None:
    assert composed(Wire.SESSION, {"run_id": "r"}) == {"session": {"run_id": "r"}, "steps": []}


def test_an_event_says_its_step() -> None:
    assert composed(Wire.EVENT, {"a": 1}, step_index=3) == {"events": [{"a": 1}], "step_index": 3}
    assert composed(Wire.EVENT, {"a": 1}) == {"events": [{"a": 1}]}


def test_a_log_chunk_says_its_file() -> None:
    assert composed(Wire.LOG, {"text": "a\n"}, name="runner") == {"text": "a\n", "name": "runner"}
    assert composed(Wire.LOG, {"text": "a"}, step_index=2) == {
        "text": "a",
        "name": "run",
        "step_index": 2,
    }


def test_costs_are_never_sent_empty() -> None:
    assert composed(Wire.COSTS, {}) is None
    assert composed(Wire.COSTS, {"total_usd": 0}) == {"total_usd": 0}


def test_a_judge_decision_carries_its_step() -> None:
    assert composed(Wire.JUDGE_DECISION, {"judge_id": "j"}, step_index=4) == {
        "judge_id": "j",
        "step_index": 4,
    }


def test_what_must_keep_its_order_shares_a_lane_and_nothing_else_does() -> None:
    assert lane(Wire.STEP, step_index=1) != lane(Wire.STEP, step_index=2)
    assert lane(Wire.STEP, step_index=1, name="a") == lane(Wire.STEP, step_index=1, name="b")
    assert lane(Wire.SESSION) == lane(Wire.TRACE)
    assert lane(Wire.SIDE_EFFECT, step_index=1, name="a") == lane(Wire.SIDE_EFFECT, name="a")
    assert lane(Wire.SCREENSHOT, step_index=1, name="pre") != lane(
        Wire.SCREENSHOT, step_index=1, name="post"
    )
