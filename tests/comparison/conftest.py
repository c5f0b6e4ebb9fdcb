"""Two runs of a small shop, written by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from handmade import BundleBuilder, around, screen

Run = Callable[..., Path]

LABELS = ("Search", "Mug", "Add to cart", "Checkout", "Pay", "Done")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Write a run of clicks on labels; `changes` replaces fields of the step with that label."""

    def write(
        name: str, labels: tuple[str, ...] = LABELS, *, pictures: bool = True, **changes: Any
    ) -> Path:
        bundle = BundleBuilder(tmp_path / name)
        for label in labels:
            x, y = 60 + 90 * (len(label) % 6), 60 + 13 * len(label)
            grounding = {"provider": "g", "provenance": "screenshot", "target_label": label}
            fields = {"grounding": grounding, "verdict": {"status": "passed"}}
            bundle.click(x, y, **(fields | changes.get(label.split()[0].lower(), {})))
            if pictures:
                bundle.pre(screen((10, 10, 40 * len(label), 30), (x, 200, x + 80, 350)))
                bundle.post(screen((10, 10, 40 * len(label), 30), around(x, y, 20)))
        return bundle.close()

    return write
