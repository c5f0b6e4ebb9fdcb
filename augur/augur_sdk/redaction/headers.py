"""HTTP headers and command lines in running text: authorization and cookies."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from augur_sdk.redaction.anchors import Anchor, pattern
from augur_sdk.redaction.looks import (
    has_digit_or_symbol,
    is_placeholder,
    is_plain_word,
    looks_opaque,
)
from augur_sdk.redaction.rule import Rule, pattern_rule

__all__ = ["HEADER_RULES", "QUOTE", "SEPARATOR", "is_basic_credential"]

QUOTE: Final = r"(?:\\*+[\"'`]|%2[27]|&quot;|&#3[49];)"
"""A quotation mark, escaped any number of times, or encoded for a URL or for HTML."""

SEPARATOR: Final = r"(?:=>|:=|[:=,](?![:=])|%3[aAdD]|\\+u003[ad])"
"""What stands between a header's name and its value, in whatever notation."""

_BETWEEN: Final = rf"{QUOTE}?[ \t]{{0,4}}{SEPARATOR}[ \t]{{0,4}}b?{QUOTE}?[ \t]{{0,4}}"
_TO_LINE_END: Final = r"(?:[^\r\n\"'`\\=]|=\"[^\"\r\n\\]{0,4096}+\"|=)"
_AFTER_NAME: Final = r"[\\\"'`%&; \t]{0,12}(?:[:=,]|%3[ad]|\\u003[ad])"
_NOT_DONE: Final = r"(?!\*\*\*REDACTED:)"

_SET_COOKIE: Final = pattern_rule(
    "set_cookie",
    rf"set-cookie2?{_BETWEEN}{_NOT_DONE}(?P<secret>[^\s=;,\"'`\\]{{1,256}}+={_TO_LINE_END}*+)",
    flags=re.IGNORECASE,
    anchors=(Anchor("set-cookie"),),
)

_COOKIE: Final = pattern_rule(
    "cookie_header",
    rf"cookies?(?<![A-Za-z]cookies)(?<![A-Za-z]cookie){_BETWEEN}{_NOT_DONE}"
    rf"(?P<secret>[^\s=;,\"'`\\]{{1,256}}+={_TO_LINE_END}*+)",
    flags=re.IGNORECASE,
    anchors=(Anchor("cookie", "s?" + _AFTER_NAME),),
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def is_basic_credential(encoded: str) -> bool:
    """True if this is the base64 of `user:password`."""
    try:
        decoded = base64.b64decode(encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4))
        return ":" in (text := decoded.decode()) and text.isprintable()
    except (binascii.Error, UnicodeDecodeError):
        return False


def _is_credential(match: re.Match[str]) -> bool:
    secret = match["secret"].strip("<>\"'")
    return not (is_placeholder(secret) or is_plain_word(secret)) and len(secret) > 1


def _is_opaque_credential(match: re.Match[str]) -> bool:
    return _is_credential(match) and looks_opaque(match["secret"])


_OPAQUE_VALUE: Final = r"[^\s\"'`\\,;<>(){}\[\]&]"
_ONE_WORD_SCHEMES: Final = (
    r"(?:token|api[_-]?key|key|ntlm|negotiate|dpop|splunk|sso-key|privatetoken|jwt|basic)"
)
_PARAMETER_SCHEMES: Final = (
    r"(?:digest|oauth|hawk|mac|signature|aws4-hmac-sha256|aws|sharedaccesssignature|googlelogin"
    r"|sharedkey(?:lite)?|scram-sha-\d+|hmac[\w-]*|acs3[\w-]*)"
)
_AUTHORIZATION_ANCHOR: Final = Anchor("authorization", _AFTER_NAME)

_AUTHORIZATION_BEARER: Final = pattern_rule(
    "bearer:authorization",
    rf"authorization{_BETWEEN}bearer(?:[ \t:+]|%20){{1,4}}+(?P<secret>{_OPAQUE_VALUE}{{2,}}+)",
    kind="bearer",
    flags=re.IGNORECASE,
    anchors=(_AUTHORIZATION_ANCHOR,),
    accept=_is_credential,
)

_AUTHORIZATION_WORD: Final = pattern_rule(
    "authorization:scheme",
    rf"authorization{_BETWEEN}{_ONE_WORD_SCHEMES}(?:[ \t:=+]|%20){{1,4}}+"
    rf"(?P<secret>{_OPAQUE_VALUE}{{2,}}+)",
    kind="authorization",
    flags=re.IGNORECASE,
    anchors=(_AUTHORIZATION_ANCHOR,),
    accept=_is_credential,
)

_AUTHORIZATION_PARAMETERS: Final = pattern_rule(
    "authorization:parameters",
    rf"authorization{_BETWEEN}{_PARAMETER_SCHEMES}(?:[ \t]|%20){{1,4}}+{_NOT_DONE}"
    r"(?P<secret>[^\r\n=]{1,128}+=[^\r\n]{1,2048}+)",
    kind="authorization",
    flags=re.IGNORECASE,
    anchors=(_AUTHORIZATION_ANCHOR,),
)

_AUTHORIZATION_BARE: Final = pattern_rule(
    "authorization",
    rf"authorization{_BETWEEN}{_NOT_DONE}(?P<secret>{_OPAQUE_VALUE}{{6,}}+)",
    flags=re.IGNORECASE,
    anchors=(_AUTHORIZATION_ANCHOR,),
    accept=_is_opaque_credential,
)

_AFTER_BEARER: Final = _words(
    "token tokens auth authentication authorization authorisation authenticated scheme schemes "
    "header headers credential credentials security type format prefix realm error challenge jwt "
    "of is are was were be been to in on at by for from with without and or nor but as if the a an "
    "that this these those it its not no has have had must should shall may might can could will "
    "would does do did who whom whose which when where then than also only just here there "
    "bond bonds share shares cheque check instrument instruments wall beam beams market service "
    "services capacity capability channel setup party parties request requests based required "
    "missing invalid expired string value values key keys name names"
)
"""Words that follow "Bearer" where the token itself is not there."""


def _is_bearer_token(match: re.Match[str]) -> bool:
    secret = match["secret"].rstrip(".,")
    if is_placeholder(secret) or secret.casefold() in _AFTER_BEARER:
        return False
    # In small letters it may be a person, and what follows a word.
    return not secret.isalpha() or match[0][0] == "B"


_BEARER: Final = pattern_rule(
    "bearer",
    r"bearer(?<![A-Za-z0-9]bearer)(?:[ \t+]|%20){1,4}+(?P<secret>[A-Za-z0-9._~+/-]{3,}+={0,3})",
    flags=re.IGNORECASE,
    anchors=(Anchor("bearer", r"(?:[ \t+]|%20)+[A-Za-z0-9._~+/-]{3}"),),
    accept=_is_bearer_token,
)

_BASIC: Final = pattern_rule(
    "basic_auth",
    r"basic(?<![A-Za-z0-9]basic)(?:[ \t+]|%20){1,4}+(?P<secret>[A-Za-z0-9+/_-]{4,}+={0,2})",
    flags=re.IGNORECASE,
    anchors=(Anchor("basic", r"(?:[ \t+]|%20)+[A-Za-z0-9+/_-]{4}"),),
    accept=lambda match: is_basic_credential(match["secret"]),
)

_CURL_USER: Final = pattern_rule(
    "password_kv:curl",
    r"(?<=\s)-(?:u|-user|-proxy-user|U)[ =]?[\\\"']{0,4}[^\s:\"'\\/]{1,128}+:"
    r"(?P<secret>[^\s\"'\\]{1,256}+)",
    kind="password_kv",
    anchors=(Anchor("curl "),),
    accept=lambda match: not is_placeholder(match["secret"]) and not match["secret"].isdigit(),
)

_LOGIN_COMMANDS: Final = (
    r"(?:mysql|mysqldump|mysqladmin|sshpass|mariadb|(?:docker|podman|registry) login) "
)

_FLAG: Final = pattern_rule(
    "password_kv:flag",
    rf"{_LOGIN_COMMANDS}(?:[^\n|;&]{{0,120}}? )?-p ?[\\\"']{{0,4}}"
    r"(?P<secret>[^\s\"'\\-][^\s\"'\\]{2,255}+)",
    kind="password_kv",
    anchors=(pattern(_LOGIN_COMMANDS),),
    accept=lambda match: has_digit_or_symbol(match["secret"]),
)

HEADER_RULES: Final[tuple[Rule, ...]] = (
    _SET_COOKIE,
    _COOKIE,
    _AUTHORIZATION_BEARER,
    _AUTHORIZATION_WORD,
    _AUTHORIZATION_PARAMETERS,
    _AUTHORIZATION_BARE,
    _BEARER,
    _BASIC,
    _CURL_USER,
    _FLAG,
)
