"""Keys and tokens that vendors issue, known by their prefixes.

One row a prefix: the literal, the characters that follow, how many at least. The lower bounds are
a little under what vendors issue, so that a key which was cut off is still found.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from augur_sdk.redaction.anchors import Anchor
from augur_sdk.redaction.rule import Rule, accept_all, pattern_rule, starts_word

__all__ = ["CREDENTIAL_RULES"]

_NARROWS: Final = 8
"""So many characters of the tail are part of the anchor: `task-1` must not look like `sk-...`."""

_ALNUM: Final = "[A-Za-z0-9]"
_WORD: Final = r"[\w-]"
_DOTTED: Final = r"[\w.-]"
_HEX: Final = "[0-9a-fA-F]"
_BASE64: Final = "[A-Za-z0-9+/=]"


class _Prefix(NamedTuple):
    literal: str
    charset: str
    least: int
    wordlike: bool = False
    """The prefix also begins ordinary names, so the rest must look random."""


_MODEL_VENDORS: Final = (
    _Prefix("sk-ant-", _WORD, 16),
    _Prefix("sk-proj-", _WORD, 16),
    _Prefix("sk-svcacct-", _WORD, 16),
    _Prefix("sk-admin-", _WORD, 16),
    _Prefix("sk-or-v1-", _HEX, 24),
    _Prefix("sk-lf-", _WORD, 16),
    _Prefix("sk-", _WORD, 16, wordlike=True),
    _Prefix("hf_", _ALNUM, 24),
    _Prefix("api_org_", _ALNUM, 24),
    _Prefix("r8_", _ALNUM, 24),
    _Prefix("gsk_", _ALNUM, 24),
    _Prefix("xai-", _ALNUM, 24),
    _Prefix("pplx-", _ALNUM, 24),
    _Prefix("nvapi-", _WORD, 24),
    _Prefix("fw_", _ALNUM, 20, wordlike=True),
    _Prefix("tgp_v1_", _WORD, 24),
    _Prefix("csk-", _ALNUM, 24),
    _Prefix("lsv2_pt_", r"[\w]", 24),
    _Prefix("lsv2_sk_", r"[\w]", 24),
    _Prefix("jina_", _ALNUM, 24),
    _Prefix("pcsk_", r"[\w]", 24),
    _Prefix("tvly-", _WORD, 20),
    _Prefix("bb_live_", _WORD, 16),
)
_CODE_HOSTS: Final = (
    _Prefix("ghp_", _ALNUM, 20),
    _Prefix("gho_", _ALNUM, 20),
    _Prefix("ghu_", _ALNUM, 20),
    _Prefix("ghs_", _ALNUM, 20),
    _Prefix("ghr_", _ALNUM, 20),
    _Prefix("github_pat_", r"[\w]", 20),
    _Prefix("glpat-", _DOTTED, 16),
    _Prefix("gldt-", _WORD, 16),
    _Prefix("glrt-", _DOTTED, 16),
    _Prefix("glcbt-", _WORD, 16),
    _Prefix("glptt-", _WORD, 16),
    _Prefix("glsoat-", _WORD, 16),
    _Prefix("ATBB", _ALNUM, 24),
    _Prefix("ATATT3x", r"[\w=-]", 24),
    _Prefix("ATCTT3x", r"[\w=-]", 24),
    _Prefix("npm_", _ALNUM, 30),
    _Prefix("pypi-", _WORD, 24, wordlike=True),
    _Prefix("rubygems_", _HEX, 32),
    _Prefix("crates_io_", _ALNUM, 20),
    _Prefix("cio", _ALNUM, 32, wordlike=True),
    _Prefix("dckr_pat_", _WORD, 16),
    _Prefix("dckr_oat_", _WORD, 16),
    _Prefix("CCIPAT_", r"[\w]", 24),
    _Prefix("bkua_", _HEX, 32),
    _Prefix("sqp_", _HEX, 32),
    _Prefix("squ_", _HEX, 32),
    _Prefix("sqa_", _HEX, 32),
    _Prefix("CLOJARS_", _HEX, 32),
)
_CLOUDS: Final = (
    _Prefix("AIza", _WORD, 30),
    _Prefix("GOCSPX-", _WORD, 20),
    _Prefix("ya29.", _WORD, 20),
    _Prefix("LTAI", _ALNUM, 16, wordlike=True),
    _Prefix("AKID", _ALNUM, 28, wordlike=True),
    _Prefix("dop_v1_", _HEX, 32),
    _Prefix("doo_v1_", _HEX, 32),
    _Prefix("dor_v1_", _HEX, 32),
    _Prefix("HRKU-", _WORD, 24),
    _Prefix("FlyV1 ", r"[\w=+/,]", 24),
    _Prefix("fm2_", _BASE64, 24),
    _Prefix("nfp_", _ALNUM, 24),
    _Prefix("vercel_blob_rw_", r"[\w]", 16),
    _Prefix("sbp_", _HEX, 32),
    _Prefix("sb_secret_", _WORD, 16),
    _Prefix("pscale_tkn_", _DOTTED, 24),
    _Prefix("pscale_pw_", _DOTTED, 24),
    _Prefix("pscale_oauth_", _DOTTED, 24),
    _Prefix("dapi", _HEX, 32),
    _Prefix("tskey-", _WORD, 16, wordlike=True),
    _Prefix("hvs.", _WORD, 20),
    _Prefix("hvb.", _WORD, 20),
    _Prefix("pul-", _HEX, 32),
    _Prefix("dp.pt.", _ALNUM, 30),
    _Prefix("dp.st.", _DOTTED, 30),
    _Prefix("AGE-SECRET-KEY-1", "[A-Z0-9]", 40),
    _Prefix("ops_eyJ", _WORD, 24),
    _Prefix("LS0tLS1CRUdJTi", _BASE64, 24),
)
_CHAT_AND_WORK: Final = (
    _Prefix("xoxb-", _WORD, 10),
    _Prefix("xoxp-", _WORD, 10),
    _Prefix("xoxa-", _WORD, 10),
    _Prefix("xoxr-", _WORD, 10),
    _Prefix("xoxs-", _WORD, 10),
    _Prefix("xoxd-", r"[\w%+/=-]", 10),
    _Prefix("xoxc-", _WORD, 10),
    _Prefix("xoxe.", _DOTTED, 20),
    _Prefix("xoxe-", _WORD, 20),
    _Prefix("xapp-", _WORD, 16),
    _Prefix("xwfp-", _WORD, 16),
    _Prefix("hooks.slack.com/services/", "[A-Za-z0-9/]", 20),
    _Prefix("hooks.slack.com/workflows/", "[A-Za-z0-9/]", 20),
    _Prefix("discord.com/api/webhooks/", r"[\w/-]", 30),
    _Prefix("discordapp.com/api/webhooks/", r"[\w/-]", 30),
    _Prefix("lin_api_", _ALNUM, 24),
    _Prefix("lin_oauth_", _HEX, 24),
    _Prefix("ntn_", _ALNUM, 24),
    _Prefix("secret_", _ALNUM, 40),
    _Prefix("figd_", _WORD, 24),
    _Prefix("PMAK-", "[0-9a-fA-F-]", 32),
    _Prefix("pat-na1-", "[0-9a-fA-F-]", 24),
    _Prefix("pat-eu1-", "[0-9a-fA-F-]", 24),
    _Prefix("tfp_", r"[\w.=-]", 24),
    _Prefix("CFPAT-", _WORD, 24),
    _Prefix("rdme_", _ALNUM, 32),
    _Prefix("EAACEdEose0cBA", _ALNUM, 10),
    _Prefix("EAAG", _ALNUM, 40),
    _Prefix("EAAB", _ALNUM, 40),
    _Prefix("AAAAAAAAAAAAAAAAAAAAA", r"[\w%=]", 30),
)
_PAYMENT_AND_MAIL: Final = (
    _Prefix("sk_live_", _ALNUM, 10),
    _Prefix("sk_test_", _ALNUM, 10),
    _Prefix("rk_live_", _ALNUM, 10),
    _Prefix("rk_test_", _ALNUM, 10),
    _Prefix("whsec_", _BASE64, 16),
    _Prefix("sq0atp-", _WORD, 20),
    _Prefix("sq0csp-", _WORD, 20),
    _Prefix("EAAA", _WORD, 50),
    _Prefix("shpat_", _HEX, 24),
    _Prefix("shpss_", _HEX, 24),
    _Prefix("shpca_", _HEX, 24),
    _Prefix("shppa_", _HEX, 24),
    _Prefix("rzp_live_", _ALNUM, 10),
    _Prefix("rzp_test_", _ALNUM, 10),
    _Prefix("access_token$production$", r"[\w$]", 20),
    _Prefix("access_token$sandbox$", r"[\w$]", 20),
    _Prefix("FLWSECK_", _WORD, 12),
    _Prefix("FLWSECK-", _WORD, 12),
    _Prefix("duffel_live_", _WORD, 20),
    _Prefix("shippo_live_", _HEX, 24),
    _Prefix("EZAK", _ALNUM, 40),
    _Prefix("key-", _HEX, 32),
    _Prefix("xkeysib-", _WORD, 32),
    _Prefix("re_", r"[\w]", 24, wordlike=True),
)
_OBSERVABILITY: Final = (
    _Prefix("NRAK-", "[A-Z0-9]", 20),
    _Prefix("NRII-", _WORD, 24),
    _Prefix("NRJS-", _HEX, 16),
    _Prefix("glsa_", r"[\w]", 24),
    _Prefix("glc_", _BASE64, 24),
    _Prefix("sntrys_", r"[\w+/=-]", 24),
    _Prefix("sntryu_", _HEX, 32),
    _Prefix("dt0c01.", _DOTTED, 24),
    _Prefix("dt0s16.", _DOTTED, 24),
    _Prefix("phx_", _ALNUM, 24),
    _Prefix("pnu_", _ALNUM, 24),
    _Prefix("lsv2_", r"[\w]", 32),
)


def _looks_random(match: re.Match[str]) -> bool:
    text = match[0]
    digits = sum(map(str.isdigit, text))
    return digits >= 2 and (len(text) >= 32 or (text.lower() != text and digits >= 3))


def _prefix_rule(row: _Prefix) -> Rule:
    head = re.escape(row.literal)
    return pattern_rule(
        f"api_key:{row.literal}",
        f"{head}{starts_word(row.literal)}{row.charset}{{{row.least},}}+",
        kind="api_key",
        anchors=(Anchor(row.literal, f"{row.charset}{{{min(row.least, _NARROWS)}}}"),),
        accept=_looks_random if row.wordlike else accept_all,
    )


_SHAPED: Final = (
    pattern_rule(
        "aws_key",
        r"(?:AKIA|ASIA)(?<![A-Za-z0-9]....)[A-Z0-9]{16}(?![A-Za-z0-9])"
        r"(?:[\s,:;|\"']{1,4}[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=]))?",
        anchors=(Anchor("AKIA", "[A-Z0-9]{16}"), Anchor("ASIA", "[A-Z0-9]{16}")),
    ),
    pattern_rule(
        "api_key:sendgrid",
        rf"SG\.{starts_word('SG.')}[\w-]{{16,64}}+\.[\w-]{{16,}}+",
        kind="api_key",
        anchors=(Anchor("SG.", r"[\w-]{16}"),),
    ),
    pattern_rule(
        "api_key:twilio",
        r"SK(?<![A-Za-z0-9]..)[0-9a-f]{32}(?![0-9A-Za-z])",
        kind="api_key",
        anchors=(Anchor("SK", "[0-9a-f]{32}"),),
    ),
    pattern_rule(
        "api_key:mailchimp",
        r"(?<![0-9A-Za-z])[0-9a-f]{32}-us\d{1,2}(?!\w)",
        kind="api_key",
        anchors=(Anchor("-us", "[0-9]"),),
    ),
    pattern_rule(
        "api_key:telegram",
        r":AA(?<=\d:AA)[\w-]{32,34}(?![\w-])",
        kind="api_key",
        anchors=(Anchor(":AA", r"[\w-]{32}"),),
    ),
    pattern_rule(
        "api_key:discord",
        r"(?<![\w.-])[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,40}(?![\w-])",
        kind="api_key",
        anchors=(Anchor("", r"[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27}"),),
    ),
    pattern_rule(
        "api_key:airtable",
        r"pat(?<![A-Za-z0-9]...)[A-Za-z0-9]{14}\.[0-9a-f]{64}",
        kind="api_key",
        anchors=(Anchor("pat", r"[a-z0-9]{14}\.[0-9a-f]{16}"),),
    ),
    pattern_rule(
        "api_key:terraform",
        r"\.atlasv1\.[\w-]{40,}+",
        kind="api_key",
        anchors=(Anchor(".atlasv1."),),
    ),
    pattern_rule(
        "api_key:plaid",
        r"access-(?:sandbox|development|production)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        kind="api_key",
        anchors=(Anchor("access-", "(?:sandbox|development|production)-[0-9a-f]{8}"),),
    ),
    pattern_rule(
        "api_key:google_refresh",
        r"1//0(?<![A-Za-z0-9]....)[\w-]{30,}+",
        kind="api_key",
        anchors=(Anchor("1//0", r"[\w-]{30}"),),
    ),
    pattern_rule(
        "api_key:azure_ad",
        r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}",
        kind="api_key",
        anchors=(Anchor("Q~", r"[\w~.-]{31}"),),
    ),
)

CREDENTIAL_RULES: Final = (
    tuple(
        _prefix_rule(row)
        for row in (
            *_MODEL_VENDORS,
            *_CODE_HOSTS,
            *_CLOUDS,
            *_CHAT_AND_WORK,
            *_PAYMENT_AND_MAIL,
            *_OBSERVABILITY,
        )
    )
    + _SHAPED
)
