"""Where a run is streamed to, and the secret that opens the door (contract/http.md).

The token must reach one place, the Authorization header. Everything else that would show a
value of this type (a repr, a copy into a dict, a pickle, an error message) shows no token.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self
from urllib.parse import SplitResult, unquote, urlsplit

from augur_sdk.errors import RecordError

__all__ = ["DSN", "ENV_DSN", "ENV_REQUIRE_TLS"]

logger: logging.Logger = logging.getLogger("augur_sdk")

ENV_DSN: Final = "AUGUR_DSN"
ENV_REQUIRE_TLS: Final = "AUGUR_REQUIRE_TLS"

_EXPECTED: Final = "https://<host>/api/v1?token=<api_key>&tenant=<slug>"
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")
_HIDDEN: Final = "***"


class _Secret(str):
    """Text that is itself only where it is used as text: its repr and its copies are hidden."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"'{_HIDDEN}'"

    def __deepcopy__(self, memo: dict[int, Any]) -> str:
        # dataclasses.asdict() deep-copies each field; this is what ends up in its result.
        return _HIDDEN

    def __reduce_ex__(self, protocol: object) -> Any:
        return (str, (_HIDDEN,))


@dataclass(frozen=True)
class DSN:
    """A server, a credential and a tenant.

    Attributes:
        base_url: The API's root without a trailing slash, `https://augur.example/api/v1`.
        token: The secret API key. It is left out of the repr, of `dataclasses.asdict` and of
            pickles (which are refused).
        tenant: Informational.
    """

    base_url: str
    token: str = field(repr=False)
    tenant: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "token", _Secret(self.token))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError(
            f"a DSN holds a secret and is not pickled; set {ENV_DSN} in the other process"
        )

    @classmethod
    def parse(cls, raw: str) -> Self:
        """Read `<scheme>://<host>[:port]/api/v1?token=<api_key>&tenant=<slug>`.

        A missing path means `/api/v1`. Token and tenant are percent-decoded; a `+` stays one.

        Raises:
            ValueError: It is not of this form. The message holds nothing of the input.
        """
        try:
            parts = urlsplit(_clean(raw))
            base_url = _base_url(parts)
        except RecordError:
            raise
        except ValueError:
            # The standard library's message can quote the input, and with it the token.
            raise _malformed("its host or port cannot be read") from None
        query = _query(parts.query)
        token = query.get("token", "")
        if not token:
            raise _malformed("it has no token")
        if _UNPRINTABLE.search(token):
            raise _malformed("its token has characters that no HTTP header can carry")
        return cls(base_url=base_url, token=token, tenant=query.get("tenant", ""))

    @classmethod
    def from_env(cls, explicit: str | None = None) -> Self | None:
        """Read `explicit`, or else the AUGUR_DSN variable.

        Nothing there, or an empty text, means no streaming: None. So does a malformed DSN,
        with a warning that does not show it: a typo must not stop an agent.
        """
        raw = os.environ.get(ENV_DSN, "") if explicit is None else explicit
        if not raw or raw.isspace():
            return None
        source = ENV_DSN if explicit is None else "dsn"
        try:
            dsn = cls.parse(raw)
            dsn.check_transport(source)
        except ValueError as error:
            logger.warning("%s is ignored and nothing is streamed: %s", source, error)
            return None
        return dsn

    @property
    def in_clear(self) -> bool:
        """Whether the token and the records travel unencrypted to another machine."""
        parts = urlsplit(self.base_url)
        return parts.scheme == "http" and not _is_loopback(parts.hostname or "")

    def check_transport(self, source: str, env: Mapping[str, str] = os.environ) -> None:
        """Warn once a process and server of an unencrypted way; AUGUR_REQUIRE_TLS=1 refuses it.

        Args:
            source: What named the server, for people.
            env: The environment.

        Raises:
            ValueError: It is in clear, and that is not allowed.
        """
        if not self.in_clear:
            return
        if env.get(ENV_REQUIRE_TLS, "").strip().lower() in {"1", "true", "yes", "on"}:
            raise RecordError(
                f"it names http, and {ENV_REQUIRE_TLS} is set", expected=_EXPECTED, fix="Use https."
            )
        if self.base_url not in _warned:
            _warned.add(self.base_url)
            logger.warning(
                "%s names http://%s: the token and every record travel unencrypted; use https, or "
                "set %s=1 to refuse such a server",
                source,
                urlsplit(self.base_url).hostname,
                ENV_REQUIRE_TLS,
            )


_warned: set[str] = set()
"""Servers that were warned of, one a process: a process may open hundreds of sessions."""


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _malformed(what: str) -> RecordError:
    return RecordError(
        f"the DSN is malformed: {what}",
        expected=_EXPECTED,
        fix="Copy it from the server's settings; percent-encode special characters.",
    )


def _clean(raw: object) -> str:
    if not isinstance(raw, str):
        raise _malformed("it is not text")
    text = raw.strip()
    # urlsplit drops tabs and newlines silently, which would change the token.
    if re.search(r"[\s\x00-\x1f\x7f]", text):
        raise _malformed("it has whitespace in it")
    return text


def _base_url(parts: SplitResult) -> str:
    if parts.scheme not in {"http", "https"}:
        raise _malformed("its scheme is neither http nor https")
    if not parts.hostname:
        raise _malformed("it has no host")
    if "@" in parts.netloc:
        raise _malformed("it has a user part; the token belongs in the query")
    if parts.fragment:
        raise _malformed("it has a fragment; write # as %23")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port is None else f":{parts.port}"
    path = parts.path.rstrip("/") or "/api/v1"
    return f"{parts.scheme}://{host}{port}{path}"


def _query(query: str) -> Mapping[str, str]:
    # Not parse_qsl: it reads a plus sign as a blank, and tokens are often base64.
    pairs = (part.partition("=") for part in query.split("&"))
    return {unquote(name): unquote(value) for name, _, value in pairs}
