"""Secrets that no rule for text can know: the session's own token, and text inside pictures."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, PngImagePlugin
from scenarios import step

from augur_sdk import DebugSession

TOKEN = "zq7-plain-looking-word"
PLANTED = "zq8-planted-in-a-comment"


def _picture() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", PLANTED)
    file = io.BytesIO()
    Image.new("RGB", (20, 20), "red").save(file, "PNG", pnginfo=info)
    return file.getvalue()


def test_neither_the_own_token_nor_a_pictures_comment_is_in_any_file(tmp_path: Path) -> None:
    picture = _picture()
    assert PLANTED.encode() in picture
    with DebugSession(
        run_id="r",
        client_name="test",
        out_dir=tmp_path / "bundle",
        dsn=f"http://127.0.0.1:9/api/v1?token={TOKEN}",
        capture_mode="full",
        flush_timeout=0.1,
    ) as session:
        session.record_step(step(0, intent=f"I saw {TOKEN} printed"))
        session.attach_observation(step_index=0, kind="pre", png_bytes=picture)
    files = [path for path in (tmp_path / "bundle").rglob("*") if path.is_file()]
    assert any(path.suffix == ".png" for path in files)
    for path in files:
        data = path.read_bytes()
        assert TOKEN.encode() not in data, path.name
        assert PLANTED.encode() not in data, path.name
