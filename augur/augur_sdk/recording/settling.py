"""Marking the calls that return only once what they recorded is stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["settled", "settles"]

F = TypeVar("F", bound=Callable[..., Any])

_MARK = "settles"


def settled(method: F) -> F:
    """Mark a recording method: both session classes wait for storage before they return."""
    setattr(method, _MARK, True)
    return method


def settles(method: Callable[..., Any]) -> bool:
    """Whether a call returns only once what it recorded is stored."""
    return getattr(method, _MARK, False)
