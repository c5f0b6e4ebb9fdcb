"""Where two screenshots differ."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from augur_sdk.images.difference import Region, changed_regions

SIZE = (200, 120)


def page(*boxes: Region, mode: str = "RGB") -> Image.Image:
    picture = Image.new(mode, SIZE, "white")
    for box in boxes:
        ImageDraw.Draw(picture).rectangle(
            (box.left, box.top, box.right - 1, box.bottom - 1), "navy"
        )
    return picture


def test_equal_pictures_have_no_changed_regions() -> None:
    assert changed_regions(page(Region(5, 5, 50, 50)), page(Region(5, 5, 50, 50))) == []


def test_a_changed_box_is_found_to_the_pixel() -> None:
    box = Region(37, 21, 63, 45)
    assert changed_regions(page(), page(box)) == [box]


def test_separate_changes_are_separate_regions_largest_first() -> None:
    small, large = Region(3, 4, 9, 9), Region(100, 50, 160, 90)
    assert changed_regions(page(), page(small, large)) == [large, small]


def test_changes_close_to_each_other_are_one_region() -> None:
    letters = [Region(20 + 10 * n, 40, 26 + 10 * n, 48) for n in range(6)]
    assert changed_regions(page(), page(*letters)) == [Region(20, 40, 76, 48)]


def test_a_single_pixel_counts_and_noise_does_not() -> None:
    one, noisy = page(), page()
    one.putpixel((150, 100), (255, 255, 200))
    noisy.putpixel((150, 100), (255, 250, 245))
    assert changed_regions(page(), one) == [Region(150, 100, 151, 101)]
    assert changed_regions(page(), noisy) == []


def test_a_change_of_colour_alone_counts() -> None:
    green, red = Image.new("RGB", SIZE, (0, 100, 0)), Image.new("RGB", SIZE, (196, 0, 0))
    assert changed_regions(green, red) == [Region(0, 0, *SIZE)]


def test_pictures_of_different_sizes_differ_everywhere() -> None:
    assert changed_regions(page(), Image.new("RGB", (50, 40))) == [Region(0, 0, 50, 40)]


@given(
    st.lists(
        st.builds(
            lambda x, y, w, h: Region(x, y, min(x + w, SIZE[0]), min(y + h, SIZE[1])),
            st.integers(0, SIZE[0] - 1),
            st.integers(0, SIZE[1] - 1),
            st.integers(1, 60),
            st.integers(1, 60),
        ),
        min_size=1,
        max_size=5,
    )
)
@settings(deadline=None, max_examples=60)
def test_every_changed_pixel_lies_in_a_region(boxes: list[Region]) -> None:
    regions = changed_regions(page(), page(*boxes))
    for box in boxes:
        for x, y in ((box.left, box.top), (box.right - 1, box.bottom - 1)):
            assert min(region.distance(x, y) for region in regions) == 0
