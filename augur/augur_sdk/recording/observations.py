"""Recording what the agent saw."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from augur_sdk.bundle import layout
from augur_sdk.capture import CaptureMode
from augur_sdk.entry import Kind
from augur_sdk.images.masking import regions_of
from augur_sdk.models import CoordinateSpace
from augur_sdk.recording import checks
from augur_sdk.recording.bounded import PICTURES
from augur_sdk.recording.steps import StepRecording

__all__ = ["ObservationRecording"]


class ObservationRecording(StepRecording):
    """The screenshot method."""

    def attach_observation(
        self,
        *,
        step_index: int,
        kind: Literal["pre", "post"],
        png_bytes: bytes,
        coordinate_space: CoordinateSpace = "screenshot_px",
        viewport: tuple[int, int] | None = None,
        device_scale_factor: float | None = None,
        url: str | None = None,
        title: str | None = None,
        scroll: tuple[int, int] | None = None,
        mask: Iterable[Sequence[float]] | None = None,
    ) -> str:
        """Keep the screenshot taken before or after a step; it may come before its step.

        The bytes are stored as given, except where a mask (or the session's `screenshot_redactor`)
        hides part of them: its boxes are filled before anything of the picture is written or
        sent, and a picture that cannot be masked is not kept. Dimensions and hashes are computed
        behind the agent's back and written beside the picture. A picture of a sensitive step is
        not stored; the manifest lists it as missing.

        Args:
            step_index: The step, from 0.
            kind: `pre` or `post`.
            png_bytes: A PNG picture (JPEG and WebP are kept too), not base64.
            coordinate_space: The space in which coordinates on this picture are meant.
            viewport: Width and height in CSS pixels, where they differ from the picture's.
            device_scale_factor: Device pixels per CSS pixel.
            url: The page shown.
            title: The page's or window's title.
            scroll: Horizontal and vertical scroll offset in CSS pixels.
            mask: Boxes to fill with black, `(x1, y1, x2, y2)` in pixels of the picture.

        Returns:
            The picture's path in the bundle, for the step's `observation_pre` or
            `observation_post`.

        Raises:
            ValueError: No usable `step_index`, `kind` or `mask`, or not the bytes of a picture.
            RuntimeError: The session is not open.
        """
        self._require_steps("attach_observation")
        index = checks.step_index(step_index)
        checks.choice(kind, "kind", ("pre", "post"))
        path = layout.screenshot_path(index, kind)
        picture = checks.picture(png_bytes)
        boxes = () if mask is None else tuple(regions_of(mask))
        if self.off:
            return path
        facts = _facts(coordinate_space, viewport, device_scale_factor, url, title, scroll)
        raw = self._encode({"artifact": path, **facts})
        if self._keeps_picture(index, path):
            self._emit(
                Kind.SCREENSHOT,
                raw,
                path=path,
                item=kind,
                step_index=index,
                blob=picture,
                mask=boxes,
            )
            self._saw(index, PICTURES[kind])
        return path

    def _keeps_picture(self, index: int, path: str) -> bool:
        """Whether a picture is kept; where it is not, say so if the step may refer to it."""
        bound = self._bound_at(index)
        if bound.keeps(CaptureMode.SCREENSHOTS):
            return True
        if bound.sensitive or bound.records(CaptureMode.TRACE):
            self._withhold(index, path)
        return False


def _facts(
    coordinate_space: str,
    viewport: tuple[int, int] | None,
    scale: float | None,
    url: str | None,
    title: str | None,
    scroll: tuple[int, int] | None,
) -> dict[str, Any]:
    facts: dict[str, Any] = {"coordinate_space": coordinate_space, "url": url, "title": title}
    if viewport is not None:
        ratio = {} if scale is None else {"device_scale_factor": scale}
        facts["viewport"] = {"width": viewport[0], "height": viewport[1], **ratio}
    elif scale is not None:
        facts["device_scale_factor"] = scale
    if scroll is not None:
        facts["scroll"] = {"x": scroll[0], "y": scroll[1]}
    return {name: value for name, value in facts.items() if value is not None}
