"""What a picture's record says where no hash of what it shows is wanted."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image
from scenarios import read_json

from augur_sdk import DebugSession
from augur_sdk.bundle import layout
from augur_sdk.bundle.projection import HEADER


@pytest.mark.parametrize("about_itself", [0, 3 * HEADER])
def test_a_pictures_size_is_found_without_reading_it_for_a_hash(
    tmp_path: Path, about_itself: int
) -> None:
    """Also behind a long comment, as a camera writes one."""
    buffer = io.BytesIO()
    Image.new("RGB", (70, 40), "navy").save(buffer, "JPEG", comment=b"." * about_itself)
    with DebugSession(
        run_id="r",
        client_name="c",
        out_dir=tmp_path,
        capture_mode="full",
        perceptual_hashes=False,
    ) as run:
        run.attach_observation(step_index=0, kind="pre", png_bytes=buffer.getvalue())
    found = read_json(tmp_path / layout.observation_path(0, "pre"))
    assert (found["width"], found["height"], found["media_type"]) == (70, 40, "image/jpeg")
    stored = (tmp_path / layout.screenshot_path(0, "pre")).read_bytes()
    assert found["hashes"] == {"sha256": hashlib.sha256(stored).hexdigest()}
