"""What the shape of a record says beyond its Python types.

Field types carry JSON Schema keywords as `Annotated` metadata, and objects say whether they
refuse keys they do not know. Type checkers see plain `int`, `float` and `str`.
"""

from typing import Annotated, Any, TypeVar

__all__ = [
    "Amount",
    "ControlKey",
    "Count",
    "Fraction",
    "Keywords",
    "Ordinal",
    "SchemaVersion",
    "SessionId",
    "Sha256",
    "Timestamp",
    "closed",
    "extensible",
    "is_closed",
]

_Shape = TypeVar("_Shape", bound=type)


class Keywords:
    """JSON Schema keywords of a field, to be put in `Annotated`."""

    __slots__ = ("keywords",)

    def __init__(self, **keywords: Any) -> None:
        self.keywords: dict[str, Any] = keywords

    def __repr__(self) -> str:
        return f"Keywords({', '.join(f'{key}={value!r}' for key, value in self.keywords.items())})"


def closed(shape: _Shape) -> _Shape:
    """Declare an object that refuses keys it does not name."""
    return _configured(shape, "forbid")


def extensible(shape: _Shape) -> _Shape:
    """Declare an object that accepts further keys of any value."""
    return _configured(shape, "allow")


def _configured(shape: _Shape, extra: str) -> _Shape:
    # pydantic's own spelling, so that a TypeAdapter over one of these types agrees.
    shape.__pydantic_config__ = {"extra": extra, "strict": True}  # type: ignore[attr-defined]  # set here
    return shape


def is_closed(shape: type) -> bool:
    """Whether an object type refuses keys it does not name."""
    config: dict[str, Any] = getattr(shape, "__pydantic_config__", {})
    return config.get("extra") == "forbid"


Count = Annotated[int, Keywords(minimum=0)]
"""A whole number from 0."""

Ordinal = Annotated[int, Keywords(minimum=1)]
"""A whole number from 1."""

Amount = Annotated[float, Keywords(minimum=0)]
"""A number from 0."""

Fraction = Annotated[float, Keywords(minimum=0, maximum=1)]
"""A number from 0 to 1."""

Timestamp = Annotated[str, Keywords(format="date-time")]
"""An ISO-8601 time; the format is an annotation, so a malformed one costs no record."""

Sha256 = Annotated[str, Keywords(pattern="^[0-9a-f]{64}$")]
"""A SHA-256 digest in lower-case hex."""

SchemaVersion = Annotated[str, Keywords(pattern=r"^[0-9]+\.[0-9]+(\.[0-9]+)?$")]
"""A version of the record format: `major.minor`, perhaps with a patch."""

SessionId = Annotated[str, Keywords(pattern=r"^dbg_[A-Za-z0-9_\-]+$")]
"""A capture session's own id, `dbg_` and a token."""

ControlKey = Annotated[bool, Keywords(**{"not": {}})]
"""A key that a call honours and no stored record may hold."""
