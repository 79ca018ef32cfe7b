"""Folders in which jobs work until they have finished, and what is left of them.

``DIR/jobs/.KEY.making-…/`` holds ``output/`` and the file ``owner``, which the process that works
there keeps locked: where nobody does, nobody works any more. Making and removing such folders
happens under the lock of the whole grid, so that none is removed before its owner could lock it.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from upswing.lab.runner.disk import writing
from upswing.lab.runner.lock import exclusive, may_be_held


def grid_lock(store: Path) -> Path:
    """Return the lock under which the folders of jobs and their rows get their places."""
    return store / "jobs" / ".lock"


@contextmanager
def making(store: Path, key: str) -> Iterator[Path]:
    """Give an empty folder for the output of a job; it is removed unless it was renamed.

    Raises
    ------
    OutputError
        If it cannot be made.
    """
    # Not ".tmp": a store removes what is named so itself, and it knows of files only.
    place = store / "jobs" / f".{key}.making-{uuid.uuid4().hex[:12]}"
    try:
        with ExitStack() as owned:
            with writing(store), exclusive(grid_lock(store)):
                (place / "output").mkdir(parents=True)
                owned.enter_context(exclusive(place / "owner"))
            yield place / "output"
    finally:
        shutil.rmtree(place, ignore_errors=True)


def remove_left(store: Path) -> None:
    """Remove the folders in which nobody works any more."""
    with exclusive(grid_lock(store)):
        for place in (store / "jobs").glob(".*.making-*"):
            if not may_be_held(place / "owner"):
                shutil.rmtree(place, ignore_errors=True)
