from __future__ import annotations

import copy
import dataclasses
import logging
import pickle
import traceback

import pytest

from augur_sdk.streaming import DSN

CANARY = "canary-7f3a9c"


@pytest.mark.parametrize(
    ("raw", "base_url", "token", "tenant"),
    [
        ("https://a.example/api/v1?token=t&tenant=x", "https://a.example/api/v1", "t", "x"),
        ("https://a.example/api/v1/?token=t&tenant=x", "https://a.example/api/v1", "t", "x"),
        ("https://a.example?token=t&tenant=x", "https://a.example/api/v1", "t", "x"),
        ("https://a.example/?token=t", "https://a.example/api/v1", "t", ""),
        ("https://a.example/augur/api/v1?token=t", "https://a.example/augur/api/v1", "t", ""),
        ("http://127.0.0.1:8080/api/v1?token=t", "http://127.0.0.1:8080/api/v1", "t", ""),
        ("http://[::1]:8080/api/v1?token=t", "http://[::1]:8080/api/v1", "t", ""),
        ("http://[2001:DB8::1]/api/v1?token=t", "http://[2001:db8::1]/api/v1", "t", ""),
        ("HTTPS://A.example/api/v1?token=t", "https://a.example/api/v1", "t", ""),
        ("  https://a.example/api/v1?token=t\n", "https://a.example/api/v1", "t", ""),
        ("https://a.example/api/v1?tenant=x&token=t", "https://a.example/api/v1", "t", "x"),
        ("https://a.example/api/v1?token=a%2Fb%3D%23", "https://a.example/api/v1", "a/b=#", ""),
        ("https://a.example/api/v1?token=a+b==", "https://a.example/api/v1", "a+b==", ""),
        (
            "https://a.example/api/v1?token=t&tenant=caf%C3%A9",
            "https://a.example/api/v1",
            "t",
            "café",
        ),
    ],
)
def test_a_dsn_is_read(raw: str, base_url: str, token: str, tenant: str) -> None:
    dsn = DSN.parse(raw)
    assert (dsn.base_url, dsn.token, dsn.tenant) == (base_url, token, tenant)


MALFORMED = [
    f"a.example/api/v1?token={CANARY}",
    f"ftp://a.example/api/v1?token={CANARY}",
    f"https:///api/v1?token={CANARY}",
    f"https://a.example:port{CANARY}/api/v1?token={CANARY}",
    f"https://a.example:99999/api/v1?token={CANARY}",
    f"https://[::1/api/v1?token={CANARY}",
    f"https://user:{CANARY}@a.example/api/v1?token={CANARY}",
    f"https://a.example/api/v1?token={CANARY}#rest",
    f"https://a.example/api/v1?token={CANARY}%0D%0AX-Evil: 1",
    f"https://a.example/api/v1?token={CANARY}%0d%0ax",
    f"https://a.example/api/v1?token={CANARY}%20x",
    f"https://a.example/api/v1?token={CANARY}\nx",
    f"https://a.example/api/v1?token={CANARY}%C3%A9",
    f"https://a.example/api/v1?api_key={CANARY}",
    "https://a.example/api/v1?token=&tenant=x",
    CANARY,
]


@pytest.mark.parametrize("raw", MALFORMED)
def test_a_malformed_dsn_is_refused_without_being_shown(raw: str) -> None:
    with pytest.raises(ValueError, match="malformed") as caught:
        DSN.parse(raw)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("raw", MALFORMED)
def test_a_malformed_variable_means_no_streaming_and_a_warning(
    raw: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AUGUR_DSN", raw)
    with caplog.at_level(logging.DEBUG):
        assert DSN.from_env() is None
    assert "AUGUR_DSN is ignored" in caplog.text
    assert CANARY not in caplog.text


@pytest.mark.parametrize("raw", ["", "   ", None])
def test_an_empty_variable_means_no_streaming_and_no_warning(
    raw: str | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("AUGUR_DSN", raising=False)
    if raw is not None:
        monkeypatch.setenv("AUGUR_DSN", raw)
    assert DSN.from_env() is None
    assert caplog.text == ""


def test_an_explicit_dsn_comes_before_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGUR_DSN", "https://env.example/api/v1?token=t")
    dsn = DSN.from_env("https://arg.example/api/v1?token=t")
    assert dsn is not None
    assert dsn.base_url == "https://arg.example/api/v1"


def test_an_explicit_empty_dsn_turns_streaming_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGUR_DSN", "https://env.example/api/v1?token=t")
    assert DSN.from_env("") is None


def test_the_token_is_in_no_view_of_the_dsn() -> None:
    dsn = DSN.parse(f"https://a.example/api/v1?token={CANARY}&tenant=x")
    views = [
        repr(dsn),
        str(dsn),
        f"{dsn}",
        repr(vars(dsn)),
        repr(dsn.token),
        repr(dataclasses.asdict(dsn)),
        str(dataclasses.asdict(dsn)["token"]),
        repr(dataclasses.astuple(dsn)),
    ]
    assert not [view for view in views if CANARY in view]
    assert pickle.dumps(dsn.token).find(CANARY.encode()) == -1


def test_a_dsn_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="AUGUR_DSN"):
        pickle.dumps(DSN("https://a.example/api/v1", CANARY, "x"))


def test_a_copy_keeps_the_token() -> None:
    dsn = DSN("https://a.example/api/v1", CANARY, "x")
    assert copy.deepcopy(dsn).token == CANARY
    assert copy.copy(dsn).token == CANARY
    assert dataclasses.replace(dsn, tenant="y").token == CANARY


def test_an_unencrypted_way_to_another_machine_is_said_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AUGUR_REQUIRE_TLS", raising=False)
    raw = "http://augur.example.test/api/v1?token=s3cret-token"
    assert DSN.from_env(raw) is not None
    assert DSN.from_env(raw) is not None
    assert caplog.text.count("travel unencrypted") == 1
    assert "s3cret-token" not in caplog.text


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:99"])
def test_loopback_and_https_need_no_warning(host: str, caplog: pytest.LogCaptureFixture) -> None:
    assert DSN.from_env(f"http://{host}/api/v1?token=t") is not None
    assert DSN.from_env("https://augur.example/api/v1?token=t") is not None
    assert not caplog.records


def test_required_tls_refuses_an_unencrypted_way(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUGUR_REQUIRE_TLS", "1")
    assert DSN.from_env("http://augur.example/api/v1?token=t") is None
    assert "AUGUR_REQUIRE_TLS" in caplog.text
    assert DSN.from_env("http://127.0.0.1/api/v1?token=t") is not None
