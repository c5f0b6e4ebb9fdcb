"""The record beside a screenshot."""

from typing import Annotated, Required

from typing_extensions import TypedDict

from augur_sdk.models.constraints import Amount, Keywords, Ordinal, Sha256, closed
from augur_sdk.models.environment import EnvFingerprint
from augur_sdk.models.vocabulary import CoordinateSpace, MediaType

__all__ = [
    "Hashes",
    "ImageHashes",
    "MaskedRegion",
    "Observation",
    "ObservationRedaction",
    "RedactionRegion",
    "Scroll",
    "ScrollOffset",
    "Viewport",
]


@closed
class Viewport(TypedDict, total=False):
    """The visible area, in CSS pixels."""

    width: Required[Ordinal]
    height: Required[Ordinal]
    device_scale_factor: Annotated[Amount, Keywords(default=1)]


@closed
class ScrollOffset(TypedDict):
    """How far the page was scrolled, in CSS pixels."""

    x: int
    y: int


@closed
class ImageHashes(TypedDict, total=False):
    """Digests of the picture."""

    sha256: Sha256
    """Of the file's bytes."""
    phash_64: str
    """A perceptual hash of 64 bits, in hex: near pictures have near hashes."""


@closed
class MaskedRegion(TypedDict, total=False):
    """A rectangle of the picture that was masked, in screenshot pixels."""

    x1: Required[int]
    y1: Required[int]
    x2: Required[int]
    y2: Required[int]
    label: str


@closed
class ObservationRedaction(TypedDict, total=False):
    """What was masked in the picture."""

    applied: Required[bool]
    policy_id: str
    regions: list[MaskedRegion]


@closed
class Observation(TypedDict, total=False):
    """What is known about one screenshot."""

    artifact: Required[str]
    """The bundle-relative path of the picture."""
    media_type: Required[MediaType]
    width: Required[Ordinal]
    """In pixels of the picture."""
    height: Required[Ordinal]
    """In pixels of the picture."""
    coordinate_space: Required[CoordinateSpace]
    """The space that the picture's pixels are in."""
    viewport: Viewport
    url: str
    title: str
    scroll: ScrollOffset
    hashes: ImageHashes
    redaction: ObservationRedaction
    missing: Annotated[bool, Keywords(default=False)]
    """Whether the picture is absent on purpose."""
    env_fingerprint: EnvFingerprint


Hashes = ImageHashes
"""The published name."""

Scroll = ScrollOffset
"""The published name."""

RedactionRegion = MaskedRegion
"""The published name."""
