"""What the operating systems do differently: locks and positioned reads."""

from __future__ import annotations

import os
import sys

__all__ = ["lock_file", "read_at"]

if sys.platform == "win32":
    import msvcrt
    import threading

    _LOCK_AT = 2**62
    _seeking = threading.Lock()

    def lock_file(fd: int) -> bool:
        """Lock a descriptor for as long as it is open; False when another one holds it."""
        try:
            # A byte far behind the data: on Windows a locked range cannot be read by others.
            os.lseek(fd, _LOCK_AT, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def read_at(fd: int, length: int, offset: int) -> bytes:
        """Read at a position; appends go to the end whatever the position is."""
        with _seeking:
            os.lseek(fd, offset, os.SEEK_SET)
            return os.read(fd, length)

else:
    import errno
    import fcntl

    def lock_file(fd: int) -> bool:
        """Lock a descriptor for as long as it is open; False when another one holds it."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            # A file system without locks (some network mounts) must still take a bundle.
            return error.errno not in {errno.EWOULDBLOCK, errno.EACCES}
        return True

    def read_at(fd: int, length: int, offset: int) -> bytes:
        """Read at a position; appends go to the end whatever the position is."""
        return os.pread(fd, length, offset)
