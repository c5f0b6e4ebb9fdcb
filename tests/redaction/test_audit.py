"""An audit says what today's rules find in a bundle and where, and never shows it."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from augur_sdk.errors import BundleReadError
from augur_sdk.redaction import DefaultRedactionPolicy
from augur_sdk.redaction.audit import Finding, audit_bundle, coverage


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else orjson.dumps(content).decode())


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    write(tmp_path / "manifest.json", {"run_id": "r", "redaction": {"policy_id": "default-pii-v1"}})
    write(
        tmp_path / "steps/0001.json", {"intent": "***REDACTED:email***", "costs": {"tokens_in": 1}}
    )
    write(tmp_path / "screenshots/0001_pre.png", b"\x89PNG\r\n\x1a\n\0 bob@shop.example")
    write(tmp_path / "AGENT.md", "# Run\n\nnothing to see\n")
    return tmp_path


def test_a_clean_bundle_has_no_findings(bundle: Path) -> None:
    assert audit_bundle(bundle) == []


def test_findings_name_file_place_rule_and_count(bundle: Path) -> None:
    write(
        bundle / "steps/0002.json",
        {
            "action": {"params": {"text": "bob@shop.example, eve@shop.example"}},
            "password": "hunter2",
            "token": "abc",
            "list": [0, {"a": "password=hunter2"}],
        },
    )
    write(
        bundle / "events/0002.jsonl",
        '{"a":1}\n{"detail":{"cookie":"a=b"}}\nnot json bob@shop.example\n',
    )
    write(bundle / "logs/run.log", "one\nmail bob@shop.example\npassword: hunter2\n")
    write(bundle / "notes/bob@shop.example.txt", "plain")
    assert audit_bundle(bundle) == [
        Finding("events/0002.jsonl", "line 2 /detail/cookie", "drop"),
        Finding("events/0002.jsonl", "line 3", "email"),
        Finding("logs/run.log", "line 2", "email"),
        Finding("logs/run.log", "line 3", "password_kv"),
        Finding("notes/***REDACTED:email***", "file name", "email"),
        Finding("steps/0002.json", "/action/params/text", "email", 2),
        Finding("steps/0002.json", "/list/1/a", "password_kv"),
        Finding("steps/0002.json", "/password", "drop"),
        Finding("steps/0002.json", "/token", "mask"),
    ]


def test_no_finding_shows_the_secret(bundle: Path) -> None:
    write(bundle / "a.json", {"bob@shop.example": {"x": "hunter2 password=hunter2"}})
    findings = audit_bundle(bundle)
    assert {finding.rule for finding in findings} == {"email", "password_kv"}
    assert "bob@" not in repr(findings)
    assert "hunter2" not in repr(findings)


def test_a_secret_over_several_lines_is_found(bundle: Path) -> None:
    write(
        bundle / "logs/key.log",
        "x\n-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\n",
    )
    assert [finding.rule for finding in audit_bundle(bundle)] == ["private_key"]


def test_another_policy_finds_what_it_would_redact(bundle: Path) -> None:
    policy = DefaultRedactionPolicy()
    policy.add_redactor(lambda text: text.replace("nothing", "..."))
    assert audit_bundle(bundle, policy) == [Finding("AGENT.md", "line 3", "redactor")]


def test_links_are_not_followed_and_a_missing_folder_is_said(bundle: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    write(outside, "bob@shop.example")
    (bundle / "logs").mkdir(exist_ok=True)
    (bundle / "logs" / "link.log").symlink_to(outside)
    assert [finding.path for finding in audit_bundle(bundle)] == ["outside.txt"]
    with pytest.raises(BundleReadError, match="no folder"):
        audit_bundle(tmp_path / "nowhere")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_read(bundle: Path, encoding: str) -> None:
    (bundle / "wide.txt").write_bytes("all well\nkey AKIAQ3EGRJ7LD2XWPTYV\n".encode(encoding))
    assert [(found.path, found.rule) for found in audit_bundle(bundle)] == [("wide.txt", "aws_key")]


def test_escaped_characters_are_read(bundle: Path) -> None:
    escaped = "".join(f"\\u{ord(character):04x}" for character in "AKIAQ3EGRJ7LD2XWPTYV")
    (bundle / "escaped.log").write_text(f"key {escaped}\n")
    assert [found.rule for found in audit_bundle(bundle)] == ["aws_key"]


def test_what_is_binary_counts_as_not_looked_into(bundle: Path) -> None:
    before = coverage(bundle)
    (bundle / "core.bin").write_bytes(bytes(range(256)) * 4)
    after = coverage(bundle)
    assert after.unread_files == before.unread_files + 1
    assert after.unread_bytes == before.unread_bytes + 1024
