"""Vendor objects as plain data: what an SDK returns and what a log of it holds look the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["as_list", "as_plain", "objects_in", "text_in"]

_SCALARS = (str, int, float, bool, bytes, type(None))


def as_plain(value: Any) -> Any:
    """A vendor SDK object, or anything that holds some, as dicts, lists and scalars.

    Pydantic models are dumped, other objects give their attributes; plain data comes back equal.
    """
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, Mapping):
        return {str(key): as_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(item) for item in value]
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump(mode="json", warnings=False)
    attributes = getattr(value, "__dict__", None)
    return as_plain(attributes) if attributes is not None else str(value)


def as_list(value: Any) -> list[Any]:
    """A list as it is, and an empty one for anything else."""
    return value if isinstance(value, list) else []


def objects_in(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; whatever else it holds, or is, is left out."""
    return [item for item in as_list(value) if isinstance(item, dict)]


def text_in(content: Any) -> str:
    """The text of a message's content: a string, or the text parts of a list, a line each."""
    if isinstance(content, str):
        return content.strip()
    parts = (part.get("text") for part in objects_in(content) if _is_text(part))
    return "\n".join(text.strip() for text in parts if isinstance(text, str) and text.strip())


def _is_text(part: dict[str, Any]) -> bool:
    return str(part.get("type", "text")) in {"text", "input_text", "output_text", "summary_text"}
