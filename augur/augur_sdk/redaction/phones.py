"""Phone numbers, through the `phonenumbers` library (extra `phone`).

Off by default: which digits are a phone number depends on the country, and the library is slower
than all other rules together. Candidates are cut out first, so the cost stays linear.
"""

from __future__ import annotations

import re
from functools import cached_property
from importlib import import_module
from typing import Any, Final

from augur_sdk.errors import MissingExtraError
from augur_sdk.redaction.markers import marker

__all__ = ["PhoneRedactor"]

_MARK: Final = marker("phone")
_CANDIDATE: Final = re.compile(
    r"(?<![\w.+:/=-])(?:\+|00)?\(?\d(?:[ ().\u00a0/-]{0,2}\d){6,15}+(?![\w-])(?!\.\d)", re.ASCII
)
_STAMP: Final = re.compile(r"\d{4}-\d\d-\d\d|\d{1,3}(?:\.\d{1,3}){3}|\d{1,2}[./]\d{1,2}[./]\d{2,4}")


class PhoneRedactor:
    """A redactor for `RedactionPolicy.add_redactor`: valid phone numbers become markers.

    Args:
        region: the country of numbers without a country code, such as `US`; without it only
            international numbers (`+49 ...`) are found.

    Raises:
        MissingExtraError: `phonenumbers` is not installed; raised here, not at the first record.
    """

    def __init__(self, region: str | None = None) -> None:
        self.region = region
        self._library  # noqa: B018 - looks for the library now

    @cached_property
    def _library(self) -> Any:
        try:
            return import_module("phonenumbers")
        except ImportError:
            raise MissingExtraError("finding phone numbers", "phone") from None

    def __call__(self, text: str) -> str:
        """The text with each valid phone number replaced by `***REDACTED:phone***`."""
        return _CANDIDATE.sub(self._replace, text)

    def _replace(self, match: re.Match[str]) -> str:
        return _MARK if self._is_phone_number(match[0]) else match[0]

    def _is_phone_number(self, candidate: str) -> bool:
        if _STAMP.match(candidate) or (candidate.isdigit() and self.region is None):
            return False
        try:
            number = self._library.parse(candidate, self.region)
        except self._library.NumberParseException:
            return False
        return bool(self._library.is_valid_number(number))
