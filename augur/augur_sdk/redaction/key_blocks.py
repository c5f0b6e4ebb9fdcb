"""Private keys, signed tokens and URLs that carry credentials."""

from __future__ import annotations

import re
from typing import Final

from augur_sdk.redaction.anchors import Anchor, literals
from augur_sdk.redaction.markers import MARKER_HEAD
from augur_sdk.redaction.rule import Rule, pattern_rule, starts_word

__all__ = ["BLOCK_RULES"]

_USER_INFO: Final = 256
"""The longest user name or password in a URL that is looked for."""


def _has_credentials(match: re.Match[str]) -> bool:
    secret = match["secret"]
    return not secret.startswith(MARKER_HEAD) and not _is_placeholder(secret)


def _is_placeholder(text: str) -> bool:
    return text in {"***", "****", "*****", "password", "pass", "PASSWORD"} or text[:1] in "<{$["


_PRIVATE_KEY: Final = pattern_rule(
    "private_key",
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[^-]|-(?!----(?:BEGIN|END)))*+"
    r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?",
    anchors=(Anchor("-----BEGIN ", "[A-Z0-9 ]*PRIVATE KEY"),),
)

_PUTTY_KEY: Final = pattern_rule(
    "private_key:putty",
    r"Private-Lines: \d{1,3}(?P<secret>(?:\s|\\[rn])++(?:[A-Za-z0-9+/=]|\s|\\[rn])++)",
    kind="private_key",
    anchors=literals("Private-Lines: "),
)

_JWT: Final = pattern_rule(
    "jwt",
    rf"eyJ{starts_word('eyJ')}[\w-]{{6,}}+={{0,2}}(?:\.|%2[eE])[\w-]{{4,}}+={{0,2}}"
    r"(?:(?:\.|%2[eE])[\w-]*+={0,2}){0,3}+",
    anchors=(Anchor("eyJ", r"[\w-]+=*(?:\.|%2e)[\w-]{4}"),),
)

_URL_CREDENTIALS: Final = pattern_rule(
    "url_credentials",
    rf"://[^\s/?#:@\"'<>\\]{{0,{_USER_INFO}}}+(?::|%3[aA])"
    rf"(?P<secret>[^\s/?#\"'<>\\]{{1,{_USER_INFO}}})@",
    anchors=(Anchor("://", r"[^\s/?#\"@]*@"), Anchor("://", r"[^\s/?#\"]*:[^\s/?#\"]*@")),
    accept=_has_credentials,
)

_URL_TOKEN: Final = pattern_rule(
    "url_credentials:token",
    r"://(?P<secret>(?=[^\s/?#:@]{0,64}\d)[A-Za-z0-9_.~-]{16,256}+)@",
    kind="url_credentials",
    anchors=(Anchor("://", r"[a-z0-9_.~-]{16}"),),
)

BLOCK_RULES: Final[tuple[Rule, ...]] = (
    _PRIVATE_KEY,
    _PUTTY_KEY,
    _JWT,
    _URL_CREDENTIALS,
    _URL_TOKEN,
)
