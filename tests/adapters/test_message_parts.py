"""The pure parts: usage, actions, pictures, times."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from anthropic.types import Usage
from openai.types.responses import ResponseUsage
from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails

from augur_sdk.adapters.actions import as_action, grounding_of
from augur_sdk.adapters.log_clock import LogClock
from augur_sdk.adapters.logged_message import time_in
from augur_sdk.adapters.pictures import decode_picture, without_pictures
from augur_sdk.adapters.plain import as_plain
from augur_sdk.adapters.usage import costs_of, usage_in


def test_anthropics_cached_tokens_count_as_prompt_tokens() -> None:
    usage = Usage(
        input_tokens=10,
        output_tokens=5,
        cache_read_input_tokens=700,
        cache_creation_input_tokens=90,
    )
    found = usage_in({"usage": usage})
    assert found == {
        "prompt_tokens": 800,
        "completion_tokens": 5,
        "cache_hit_tokens": 700,
        "cache_creation_tokens": 90,
    }
    assert costs_of(found) == {"tokens_in": 800, "tokens_out": 5, "cache_hit_tokens": 700}


def test_openais_cached_tokens_are_counted_once() -> None:
    usage = ResponseUsage(
        input_tokens=800,
        output_tokens=5,
        total_tokens=805,
        input_tokens_details=InputTokensDetails(cached_tokens=700, cache_write_tokens=90),
        output_tokens_details=OutputTokensDetails(reasoning_tokens=0),
    )
    assert usage_in({"usage": usage})["prompt_tokens"] == 800
    assert usage_in({"usage": usage})["cache_hit_tokens"] == 700


def test_a_response_without_usage_has_no_costs() -> None:
    assert usage_in({}) == {}
    assert usage_in({"usage": None}) == {}
    assert costs_of({}) == {}


@pytest.mark.parametrize(
    ("raw", "params", "point"),
    [
        (
            {"type": "click", "x": 1, "y": 2, "button": "left"},
            {"x": 1, "y": 2, "button": "left"},
            (1, 2),
        ),
        ({"type": "left_click", "params": {"coordinate": [3, 4]}}, {"coordinate": [3, 4]}, (3, 4)),
        (
            {"type": "drag", "path": [{"x": 1, "y": 1}, {"x": 9, "y": 8}]},
            {"path": [{"x": 1, "y": 1}, {"x": 9, "y": 8}]},
            (9, 8),
        ),
        ({"type": "wait", "keys": None}, {}, None),
        ({"type": "click", "x": True, "y": 2}, {"x": True, "y": 2}, None),
        ({"type": "click", "coordinate": [1]}, {"coordinate": [1]}, None),
    ],
)
def test_parameters_stay_as_they_are_and_give_the_grounding(
    raw: dict[str, Any], params: dict[str, Any], point: tuple[int, int] | None
) -> None:
    action = as_action(raw)
    assert action is not None
    assert action["params"] == params
    assert ("coordinate_space" in action) == (point is not None)
    grounding = grounding_of(action, "model")
    expected = None if point is None else {"x": point[0], "y": point[1]}
    assert (grounding and grounding["coordinates"]) == expected


def test_an_action_keeps_the_space_it_names() -> None:
    action = as_action({"type": "click", "x": 1, "y": 2, "coordinate_space": "device_px"})
    assert action is not None
    assert action["coordinate_space"] == "device_px"


@pytest.mark.parametrize("raw", [{}, {"type": ""}, {"type": 3}, {"params": {"x": 1}}])
def test_what_has_no_type_is_no_action(raw: dict[str, Any]) -> None:
    assert as_action(raw) is None


def test_a_picture_leaves_its_digest_behind(picture: Callable[[int], bytes]) -> None:
    data = picture(1)
    encoded = base64.b64encode(data).decode()
    digest = hashlib.sha256(data).hexdigest()
    both = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": encoded}},
        {"type": "input_image", "image_url": f"data:image/png;base64,{encoded}"},
    ]
    text = str(without_pictures(both))
    assert text.count(f"sha256 {digest}") == 2
    assert encoded not in text


@pytest.mark.parametrize(
    "source", [None, "", "https://x/y.png", {"type": "url"}, {"type": "base64"}]
)
def test_a_picture_that_stands_elsewhere_is_none(source: Any) -> None:
    assert decode_picture(source) is None


@pytest.mark.parametrize(
    "message",
    [
        {"timestamp": "2026-03-01T12:00:00+02:00"},
        {"ts": "2026-03-01T10:00:00Z"},
        {"ts": "2026-03-01T10:00:00"},
        {"created_at": 1772359200},
        {"timestamp": "nonsense", "created_at": 1772359200.0},
    ],
)
def test_times_of_any_form_are_read_as_utc(message: dict[str, Any]) -> None:
    moment = time_in(message)
    assert moment is not None
    assert moment.isoformat() == "2026-03-01T10:00:00+00:00"


def test_a_time_beyond_the_calendar_is_no_time() -> None:
    assert time_in({"created_at": 1e300}) is None
    assert time_in({"created_at": True}) is None


def test_messages_without_a_time_follow_each_other_a_second_apart() -> None:
    clock = LogClock(None)
    assert [clock.advance(None) for _ in range(3)] == [
        "1970-01-01T00:00:00.000Z",
        "1970-01-01T00:00:01.000Z",
        "1970-01-01T00:00:02.000Z",
    ]


def test_any_object_becomes_plain_data() -> None:
    class Holder:
        def __init__(self) -> None:
            self.inner = (Usage(input_tokens=1, output_tokens=2), {"a": object})

    plain = as_plain(Holder())
    assert plain["inner"][0]["input_tokens"] == 1
