"""What an I/O error means for what was to be written: wait and repeat, or count it as lost."""

from __future__ import annotations

import errno
from enum import StrEnum
from typing import Final

__all__ = ["Fault", "fault_of"]


class Fault(StrEnum):
    """Why something could not be written; the closed set of reasons that stats show."""

    DISK_FULL = "disk_full"
    READ_ONLY = "read_only"
    FOLDER_GONE = "folder_gone"
    IO_ERROR = "io_error"
    EXHAUSTED = "exhausted"
    UNWRITABLE = "unwritable"
    INTERNAL = "internal"
    REDACTION = "redaction"

    @property
    def passing(self) -> bool:
        """Whether the disk as a whole is at fault, so that waiting may heal it."""
        return self not in {Fault.UNWRITABLE, Fault.INTERNAL, Fault.REDACTION}


_NAMES: Final = {
    Fault.DISK_FULL: ("ENOSPC", "EDQUOT", "EFBIG"),
    Fault.READ_ONLY: ("EROFS", "EACCES", "EPERM"),
    Fault.FOLDER_GONE: ("ENOENT", "ESTALE"),
    Fault.EXHAUSTED: ("EMFILE", "ENFILE", "ENOMEM"),
    Fault.UNWRITABLE: ("ENOTDIR", "EISDIR", "EEXIST", "ENAMETOOLONG", "ELOOP", "EINVAL"),
}
# By name, because not every platform knows every one of them.
_BY_ERRNO: Final = {
    getattr(errno, name): fault
    for fault, names in _NAMES.items()
    for name in names
    if hasattr(errno, name)
}


def fault_of(error: OSError) -> Fault:
    """Classify an I/O error."""
    return _BY_ERRNO.get(error.errno or 0, Fault.IO_ERROR)
