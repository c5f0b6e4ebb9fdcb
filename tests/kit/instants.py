"""The folder of a live session as it is at an instant, copied while the session goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

from augur_sdk.bundle import layout

__all__ = ["copy_of_live_folder"]

_PICTURES = layout.PATHS["screenshots"].rstrip("/")


def copy_of_live_folder(folder: Path, copy: Path) -> None:
    """Copy what a process killed now could leave behind.

    Copying takes time, in which the session goes on. So what is made from the journal is copied
    before it, and what it speaks of after it: no copy holds a file that no kill could leave. A
    file that vanishes meanwhile was a temporary one or was taken back; it is not in the copy.
    """
    made_elsewhere = shutil.ignore_patterns(layout.JOURNAL, _PICTURES)
    shutil.copytree(folder, copy, ignore=made_elsewhere, copy_function=_copy_if_there)
    _copy_if_there(str(folder / layout.JOURNAL), str(copy / layout.JOURNAL))
    if (folder / _PICTURES).exists():
        shutil.copytree(folder / _PICTURES, copy / _PICTURES, copy_function=_copy_if_there)


def _copy_if_there(source: str, target: str) -> None:
    try:
        data = Path(source).read_bytes()
    except FileNotFoundError:
        return
    Path(target).write_bytes(data)
