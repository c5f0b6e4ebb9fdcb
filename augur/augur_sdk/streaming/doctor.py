"""Why nothing shows up: each check is a pure function of what was found, in plain words.

`examine` finds out: it asks the server once, with a heartbeat, which changes nothing there.
No text holds the token.
"""

from __future__ import annotations

import os
import platform
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from augur_sdk._version import __version__
from augur_sdk.capture import CAPTURE_MODE_VARIABLE, CaptureMode, resolve_capture_mode
from augur_sdk.streaming.dsn import DSN, ENV_DSN, ENV_REQUIRE_TLS
from augur_sdk.streaming.outcome import Answer, Failure, Outcome, Trouble
from augur_sdk.streaming.tls import CA_VARIABLES, ENV_CERT, ENV_KEY
from augur_sdk.streaming.transport import Call, Transport

__all__ = [
    "Check",
    "check_capture_mode",
    "check_clock",
    "check_credential",
    "check_disk",
    "check_dsn",
    "check_proxy",
    "check_redaction",
    "check_server",
    "check_versions",
    "examine",
]

CLOCK_TOLERANCE: Final = 60.0
"""Seconds; more than that and a viewer sorts this machine's records to the wrong place."""

DISK_TOLERANCE: Final = 512 * 1024 * 1024
"""Bytes; a long run with screenshots needs more than that."""

PACKAGES: Final = ("anyio", "httpx", "aiofiles", "pydantic", "orjson", "pillow")

_ADVICE: Final = {
    Trouble.UNREACHABLE: "Check the host and port in the DSN, and that the server is up.",
    Trouble.TIMED_OUT: "A firewall may swallow the connection, or the server is overloaded.",
    Trouble.BROKEN: "Something else than the server may listen there; check the port and scheme.",
    Trouble.TLS: f"Name a private authority in {', '.join(CA_VARIABLES)}; a client certificate "
    f"goes in {ENV_CERT} and {ENV_KEY}.",
    Trouble.PROXY: "The proxy refused; check HTTPS_PROXY and NO_PROXY.",
    Trouble.MISCONFIGURED: f"A proxy variable or {ENV_CERT} holds something that cannot be used.",
}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: `advice` says what to do when it is not `ok`."""

    name: str
    ok: bool
    detail: str
    advice: str = ""


def check_dsn(raw: str | None) -> Check:
    """Whether there is a DSN, and it can be read."""
    if raw is None or not raw.strip():
        return Check(
            "dsn",
            ok=False,
            detail="no DSN is set, so nothing is streamed; the bundle is still written",
            advice=f"Set {ENV_DSN}, or pass dsn=.",
        )
    try:
        dsn = DSN.parse(raw)
    except ValueError as error:
        return Check("dsn", ok=False, detail=str(error), advice=f"Correct {ENV_DSN} or dsn=.")
    if dsn.in_clear:
        return Check(
            "dsn",
            ok=False,
            detail=f"{dsn.base_url}: the token and every record travel unencrypted",
            advice=f"Use https. {ENV_REQUIRE_TLS}=1 refuses such a server.",
        )
    return Check("dsn", ok=True, detail=f"{dsn.base_url}, tenant {dsn.tenant or 'not named'}")


def check_server(outcome: Outcome) -> Check:
    """Whether the server answers as this API does."""
    if isinstance(outcome, Failure):
        advice = _ADVICE.get(outcome.trouble, "Try again; turn on debug logging for more.")
        return Check("server", ok=False, detail=f"no answer: {outcome.trouble}", advice=advice)
    if outcome.status in {404, 405} or 300 <= outcome.status < 400:
        return Check(
            "server",
            ok=False,
            detail=f"answered {outcome.status} where a heartbeat is taken",
            advice="The path in the DSN should end in /api/v1; redirects are not followed.",
        )
    if outcome.status >= 500 or outcome.status == 429:
        return Check(
            "server",
            ok=False,
            detail=f"answered {outcome.status}",
            advice="The server is in trouble; records wait on disk and are sent when it is well.",
        )
    return Check("server", ok=True, detail=f"answered {outcome.status}")


def check_credential(outcome: Outcome) -> Check:
    """Whether the server takes the token."""
    if isinstance(outcome, Failure):
        return Check("credential", ok=False, detail="not known: the server did not answer")
    if outcome.status in {401, 403}:
        return Check(
            "credential",
            ok=False,
            detail=f"the server refused the token ({outcome.status})",
            advice="Copy the DSN from the server's settings again; the key may be revoked.",
        )
    return Check("credential", ok=True, detail="not refused")


def check_clock(outcome: Outcome, now: datetime) -> Check:
    """Whether this machine's clock and the server's agree."""
    theirs = _date(outcome.date) if isinstance(outcome, Answer) else None
    if theirs is None:
        return Check("clock", ok=True, detail="not compared: the server sent no date")
    skew = (now - theirs).total_seconds()
    if abs(skew) <= CLOCK_TOLERANCE:
        return Check("clock", ok=True, detail=f"within {CLOCK_TOLERANCE:.0f} s of the server's")
    direction = "ahead of" if skew > 0 else "behind"
    return Check(
        "clock",
        ok=False,
        detail=f"{abs(skew):.0f} s {direction} the server's",
        advice="Turn on time synchronisation; records show up at the wrong time until then.",
    )


def _date(text: str) -> datetime | None:
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def check_proxy(base_url: str, proxies: Mapping[str, str], *, bypassed: bool) -> Check:
    """Which proxy stands between, if any.

    Args:
        base_url: The server's.
        proxies: By scheme, as the environment says.
        bypassed: Whether the environment excepts the host.
    """
    proxy = proxies.get(urlsplit(base_url).scheme) or proxies.get("all")
    if proxy is None or bypassed:
        return Check("proxy", ok=True, detail="none")
    host = urlsplit(proxy).hostname
    if host is None:
        return Check(
            "proxy",
            ok=False,
            detail="the environment names a proxy that cannot be read",
            advice="Write it as http://host:port.",
        )
    return Check("proxy", ok=True, detail=f"through {host}")


def check_disk(folder: Path, *, writable: bool, free: int) -> Check:
    """Whether bundles can be written."""
    if not writable:
        return Check(
            "disk",
            ok=False,
            detail=f"{folder} cannot be written",
            advice="Choose another out_dir, or change its permissions.",
        )
    mebibytes = free // (1024 * 1024)
    if free < DISK_TOLERANCE:
        return Check(
            "disk",
            ok=False,
            detail=f"{mebibytes} MiB free for {folder}",
            advice="Make room; when the disk is full records are dropped and counted.",
        )
    return Check("disk", ok=True, detail=f"{mebibytes} MiB free for {folder}")


def check_versions(found: Mapping[str, str | None]) -> Check:
    """Which versions are installed; None stands for a package that is not."""
    missing = [name for name, number in found.items() if number is None]
    detail = ", ".join(f"{name} {number}" for name, number in found.items() if number)
    if missing:
        advice = "Install augur-sdk again with its dependencies."
        return Check("versions", ok=False, detail=f"missing: {', '.join(missing)}", advice=advice)
    return Check("versions", ok=True, detail=detail)


def check_capture_mode(mode: CaptureMode | str | None, env: Mapping[str, str]) -> Check:
    """Whether the capture mode keeps anything."""
    try:
        resolved = resolve_capture_mode(mode, env=env)
    except ValueError as error:
        return Check(
            "capture mode", ok=False, detail=str(error), advice=f"Correct {CAPTURE_MODE_VARIABLE}."
        )
    if resolved is CaptureMode.OFF:
        return Check(
            "capture mode",
            ok=False,
            detail="off: no steps, events or images are kept or sent",
            advice=f"Pass capture_mode='screenshots', or set {CAPTURE_MODE_VARIABLE}.",
        )
    pictures = "with" if resolved >= CaptureMode.SCREENSHOTS else "without"
    return Check("capture mode", ok=True, detail=f"{resolved.value}, {pictures} screenshots")


def check_redaction(policy_id: str, probe: bytes, redacted: bytes) -> Check:
    """Whether the policy hides what it was shown.

    Args:
        policy_id: The policy's id.
        probe: A made-up secret.
        redacted: What the policy made of a record with it.
    """
    if probe in redacted:
        return Check(
            "redaction",
            ok=False,
            detail=f"policy {policy_id} let a made-up API key through",
            advice="Derive from DefaultRedactionPolicy instead of replacing it.",
        )
    return Check("redaction", ok=True, detail=f"policy {policy_id} hides a made-up API key")


async def examine(
    *,
    dsn: str | None = None,
    out_dir: Path | None = None,
    capture_mode: CaptureMode | str | None = None,
    policy: Any = None,
    env: Mapping[str, str] | None = None,
) -> list[Check]:
    """Look at everything, in the order in which to repair it.

    Args:
        dsn: The DSN; AUGUR_DSN unless given.
        out_dir: Where bundles go; the working directory unless given.
        capture_mode: As it would be passed to a session.
        policy: The redaction policy; the default one unless given.
        env: The environment; the process's own unless given.
    """
    env = os.environ if env is None else env
    raw = env.get(ENV_DSN) if dsn is None else dsn
    dsn_check = check_dsn(raw)
    checks = [check_versions(_installed()), _disk(out_dir or Path.cwd())]
    checks += [check_capture_mode(capture_mode, env), _redaction(policy), dsn_check]
    if dsn_check.ok and raw is not None:
        checks += await _ask(DSN.parse(raw))
    return checks


async def _ask(dsn: DSN) -> list[Check]:
    import urllib.request

    host = urlsplit(dsn.base_url).hostname or ""
    proxies = urllib.request.getproxies()
    bypassed = bool(urllib.request.proxy_bypass(host))
    beat = {
        "client_id": f"doctor-{uuid.uuid4().hex[:12]}",
        "client_name": "augur-doctor",
        "client_version": __version__,
        "capture_mode": "off",
    }
    async with Transport(dsn, sockets=1) as transport:
        outcome = await transport.exchange(Call("POST", "/heartbeat", orjson.dumps(beat)))
    return [
        check_proxy(dsn.base_url, proxies, bypassed=bypassed),
        check_server(outcome),
        check_credential(outcome),
        check_clock(outcome, datetime.now(UTC)),
    ]


def _installed() -> dict[str, str | None]:
    found: dict[str, str | None] = {"augur-sdk": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def _disk(folder: Path) -> Check:
    there = next((p for p in (folder, *folder.absolute().parents) if p.exists()), folder)
    try:
        free = shutil.disk_usage(there).free
    except OSError:
        free = 0
    return check_disk(folder, writable=os.access(there, os.W_OK | os.X_OK), free=free)


_PROBE: Final = b"sk-proj-" + b"q7Zp3Lw9Xv2Tb5Ny8Kc4" * 2
"""Looks like a key and opens nothing."""


def _redaction(policy: Any) -> Check:
    from augur_sdk.redaction import DefaultRedactionPolicy, RedactionDoor

    policy = DefaultRedactionPolicy() if policy is None else policy
    record = orjson.dumps({"summary": f"the key is {_PROBE.decode()}"})
    return check_redaction(policy.id, _PROBE, RedactionDoor(policy).record("event", record))
