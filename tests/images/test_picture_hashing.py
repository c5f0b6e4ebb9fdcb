"""The perceptual hash is imagehash's, bit for bit, and its price is bounded."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import imagehash
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from augur_sdk.images import hashing
from augur_sdk.images.hashing import UnusablePictureError, decoded, phash_64

Box = tuple[int, int, int, int, int]

boxes = st.lists(
    st.tuples(
        st.integers(0, 200), st.integers(0, 120), st.integers(1, 200), st.integers(1, 120),
        st.integers(0, 255),
    ),
    max_size=5,
)  # fmt: skip


def page(drawn: list[Box], mode: str = "RGB", kind: str = "PNG") -> bytes:
    picture = Image.new(mode, (200, 120), "white")
    for left, top, width, height, colour in drawn:
        fill = colour if mode == "L" else (colour, 255 - colour, colour // 2)
        ImageDraw.Draw(picture).rectangle((left, top, left + width, top + height), fill=fill)
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def reference(data: bytes) -> str:
    return str(imagehash.phash(Image.open(io.BytesIO(data))))


@given(boxes, st.sampled_from(["L", "RGB", "RGBA"]))
@settings(max_examples=60, deadline=None)
def test_the_hash_is_the_one_of_imagehash(drawn: list[Box], mode: str) -> None:
    data = page(drawn, mode)
    assert phash_64(data) == reference(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_every_format_is_hashed_in_full(kind: str) -> None:
    data = page([(20, 10, 90, 40, 30), (120, 60, 30, 30, 200)], kind=kind)
    assert phash_64(data) == reference(data)


@pytest.mark.parametrize(
    "drawn",
    [
        [],
        [(0, 0, 200, 120, 0)],
        [(0, 20, 200, 10, 90), (0, 70, 200, 25, 40)],
        [(20, 0, 10, 120, 90), (70, 0, 25, 120, 40)],
    ],
    ids=["blank", "one colour", "bars across", "bars down"],
)
def test_plain_pages_are_hashed_without_imagehash(drawn: list[Box]) -> None:
    data = page(drawn)
    assert hashing._quick_phash(decoded(data)) == reference(data)


def test_a_picture_is_decoded_once_however_many_threads_ask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second asks while the first decodes, and is answered by it."""
    asked, go_on = threading.Event(), threading.Event()

    def slow(_data: bytes) -> str:
        asked.set()
        assert go_on.wait(10)
        return "00ff" * 4

    monkeypatch.setattr(hashing, "_phash", slow)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(phash_64, b"picture", sha256="one")
        assert asked.wait(10)
        assert hashing.is_being_hashed("one")
        second = threads.submit(phash_64, b"picture", sha256="one")
        go_on.set()
        assert first.result() == second.result() == "00ff" * 4
    assert not hashing.is_being_hashed("one")


def test_a_picture_hashed_ahead_is_not_decoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    data = page([(11, 3, 77, 45, 21)])
    hashing.hash_ahead(data)
    monkeypatch.setattr(hashing, "decoded", lambda _data: pytest.fail("decoded again"))
    assert phash_64(data) == reference(data)
    assert hashing.is_ready()


def test_what_takes_imagehash_is_not_hashed_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    data = page([(40, 10, 119, 40, 0), (80, 70, 39, 39, 130)])
    with monkeypatch.context() as patched:
        patched.setattr(hashing, "_reference_phash", lambda _data: pytest.fail("imported"))
        hashing.hash_ahead(data)
    assert phash_64(data) == reference(data)


def test_a_picture_that_another_thread_is_at_is_not_waited_for_ahead() -> None:
    _, mine = hashing._claim(hashing.sha256_hex(b"in hand"))
    assert mine
    hashing.hash_ahead(b"in hand")
    assert hashing.is_being_hashed(hashing.sha256_hex(b"in hand"))
    hashing._recent.clear()


def test_whoever_waits_for_a_hash_that_is_given_up_computes_it() -> None:
    data = page([(13, 17, 60, 30, 77)])
    key = hashing.sha256_hex(data)
    with ThreadPoolExecutor(1) as threads:
        answer, _ = hashing._claim(key)
        with hashing._given_up_unless_answered(key, answer):
            waiting = threads.submit(phash_64, data)
        assert waiting.result(10) == reference(data)


def test_an_interrupted_hash_is_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_data: bytes) -> str:
        raise KeyboardInterrupt

    data = page([(5, 6, 70, 80, 90)])
    with monkeypatch.context() as patched:
        patched.setattr(hashing, "_phash", interrupted)
        with pytest.raises(KeyboardInterrupt):
            phash_64(data)
    assert phash_64(data) == reference(data)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_does_not_wait_for_a_hash_of_its_parents_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = page([(7, 9, 60, 50, 40)])
    asked, go_on = threading.Event(), threading.Event()

    def slow(_data: bytes) -> None:
        asked.set()
        assert go_on.wait(10)

    with ThreadPoolExecutor(1) as threads, monkeypatch.context() as patched:
        patched.setattr(hashing, "_phash", slow)
        first = threads.submit(phash_64, data)
        assert asked.wait(10)
        patched.undo()
        if not (child := os.fork()):
            os._exit(phash_64(data) != reference(data))
        assert os.waitpid(child, 0)[1] == 0
        go_on.set()
        first.result()
    hashing._recent.clear()


def test_a_mirror_image_of_itself_is_left_to_imagehash() -> None:
    data = page([(40, 10, 119, 40, 0), (80, 70, 39, 39, 128)])
    assert phash_64(data) == reference(data)


def test_hashing_a_screenshot_imports_neither_numpy_nor_scipy() -> None:
    program = (
        "import sys; from augur_sdk.images.hashing import phash_64;"
        "assert len(phash_64(sys.stdin.buffer.read())) == 16;"
        "assert not {'numpy', 'scipy', 'imagehash'} & set(sys.modules)"
    )
    data = page([(20, 10, 90, 40, 30), (120, 60, 30, 30, 200)])
    subprocess.run([sys.executable, "-c", program], input=data, check=True)


def test_the_same_bytes_are_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    data = page([(3, 3, 77, 55, 31)])
    first = phash_64(data)
    monkeypatch.setattr(hashing, "_phash", lambda _data: pytest.fail("decoded again"))
    assert phash_64(data) == first


def test_what_is_remembered_is_bounded() -> None:
    for shade in range(hashing._REMEMBERED + 20):
        phash_64(page([(0, 0, 50, 50, shade)]))
    assert len(hashing._recent) == hashing._REMEMBERED


@pytest.mark.parametrize("data", [b"", b"no picture", page([])[:60], page([])[:-30]])
def test_what_cannot_be_decoded_has_no_hash(data: bytes) -> None:
    assert phash_64(data) is None
    with pytest.raises(UnusablePictureError, match="cannot be decoded"):
        decoded(data)


def test_a_picture_beyond_the_bound_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "MAX_PIXELS", 100)
    with pytest.raises(UnusablePictureError, match="more than 100 pixels"):
        decoded(page([]))


def test_other_formats_are_not_opened() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "GIF")
    assert phash_64(buffer.getvalue()) is None
