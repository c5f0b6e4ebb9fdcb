"""Values that are part of the format itself: closed choices, stamps, hashes, bundle paths.

They hold no secret, whatever a redactor thinks, and a record without them cannot be read. They
can also not be registered as secrets: masking them would mask every record.
"""

from __future__ import annotations

import re
from typing import Any, Final

__all__ = ["IDENTIFIERS", "REQUIRED", "STRUCTURAL", "is_structural_value", "is_vocabulary", "words"]


def words(text: str) -> frozenset[str]:
    """The words of a text, for writing a long list of them legibly."""
    return frozenset(text.split())


_CHOICES: Final = words(
    "off metadata trace screenshots video model_io dispatch replay full viewport_css_px device_px "
    "screenshot_px dom_client_rect screenshot dom human_override replay_candidate diagnostic "
    "pending running succeeded failed skipped recovered cancelled halted passed recoverable "
    "unknown verifier model-judge exact-match human retry alternate_grounding skip halt replan "
    "human_handoff none planner grounding model step_recovery routing runner adapter decision "
    "observation error info metric judge rule hybrid prompt action grounder tool_description "
    "irreversible reversible compensated sdk_declared adapter_inferred human_declared intent_only "
    "committed aborted step session claude_extended_thinking openai_reasoning_summary "
    "observation_replay handler_replay model_replay sandbox_replay shadow_replay human-rater "
    "replay-diff a_better b_better tie verifier-derived low medium high critical log event diff "
    "crop image/png image/jpeg image/webp augur-bundle pre post 0.1"
)
_SHAPES: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)|[0-9a-f]{64}|dbg_[0-9a-f]{12}"
    r"|(?:steps|screenshots|crops|diffs|events|logs|replay|diagnostics|modelio|preferences"
    r"|side_effects|schema)/(?:\d{4,8}[/_.-]?)?(?:pre|post|fixture|prior)?(?:\.\w{2,5}){0,2}",
    re.ASCII,
)

IDENTIFIERS: Final = words(
    "step_id run_id debug_session_id side_effect_id fixture_id preference_id parent_run_id "
    "branch_id subgoal_id"
)
"""Ids: what tells records apart must still do so after a redactor failed."""

REQUIRED: Final = words(
    "schema_version step_id step_index step_type status started_at ts layer kind type run_id "
    "debug_session_id capture_mode side_effect_id resource action client name trace steps paths "
    "bundle_format created_at step_count scope finalized_at tagged_at artifact media_type width "
    "height coordinate_space provider provenance x y x1 y1 x2 y2"
)
"""Fields that a record cannot do without: their absence is repaired, their value is not judged."""

STRUCTURAL: Final = REQUIRED | words(
    "ended_at declared_at committed_at aborted_at judged_at observation_pre observation_post "
    "sha256 mutated_axis comparator judge_type format reversibility mode viewport redaction "
    "loop_detected missing duration_ms step_iterations coordinates prompt_hash"
)

_COMMON: Final = words(
    "admin root guest login logout signin submit cancel click button input output enter escape "
    "return delete insert search select option value label title default example sample hello "
    "world yes no true false null undefined string number object array test tests testing user "
    "users username email phone address street country state postal first last name names "
    "password passwords passwd secret secrets token tokens cookie cookies redacted authorization "
    "bearer basic chrome firefox safari windows linux macos android iphone browser window page "
    "https http localhost index home main content header footer image video audio click type "
    "scroll press hover focus wait navigate goto open close screenshot keypress monday tuesday "
    "wednesday thursday friday saturday sunday january february march april june july august "
    "september october november december english client server request response message messages "
    "system assistant developer function success failure warning error errors debug "
    "qwerty abcde abcdef"
)


def is_structural_value(value: Any) -> bool:
    """True if a value is one of the format's own: a number, a choice, a stamp, a hash, a path."""
    if isinstance(value, str):
        return value in _CHOICES or _SHAPES.fullmatch(value) is not None
    return value is None or isinstance(value, (bool, int, float))


def is_vocabulary(word: str) -> bool:
    """True if a word is so common in records that it cannot be told apart as a secret."""
    low = word.lower()
    fields = STRUCTURAL | IDENTIFIERS
    return low in _CHOICES or low in _COMMON or low in fields or bool(_SHAPES.fullmatch(word))
