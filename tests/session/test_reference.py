"""The public surface against the reference, argument by argument, default by default."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest

import augur_sdk
from augur_sdk import AsyncDebugSession, DebugSession

REFERENCE = """
def record_step(self, step): ...
def record_event(self, event): ...
def attach_observation(self, *, step_index, kind, png_bytes): ...
def set_status(self, status): ...
def add_tag(self, key, value): ...
def set_live_endpoints(self, *, status_url=None, video_url=None, reasoning_url=None): ...
def close(self, status=None): ...
def set_capture_mode(self, mode): ...
def append_log(self, text, *, step_index=None, name="run"): ...
def attach_verifier(
    self, step_index, *, status, reason=None, check=None, expected=None, actual=None,
    evidence_refs=None,
): ...
def set_costs(
    self, *, total_usd=None, model_usd=None, gpu_usd=None, proxy_usd=None, tokens_in=None,
    tokens_out=None, cache_hit_tokens=None,
): ...
def set_step_costs(
    self, step_index, *, total_usd=None, model_usd=None, tokens_in=None, tokens_out=None,
    cache_hit_tokens=None,
): ...
def set_score(self, step_index, score, *, comparator=None, components=None): ...
def record_modelio(self, record, *, step_index=None, layer=None, validate=True): ...
def set_step_versions(
    self, step_index, *, model=None, prompt=None, prompt_hash=None, tool_descriptions_hash=None,
    code_git_sha=None, grounder=None, env_fingerprint_ref=None,
): ...
def attach_env_fingerprint(
    self, step_index, *, url_host=None, url_path_template=None, viewport_hash=None,
    dom_hash=None, api_shapes=None, extensions=None,
): ...
def record_judge_decision(
    self, step_index, *, judge_id, judge_type, verdict, confidence=None, evidence_refs=None,
    judged_at=None, promote=True,
): ...
def mark_for_eval(self, step_index, reason, *, candidate_cluster_id=None): ...
def finalize_outcome(
    self, *, scope="session", step_index=None, verdict=None, task_class=None, cost_summary=None,
): ...
def successful_task_cost_summary(self): ...
def record_reasoning(
    self, step_index, text, *, tokens=None, format="adapter_inferred", model=None, ts=None,
): ...
def declare_side_effect(
    self, step_index, resource, action, *, idempotency_key=None, reversibility="irreversible",
    compensation_handle=None, provenance="sdk_declared", side_effect_id=None,
): ...
def commit_side_effect(self, side_effect_id, observed_result=None): ...
def mark_side_effect_aborted(self, side_effect_id, reason): ...
def abort_pending_side_effects(self, reason): ...
def branch_from(
    *, parent_run_id, branch_point_step_index, mutated_axis, mutation, client_name, out_dir,
    mode="auto", parent_bundle=None, branch_id=None, run_id=None, **session_kwargs,
): ...
def record_step_iteration(self, step_id_or_index, iteration): ...
def flush(self, timeout=None, delivered=False): ...
def announce_step(self, step_index, sensitive=False): ...
def record_subgoal_completion(self, step_index, subgoal_id, completion): ...
def set_task_spec(self, spec): ...
def set_task_spec_id(self, task_spec_id): ...
def set_group_id(self, group_id): ...
def open_orchestrator(
    run_id, client_name, out_dir, session_name=None, tenant_id=None, tags=None, **kwargs,
): ...
def bind_intervention(self, adapter, *, poll_timeout=25.0): ...
def __init__(
    self, *, run_id, client_name, out_dir, client_version=None, client_git_sha=None,
    capture_mode=None, debug_session_id=None, redaction_policy=None, store=None, tags=None,
    started_at=None, dsn=None,
): ...
"""

ADDED = """
def attach_observation(
    self, *, coordinate_space="screenshot_px", viewport=None, device_scale_factor=None, url=None,
    title=None, scroll=None, mask=None,
): ...
def set_score(self, *, should_stop=None, uncertainty=None): ...
def record_modelio(self, *, dedupe=True): ...
def declare_side_effect(self, *, declared_at=None): ...
def commit_side_effect(self, *, committed_at=None): ...
def mark_side_effect_aborted(self, *, aborted_at=None): ...
def set_loop_detected(self, step_index, value=True): ...
def save_replay_fixture(
    self, step_index, *, mode="observation_replay", task=None, expected=None,
    acceptable_regions=None, region_radius=24, fixture_id=None,
): ...
def step(self, step_type, **fields): ...
def close(self, *, ended_at=None): ...
def checkpoint(self): ...
def register_secret(self, value, name=None): ...
def gate(
    self, action, *, reversibility="irreversible", step_index=None, key=None, policy=None,
): ...
def __init__(
    self, *, branch_context=None, capture_logprobs=False, task_spec=None, task_spec_id=None,
    group_id=None, strict=None, durable=False, flush_timeout=5.0, enforce_capture_mode=None,
    screenshot_redactor=None, redaction_report=False, perceptual_hashes=True, fingerprint="cua_v1",
    auto_detect_loops=False, live=None,
): ...
"""
"""What behaves as contract/behaviour.md says beside the reference: always optional."""

ATTRIBUTES = [
    "run_id",
    "debug_session_id",
    "capture_mode",
    "redaction_policy",
    "manifest",
    "store",
    "out_dir",
    "branch_mode",
    "is_orchestrator",
    "capture_logprobs",
    "stats",
]

EXPORTED = [
    "DebugSession",
    "AsyncDebugSession",
    "CaptureMode",
    "resolve_capture_mode",
    "RedactionPolicy",
    "DefaultRedactionPolicy",
    "DEFAULT_POLICY_ID",
    "LocalFSStore",
    "S3Store",
    "Store",
    "Adapter",
    "ModelApiAdapterBase",
    "ScoreComponents",
    "CANONICAL_SCORE_COMPONENTS",
    "ORCHESTRATOR_TAG_KEY",
    "ORCHESTRATOR_TAG_VALUE",
    "SUPPORTED_SCHEMA_RANGE",
    "__version__",
    "Action",
    "BranchContext",
    "BundleManifest",
    "BundleTrace",
    "CapturedVersions",
    "DebugSessionRecord",
    "DecisionEvent",
    "DiagnosticFinding",
    "EnvFingerprint",
    "Grounding",
    "JudgeDecision",
    "Observation",
    "RecoveryDecision",
    "ReplayFixture",
    "SideEffect",
    "StepTrace",
    "Subgoal",
    "SubgoalCompletion",
    "SuccessCondition",
    "TaskSpec",
    "Verdict",
]

MODULES = {
    "augur_sdk.models": """
        DebugSession StepTrace Observation DecisionEvent ReplayFixture DiagnosticFinding
        BundleManifest BundleTrace CoordinateSpace Provenance StepStatus VerdictStatus RunStatus
        RecoveryType DecisionLayer DecisionKind BranchContext
    """,
    "augur_sdk.redaction": "DEFAULT_POLICY_ID RedactionPolicy DefaultRedactionPolicy",
    "augur_sdk.storage": "Store LocalFSStore S3Store",
    "augur_sdk.validation": "ValidationIssue validate_bundle",
    "augur_sdk.adapter": "Adapter",
    "augur_sdk.capture": "CaptureMode resolve_capture_mode",
    "augur_sdk.streaming": "DSN StreamingSink",
    "augur_sdk.intervention": "InterventionChannel InterventionCommand",
}

Arguments = dict[str, tuple[Any, Any]]


def written(text: str) -> dict[str, Arguments]:
    """Name, kind and default of each argument of each function in a piece of source."""
    empty = inspect.Parameter.empty
    found: dict[str, Arguments] = {}
    for node in ast.parse(text).body:
        assert isinstance(node, ast.FunctionDef)
        spec = node.args
        plain: list[Any] = [empty] * (len(spec.args) - len(spec.defaults))
        plain += [ast.literal_eval(default) for default in spec.defaults]
        arguments: Arguments = {
            arg.arg: (inspect.Parameter.POSITIONAL_OR_KEYWORD, default)
            for arg, default in zip(spec.args, plain, strict=True)
        }
        for arg, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
            value = empty if default is None else ast.literal_eval(default)
            arguments[arg.arg] = (inspect.Parameter.KEYWORD_ONLY, value)
        if spec.kwarg:
            arguments[spec.kwarg.arg] = (inspect.Parameter.VAR_KEYWORD, empty)
        found[node.name] = arguments
    return found


def declared(owner: Any, name: str) -> Arguments:
    signature = inspect.signature(getattr(owner, name))
    return {each.name: (each.kind, each.default) for each in signature.parameters.values()}


IN_REFERENCE = written(REFERENCE)
IN_ADDITION = written(ADDED)
EVERY_METHOD = sorted(IN_REFERENCE.keys() | IN_ADDITION.keys())
BOTH = pytest.mark.parametrize("owner", [DebugSession, AsyncDebugSession])


@BOTH
@pytest.mark.parametrize("name", EVERY_METHOD)
def test_a_method_has_the_arguments_of_the_reference_and_no_unknown_ones(
    owner: Any, name: str
) -> None:
    assert declared(owner, name) == {**IN_REFERENCE.get(name, {}), **IN_ADDITION.get(name, {})}


@pytest.mark.parametrize("name", sorted(IN_REFERENCE))
def test_the_arguments_of_the_reference_stand_in_its_order(name: str) -> None:
    ours = [each for each in declared(DebugSession, name) if each in IN_REFERENCE[name]]
    assert ours == list(IN_REFERENCE[name])


@pytest.mark.parametrize("name", EVERY_METHOD)
def test_both_classes_have_one_signature_and_one_docstring(name: str) -> None:
    assert declared(DebugSession, name) == declared(AsyncDebugSession, name)
    if name != "step":
        ours, theirs = (getattr(owner, name).__doc__ for owner in (DebugSession, AsyncDebugSession))
        assert ours == theirs
    assert inspect.getdoc(getattr(DebugSession, name))


def test_every_public_method_is_in_one_of_the_two_lists() -> None:
    for owner in (DebugSession, AsyncDebugSession):
        public = {
            name for name, value in inspect.getmembers(owner, callable) if not name.startswith("_")
        }
        # A scope that a kill cancels makes sense on an event loop only.
        assert (public | {"__init__"}) - {"killable"} == set(EVERY_METHOD)


NEVER_AWAITED = {
    "__init__",
    "step",
    "branch_from",
    "open_orchestrator",
    "bind_intervention",
    "register_secret",
}


@pytest.mark.parametrize("name", [name for name in EVERY_METHOD if name not in NEVER_AWAITED])
def test_methods_are_awaited_on_the_async_class_only(name: str) -> None:
    assert inspect.iscoroutinefunction(getattr(AsyncDebugSession, name))
    assert not inspect.iscoroutinefunction(getattr(DebugSession, name))


@BOTH
def test_the_attributes_can_be_read_before_the_session_is_opened(
    owner: Any, tmp_path: Path
) -> None:
    session = owner(run_id="r", client_name="c", out_dir=tmp_path / "b", capture_mode="trace")
    values = {name: getattr(session, name) for name in ATTRIBUTES}
    assert values["run_id"] == "r"
    assert values["manifest"] is None
    assert values["branch_mode"] is None
    assert values["is_orchestrator"] is False
    assert values["capture_logprobs"] is False
    assert values["out_dir"] == tmp_path / "b"
    assert values["capture_mode"] is augur_sdk.CaptureMode.TRACE
    assert values["redaction_policy"].id == augur_sdk.DEFAULT_POLICY_ID
    assert isinstance(values["store"], augur_sdk.LocalFSStore)
    assert len(values["debug_session_id"]) == len("dbg_") + 12
    for name in ATTRIBUTES:
        with pytest.raises(AttributeError):
            setattr(session, name, None)


@pytest.mark.parametrize("name", EXPORTED)
def test_every_documented_name_is_exported_at_the_top(name: str) -> None:
    assert getattr(augur_sdk, name) is not None
    assert name in augur_sdk.__all__
    assert name in dir(augur_sdk)


@pytest.mark.parametrize("module", MODULES)
def test_every_documented_module_has_its_names(module: str) -> None:
    found = importlib.import_module(module)
    assert [name for name in MODULES[module].split() if not hasattr(found, name)] == []


def test_all_is_what_can_be_imported() -> None:
    assert [name for name in augur_sdk.__all__ if not hasattr(augur_sdk, name)] == []
    assert len(set(augur_sdk.__all__)) == len(augur_sdk.__all__)
    with pytest.raises(AttributeError, match="no attribute"):
        _ = augur_sdk.nothing_of_this_name  # type: ignore[attr-defined]  # the subject of the test


def test_the_canonical_score_components_are_those_of_the_records_page() -> None:
    assert {
        "progress",
        "action_quality",
        "process_quality",
        "safety_risk",
        "loopiness",
        "verifier_confidence",
        "grounding_accuracy",
    } == augur_sdk.CANONICAL_SCORE_COMPONENTS
    assert augur_sdk.ScoreComponents.SAFETY_RISK == "safety_risk"
