"""What the function of a job gets beside its config: a folder, others' output, a progress bar."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from upswing.lab.runner.job import Job
from upswing.lab.runner.output import finished_folder

_SECONDS_BETWEEN = 0.2


@dataclass(frozen=True, eq=False)
class Workplace:
    """Where a job works.

    Attributes
    ----------
    folder
        An empty folder for the files that the job makes; kept if and only if the job succeeds.
    job
        The job.
    store
        Folder of the store to which its rows will be added.
    report
        Called with the share of the work that is done.
    """

    folder: Path
    job: Job
    store: Path
    report: Callable[[float], None] = field(default=lambda _: None)
    _latest: list[float] = field(default_factory=lambda: [float("-inf")], repr=False)

    @property
    def key(self) -> str:
        """Key of the job."""
        return self.job.key

    @property
    def source(self) -> str:
        """Name of the job in the column ``source`` of its rows."""
        return self.job.source

    def output(self, key: str) -> Path:
        """Return the folder with the files of a finished job.

        Raises
        ------
        ExperimentError
            If that job has not finished.
        """
        return finished_folder(self.store, key)

    def progress(self, done: float) -> None:
        """Tell the share of the work that is done, in [0, 1]; may be called at every step."""
        now = time.monotonic()
        if now - self._latest[0] >= _SECONDS_BETWEEN:
            self._latest[0] = now
            self.report(min(max(done, 0.0), 1.0))
