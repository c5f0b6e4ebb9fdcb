"""The screenshots of a bundle, as rules need them: digests first, pixels only when they decide."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from augur_sdk.images.difference import Region, changed_regions
from augur_sdk.images.hashing import UnusablePictureError, decoded, phash_64, sha256_hex
from augur_sdk.images.probe import probe

if TYPE_CHECKING:
    from PIL.Image import Image

    from augur_sdk.diagnostics.context import BundleContext

__all__ = ["Pictures"]

_HELD: Final = 3
"""Decoded pictures kept: a step's two and the next step's first, 3 MiB each at 1280x800."""


class Pictures:
    """The screenshots of one bundle, by bundle-relative path."""

    def __init__(self, ctx: BundleContext) -> None:
        self._ctx = ctx
        self._decoded: OrderedDict[str, Image | None] = OrderedDict()

    def record(self, ref: str) -> dict[str, Any]:
        """The observation record beside a picture; empty when there is none."""
        stem, _, _ = ref.rpartition(".")
        return self._ctx.read_json(f"{stem}.json") or {} if stem else {}

    def exists(self, ref: str | None) -> bool:
        """Whether the picture is in the bundle."""
        return bool(ref) and self._ctx.exists(str(ref))

    def sha256(self, ref: str) -> str | None:
        """The digest of the picture's bytes; None when it is not there."""
        signed = self._ctx.manifest.get("signatures", {}).get(ref)
        recorded = signed or self._hashes(ref).get("sha256")
        if isinstance(recorded, str) and self.exists(ref):
            return recorded
        data = self._ctx.read_bytes(ref)
        return None if data is None else sha256_hex(data)

    def phash_64(self, ref: str) -> str | None:
        """The perceptual hash, as recorded or computed; None when there is no usable picture."""
        recorded = self._hashes(ref).get("phash_64")
        if isinstance(recorded, str):
            return recorded
        data = self._ctx.read_bytes(ref)
        return None if data is None else phash_64(data)

    def size(self, ref: str) -> tuple[int, int] | None:
        """Width and height in pixels, from the record or the picture's header."""
        record = self.record(ref)
        width, height = record.get("width"), record.get("height")
        if isinstance(width, int) and isinstance(height, int):
            return width, height
        found = probe(self._ctx.read_bytes(ref) or b"")
        return (found.width, found.height) if found.ok else None

    def same(self, a: str | None, b: str | None) -> bool | None:
        """Whether two pictures show the same; None when that cannot be known.

        Equal bytes are the same, different perceptual hashes are not; pixels are compared only
        where neither decides.
        """
        if not (a and b and self.exists(a) and self.exists(b)):
            return None
        if self.sha256(a) == self.sha256(b):
            return True
        if self._hashes(a).get("phash_64") != self._hashes(b).get("phash_64"):
            return False
        regions = self.changes(a, b)
        return None if regions is None else not regions

    def changes(self, a: str | None, b: str | None) -> list[Region] | None:
        """Where two pictures differ, largest part first; None when that cannot be known."""
        if not (a and b and self.exists(a) and self.exists(b)):
            return None
        if self.sha256(a) == self.sha256(b):
            return []
        before, after = self.decoded(a), self.decoded(b)
        return None if before is None or after is None else changed_regions(before, after)

    def decoded(self, ref: str) -> Image | None:
        """The picture's pixels as RGB; None when it is absent, damaged, or too large."""
        key = self.sha256(ref) or ref  # one step's last picture is often the next one's first
        if key in self._decoded:
            self._decoded.move_to_end(key)
        else:
            self._decoded[key] = self._decode(ref)
            if len(self._decoded) > _HELD:
                self._decoded.popitem(last=False)
        return self._decoded[key]

    def _decode(self, ref: str) -> Image | None:
        data = self._ctx.read_bytes(ref)
        try:
            return None if data is None else decoded(data).convert("RGB")
        except UnusablePictureError:
            return None

    def _hashes(self, ref: str) -> dict[str, Any]:
        hashes = self.record(ref).get("hashes")
        return hashes if isinstance(hashes, dict) else {}
