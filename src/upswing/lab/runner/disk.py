"""Files that are on the disk when we say so, and the errors of a full one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from upswing.errors import OutputError


def flush_tree(folder: Path) -> None:
    """Flush every file and folder below a folder, and itself."""
    for root, _, names in os.walk(folder):
        for name in names:
            with (Path(root) / name).open("rb") as file:
                os.fsync(file.fileno())
        flush(Path(root))


def flush(folder: Path) -> None:
    """Flush the names in a folder, where the system can."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def writing(store: Path) -> Iterator[None]:
    """Turn errors of the file system into one of ours.

    Raises
    ------
    OutputError
        If the disk is full or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"the output of a job cannot be written: {error.strerror or error}", where=str(store)
        ) from None
