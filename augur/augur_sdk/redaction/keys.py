"""Which keys name a secret, whatever the spelling: camelCase, kebab-case, snake_case, affixes.

A key is split into lowercase words and judged by them: `userPassword`, `db_passwd` and
`X-Client-Secret` name secrets; `max_tokens`, `password_field` and `token_type` do not. A policy's
own `drop_keys` and `mask_keys` are exact (any case, any separator) and come before this grammar.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from itertools import pairwise
from typing import Final

from augur_sdk.redaction.markers import without_markers
from augur_sdk.redaction.vocabulary import words

__all__ = [
    "FOREIGN_PASSWORDS",
    "KeyClass",
    "classify",
    "key_words",
    "names_secret_field",
    "normalize",
]


class KeyClass(Enum):
    """What a key says about its value."""

    ORDINARY = "ordinary"
    TEXT = "text"
    """Any text or container under it is a secret; numbers are counts (`tokens: 12`)."""
    ANY = "any"
    """Numbers are secrets too (`cvv: 123`)."""
    CODE = "code"
    """Four digits or more are a secret (`pin: 4711`), everything else is not (`pin: true`)."""
    PHRASE = "phrase"
    """Several words are the secret (`seed phrase: ...`)."""


_WORD = re.compile(r"[A-Z]++(?![a-z])|[A-Z]?[a-z]++|[A-Z]++|\d++|[^\W\d_A-Za-z]++")

_LONGEST_KEY: Final = 128
"""Longer keys are text that happens to stand in a key's place; text rules handle them."""

_PASSWORDS: Final = words(
    "password passwd passwort kennwort contrasena motdepasse userpassword dbpassword passcode "
    "senha wachtwoord passcodes passwords pwd pwds userpwd dbpwd passwordhash newpassword "
    "oldpassword"
)
FOREIGN_PASSWORDS: Final = words(
    "contraseña lösenord hasło пароль 密码 密碼 口令 パスワード 비밀번호 şifre"
)
"""Looked for in the whole key: these are not always set apart from their neighbours."""

_PHRASES: Final = frozenset({"passphrase", "mnemonic", "passphrases"})
_CODES: Final = frozenset({"pin", "otp", "totp", "mfa", "tan", "pincode", "otpcode"})
_NUMBERS: Final = words("cvv cvv2 cvc cvc2 ssn creditcard cardnumber cardno ccnumber ccnum iban")
_SECRETS: Final = words(
    "secret secrets credential credentials creds cookie cookies apikey apikeys authorization jwt "
    "privatekey accesskey secretkey authkey clientsecret apisecret appsecret bearer passkey "
    "phpsessid jsessionid sessid sessionid xsrf csrf accesstoken authtoken refreshtoken idtoken "
    "sessiontoken apitoken bearertoken csrftoken xsrftoken usertoken sastoken"
)
_PAIRS: Final = {
    "passe": frozenset({"de"}),
    "pass": words(
        "user db database mysql pg postgres redis admin root smtp imap mail email ftp ssh http "
        "login auth my wifi proxy sudo"
    ),
    "key": words(
        "api access private secret encryption signing master auth account subscription ssh deploy "
        "license licence session service shared storage"
    ),
    "keys": frozenset({"api", "private", "secret"}),
    "string": frozenset({"connection"}),
    "cookie": frozenset({"session"}),
}
_NUMBER_PAIRS: Final = {
    "number": frozenset({"card", "cc", "security"}),
    "no": frozenset({"card", "cc"}),
    "num": frozenset({"card", "cc"}),
    "card": frozenset({"credit", "debit"}),
    "code": frozenset({"security", "cvv", "cvc"}),
    "security": frozenset({"social"}),
}
_CODE_PAIRS: Final = {
    "code": words("verification auth authorization time otp mfa pin recovery backup"),
    "codes": frozenset({"recovery", "backup"}),
}
_PHRASE_PAIRS: Final = {"phrase": frozenset({"seed", "recovery", "pass"})}

_TOKEN_OWNERS: Final = words(
    "access refresh auth api bearer session id csrf xsrf personal device push jwt oauth secret "
    "security login user client app bot service sas"
)
_PLAIN_TOKENS: Final = words(
    "next_token next_page_token page_token continuation_token prompt_token completion_token "
    "input_token output_token eos_token bos_token pad_token unk_token sep_token cls_token "
    "mask_token stop_token special_token start_token end_token decoder_start_token"
)
_DESCRIBES: Final = words(
    "count counts counter length len size max min limit limits budget type types kind name names "
    "field fields label labels selector hint policy strength required enabled visible "
    "valid invalid url uri endpoint path file filename location index expires expiry expiration "
    "exp ttl age created updated at usage rate banner consent preference preferences manager "
    "attempt attempts error errors message status state total used remaining placeholder "
    "form page button link arn version versions provider format mode method schema prompt "
    "title description rule rules option options setting settings box element locator xpath css "
    "screen dialog modal per hit probability logprob logprobs id ids present set changed "
    "generator notice domain category categories store storage jar"
)
_DESCRIBES_TOKENS: Final = frozenset({"text", "input", "in", "out", "str"})
_ASKS: Final = words(
    "has is are was show shows hide forgot require requires needs need use uses allow enable "
    "disable supports max min num total n accept accepts change with without no cached"
)
_NOT_FIELDS: Final = frozenset({"cookie", "cookies", "forgot", "forgotten", "reset", "mnemonic"})
_ID_IS_SECRET: Final = frozenset({"secret", "sessid"})
_SHORT_NAMES: Final = frozenset({("pass",), ("pw",), ("userpass",), ("dbpass",), ("auth", "pw")})
_MAYBE_SECRET: Final = re.compile(r"passw(?:or)?d|passwd|apikey|clientsecret|accesstoken|authtoken")


@lru_cache(maxsize=4096)
def key_words(key: str) -> tuple[str, ...]:
    """The lowercase words of a key: `X-API-Key`, `xApiKey` and `x_api_key` are the same."""
    return tuple(word.lower() for word in _WORD.findall(key))


def normalize(key: str) -> str:
    """One spelling for all spellings of a key."""
    return "_".join(key_words(key)) or key.casefold()


@lru_cache(maxsize=4096)
def classify(key: str) -> KeyClass:
    """What the grammar says about a key; the documented exact keys are the policy's business."""
    key = without_markers(key)
    if not key or len(key) > _LONGEST_KEY:
        return KeyClass.ORDINARY
    parts = key_words(key)
    if not key.isascii() and _is_foreign_password(key):
        return KeyClass.ANY
    found = _strongest(parts)
    if found is not KeyClass.ORDINARY and _only_describes(parts):
        return KeyClass.ORDINARY
    return found


@lru_cache(maxsize=1024)
def names_secret_field(label: str) -> bool:
    """True if the label, selector or name of a form field says that secrets are typed into it."""
    if not label.isascii() and _is_foreign_password(label):
        return True
    parts = key_words(label)
    if not parts or parts[0] in _ASKS or not _NOT_FIELDS.isdisjoint(parts):
        return False
    return _strongest(parts) is not KeyClass.ORDINARY


def _is_foreign_password(key: str) -> bool:
    folded = key.casefold()
    return any(word in folded for word in FOREIGN_PASSWORDS)


def _strongest(parts: tuple[str, ...]) -> KeyClass:
    for kind, single, pairs in (
        (KeyClass.PHRASE, _PHRASES, _PHRASE_PAIRS),
        (KeyClass.ANY, _PASSWORDS | _NUMBERS, _NUMBER_PAIRS),
        (KeyClass.TEXT, _SECRETS, _PAIRS),
        (KeyClass.CODE, _CODES, _CODE_PAIRS),
    ):
        if not single.isdisjoint(parts) or _has_pair(parts, pairs):
            return kind
    if (
        parts in _SHORT_NAMES
        or _names_token(parts)
        or any(_MAYBE_SECRET.search(word) for word in parts)
    ):
        return KeyClass.TEXT
    return KeyClass.ORDINARY


def _has_pair(parts: tuple[str, ...], pairs: dict[str, frozenset[str]]) -> bool:
    return any(before in pairs.get(after, ()) for before, after in pairwise(parts))


def _names_token(parts: tuple[str, ...]) -> bool:
    if "token" in parts:
        return "_".join(parts) not in _PLAIN_TOKENS
    return "tokens" in parts and not _TOKEN_OWNERS.isdisjoint(parts)


def _only_describes(parts: tuple[str, ...]) -> bool:
    last = parts[-1]
    if last == "id" and not _ID_IS_SECRET.isdisjoint(parts):
        return False
    if last in _DESCRIBES_TOKENS and {"token", "tokens"} & set(parts):
        return True
    return len(parts) > 1 and (last in _DESCRIBES or parts[0] in _ASKS)
