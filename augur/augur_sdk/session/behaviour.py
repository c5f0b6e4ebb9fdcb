"""How a session behaves, as far as no record shows it."""

from __future__ import annotations

from typing import NamedTuple

from augur_sdk.bundle.picture_masking import ScreenshotRedactor

__all__ = ["Behaviour"]


class Behaviour(NamedTuple):
    """How a session behaves, as far as no record shows it."""

    durable: bool = False
    flush_timeout: float = 5.0
    screenshot_redactor: ScreenshotRedactor | None = None
    redaction_report: bool = False
    perceptual_hashes: bool = True
    fingerprint: str = "cua_v1"
