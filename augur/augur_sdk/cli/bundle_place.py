"""Where a command's bundle is: a folder, or a URI that is read through a private copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from augur_sdk.bundle import layout
from augur_sdk.cli.bundle_folder import require_bundle
from augur_sdk.cli.terminal import counting
from augur_sdk.errors import BundleReadError

__all__ = ["BundlePlace", "bundle_at"]

BundlePlace: TypeAlias = Annotated[
    str, typer.Argument(metavar="DIR", help="The bundle's folder, or its URI: s3://bucket/run.")
]


@contextmanager
def bundle_at(place: str, *, names_only: Callable[[str], bool] | None = None) -> Iterator[Path]:
    """A folder with the bundle; from a URI a copy, with a progress bar, that goes afterwards.

    Args:
        place: A folder or a URI.
        names_only: Which files' contents are not needed; they are empty in a copy.

    Raises:
        BundleReadError: There is no bundle.
        StoreError: The store could not be read.
    """
    from augur_sdk.storage.reading import is_uri, local_copy

    if not is_uri(place):
        require_bundle(Path(place))
        yield Path(place)
        return
    with ExitStack() as stack:
        with counting("Fetching") as progress:
            copy = local_copy(place, names_only=names_only, progress=progress)
            folder = stack.enter_context(copy)
        if not (folder / layout.MANIFEST).is_file():
            raise BundleReadError(
                f"{place} holds no {layout.MANIFEST}: it is not a bundle, or not all of one",
                fix="Finish its upload: augur push --store URI DIR.",
            )
        yield folder
