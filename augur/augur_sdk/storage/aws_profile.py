"""AWS credentials from the shared files, which obstore does not read by itself.

With boto3 installed its whole chain is used (SSO, assumed roles, processes); without it, the keys
that stand in the credentials file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from augur_sdk.errors import RecordError

__all__ = ["credential_provider", "static_keys"]

_TAKES_PRECEDENCE: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
"""Where one of these is set, obstore finds the credentials itself."""


def credential_provider(
    environ: Mapping[str, str], profile: str | None
) -> Callable[[], Any] | None:
    """What asks a profile for credentials; None where obstore's own chain is to be used.

    Raises:
        RecordError: a profile was asked for by name that the shared files do not have.
    """
    if profile is None and any(environ.get(name) for name in _TAKES_PRECEDENCE):
        return None
    name = profile or environ.get("AWS_PROFILE")
    found = None
    if any(path.is_file() for path in _shared_files(environ)):
        found = _from_boto3(name) or _from_file(environ, name or "default")
    if found is None and profile is not None:
        raise RecordError(
            "the AWS profile asked for has no credentials in the shared files",
            expected="a profile with keys, or boto3 installed for SSO and assumed roles",
        )
    return found


def static_keys(environ: Mapping[str, str], profile: str) -> dict[str, str] | None:
    """The keys that stand in the shared credentials file under this profile."""
    import configparser

    parser = configparser.RawConfigParser()
    try:
        parser.read(_shared_files(environ)[0], encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return None
    if not parser.has_option(profile, "aws_access_key_id"):
        return None
    keys = {
        "access_key_id": parser.get(profile, "aws_access_key_id"),
        "secret_access_key": parser.get(profile, "aws_secret_access_key", fallback=""),
        "token": parser.get(profile, "aws_session_token", fallback=""),
    }
    return {key: value for key, value in keys.items() if value}


def _from_file(environ: Mapping[str, str], profile: str) -> Callable[[], Any] | None:
    keys = static_keys(environ, profile)
    return None if keys is None else lambda: {**keys, "expires_at": None}


def _shared_files(environ: Mapping[str, str]) -> tuple[Path, Path]:
    folder = Path("~/.aws")
    credentials = Path(environ.get("AWS_SHARED_CREDENTIALS_FILE") or folder / "credentials")
    config = Path(environ.get("AWS_CONFIG_FILE") or folder / "config")
    return credentials.expanduser(), config.expanduser()


def _from_boto3(profile: str | None) -> Callable[[], Any] | None:
    try:
        boto3, core = import_module("boto3"), import_module("botocore.exceptions")
        provider: Any = import_module("obstore.auth.boto3").Boto3CredentialProvider
    except ImportError:
        return None
    try:
        asks: Callable[[], Any] = provider(boto3.Session(profile_name=profile))
    except (core.BotoCoreError, ValueError):
        return None
    return asks
