"""Locks between processes, which the system lets go when their holder dies.

Some network file systems have none. There, two runs in one folder at the same time are the user's
to avoid, and what a killed run left is not removed.
"""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NOT_SUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock that is the file at ``path``; wait until it is free."""
    with path.open("ab") as file:
        _acquire(file.fileno())
        yield  # closing the file lets go


def may_be_held(path: Path) -> bool:
    """Tell whether a process holds the lock at ``path``, or that cannot be known."""
    try:
        with path.open("rb+") as file:
            return not _try(file.fileno())
    except FileNotFoundError:
        return False
    except OSError:
        return True


if sys.platform == "win32":
    import msvcrt

    def _acquire(descriptor: int) -> None:
        while not _try(descriptor):
            time.sleep(0.02)

    def _try(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True
else:
    import fcntl

    def _acquire(descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in _NOT_SUPPORTED:
                raise

    def _try(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
