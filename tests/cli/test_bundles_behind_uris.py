"""Whatever reads a bundle in a folder reads one behind a URI."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest
from scenarios import files_of, png, step

from augur_sdk import DebugSession
from augur_sdk.comparison import compare_bundles, render_html
from augur_sdk.diagnostics import BundleContext, diagnose
from augur_sdk.storage import ObjectStore, store_from_uri
from augur_sdk.validation import validate_bundle


@pytest.fixture
def uri(augur: Any, bundle: Path, s3_uri: str) -> str:
    """The run of four steps, in S3."""
    assert augur("push", "--store", f"{s3_uri}/1", bundle).code == 0
    return f"{s3_uri}/1"


def store_at(uri: str) -> ObjectStore:
    store = store_from_uri(uri)
    assert isinstance(store, ObjectStore)
    return store


def test_validate_checks_what_is_there(augur: Any, uri: str) -> None:
    said = augur("validate", uri)
    assert (said.code, said.out) == (0, f"{uri}: valid\n")
    store_at(uri).write_bytes("AGENT.md", b"something else")
    assert augur("validate", uri).code == 1


def test_show_tells_the_same_of_both(augur: Any, bundle: Path, uri: str) -> None:
    here, there = augur("show", bundle, "--json").json, augur("show", uri, "--json").json
    assert there == {**here, "bundle": uri}
    assert f"{uri}/AGENT.md" in augur("show", uri).out


def test_diagnose_finds_the_same_and_writes_only_when_it_is_told_to(
    augur: Any, bundle: Path, uri: str
) -> None:
    here = augur("diagnose", bundle, "--json", "--no-write").json
    there = augur("diagnose", uri, "--json").json
    assert there == {**here, "bundle": uri}
    assert not store_at(uri).exists("diagnostics/findings.json")
    assert augur("diagnose", uri, "--write").code == 0
    assert store_at(uri).exists("diagnostics/findings.json")
    assert augur("validate", uri).code == 0


def test_diff_takes_a_uri_on_either_side(augur: Any, bundle: Path, uri: str) -> None:
    said = augur("diff", uri, bundle, "--json")
    assert (said.code, said.json["same"]) == (0, True)
    assert said.json["a"]["bundle_dir"] == uri
    page = bundle.parent / "page.html"
    assert augur("diff", bundle, uri, "--html", page).code == 0
    assert uri in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["validate", "show", "diagnose"])
def test_a_place_without_a_bundle_ends_with_2_and_one_line(
    augur: Any, uri: str, command: str
) -> None:
    said = augur(command, f"{uri}-absent")
    assert (said.code, said.err.count("\n")) == (2, 1)
    store_at(uri).remove("manifest.json")
    said = augur(command, uri)
    assert said.code == 2
    assert "not all of one" in said.err


def test_the_functions_take_uris_too(bundle: Path, uri: str) -> None:
    assert validate_bundle(uri) == []
    assert diagnose(uri) == diagnose(bundle)
    [issue] = validate_bundle(f"{uri}-absent")
    assert issue.where == f"{uri}-absent"
    context = BundleContext(uri)
    copy = context.bundle_dir
    assert files_of(copy) == files_of(bundle)
    assert context.manifest["run_id"] == "checkout-7"
    del context
    gc.collect()
    assert not copy.exists()


def test_a_page_of_runs_behind_uris_has_their_pictures(
    augur: Any, tmp_path: Path, s3_uri: str
) -> None:
    uris = []
    for name, seed in (("a", 1), ("b", 2)):
        folder = tmp_path / name
        with DebugSession(
            run_id=name, client_name="c", out_dir=folder, capture_mode="full"
        ) as session:
            path = session.attach_observation(step_index=0, kind="pre", png_bytes=png(seed))
            action: Any = {"type": "click" if seed == 1 else "type", "params": {}}
            session.record_step(step(0, observation_pre=path, action=action))
        uris.append(f"{s3_uri}/{name}")
        assert augur("push", "--store", uris[-1], folder).code == 0
    comparison = compare_bundles(*uris)
    gc.collect()
    page = render_html(comparison)
    assert page.count("data:image/") == 2
    assert all(uri in page for uri in uris)
