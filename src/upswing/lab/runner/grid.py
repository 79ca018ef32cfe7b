"""What a run of a job grid tells while it goes on and at its end, whatever runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from upswing.errors import ExperimentError
from upswing.lab.runner.job import Job


@dataclass(frozen=True)
class Failure:
    """A job that failed.

    Attributes
    ----------
    job
        The job.
    error
        What went wrong, in one line.
    traceback
        Where in the code; empty where the process died.
    """

    job: Job
    error: str
    traceback: str = ""


@dataclass(frozen=True)
class GridResult:
    """What a run did.

    Attributes
    ----------
    done
        Jobs that this run finished.
    skipped
        Jobs that had finished before.
    failed
        Jobs that failed; a later run tries them again.
    waiting
        Jobs that did not run since one that they need failed.
    """

    done: tuple[Job, ...] = ()
    skipped: tuple[Job, ...] = ()
    failed: tuple[Failure, ...] = ()
    waiting: tuple[Job, ...] = ()

    def check(self) -> None:
        """Raise if not every job of the grid has finished.

        Raises
        ------
        ExperimentError
            Telling how many failed, and the first error.
        """
        if not self.failed:
            return
        total = len(self.done) + len(self.skipped) + len(self.failed) + len(self.waiting)
        first = self.failed[0]
        waiting = f" and {len(self.waiting)} could not run without them" if self.waiting else ""
        raise ExperimentError(
            f"{len(self.failed)} of {total} jobs failed{waiting}; the first, {first.job.name}: "
            f"{first.error}",
            hint="what is done is kept; the same command tries the rest again",
        )


@dataclass(frozen=True)
class Running:
    """What one worker is on.

    Attributes
    ----------
    label
        Name of the job.
    share
        How much of it is done, as far as it tells, in [0, 1].
    """

    label: str
    share: float


@dataclass(frozen=True)
class GridState:
    """How far a run is.

    Attributes
    ----------
    done, skipped, failed, waiting
        Numbers of jobs, as in :class:`GridResult`.
    left
        Number of jobs that are running or will run.
    running
        What each worker is on.
    share
        Share of the work of this run that is behind it, by estimated cost, in [0, 1].
    seconds
        Time since the start [s].
    seconds_left
        Estimated time to the end [s]; None where nothing is known yet.
    """

    done: int
    skipped: int
    failed: int
    waiting: int
    left: int
    running: tuple[Running, ...]
    share: float
    seconds: float
    seconds_left: float | None


Progress = Callable[[GridState], None]


class Runner(Protocol):
    """Anything that runs a job grid: processes on this machine, or a cluster."""

    def run(
        self, jobs: Sequence[Job], store: str | Path, progress: Progress | None = None
    ) -> GridResult:
        """Run the jobs that have not finished and add their rows to the store.

        A job that fails does not stop the others.

        Parameters
        ----------
        jobs
            The grid.
        store
            Folder of the store, made where there is none.
        progress
            Called every now and then.
        """
        ...
