"""The runner for one machine: a few single-threaded processes that share the grid."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from upswing.errors import InputError
from upswing.lab.runner.grid import Failure, GridResult, GridState, Progress, Running
from upswing.lab.runner.job import Job
from upswing.lab.runner.kinds import KINDS, check_kinds
from upswing.lab.runner.making import remove_left
from upswing.lab.runner.output import (
    is_finished,
    output_folder,
    prepare,
    read_failure,
    read_record,
    write_failure,
)
from upswing.lab.runner.plan import plan
from upswing.lab.runner.process import Message, WorkerProcess
from upswing.lab.runner.remaining import Remaining
from upswing.lab.runner.schedule import Schedule

__all__ = [
    "LocalRunner",
    "is_finished",
    "output_folder",
    "plan",
    "read_failure",
    "read_record",
    "run_jobs",
]

_TICK = 0.25
"""Seconds between two calls of ``progress`` when nothing happens."""


def run_jobs(
    jobs: Sequence[Job],
    store: str | Path,
    *,
    workers: int = 2,
    progress: Progress | None = None,
    kinds: Mapping[str, str] = KINDS,
) -> GridResult:
    """Run the jobs that have not finished on this machine; see :class:`LocalRunner`."""
    return LocalRunner(workers, kinds).run(jobs, store, progress)


@dataclass(frozen=True)
class LocalRunner:
    """Runs a grid in processes of this machine.

    Attributes
    ----------
    workers
        Number of processes, each with one thread.
    kinds
        Function of each kind of job, as ``module:function``.
    """

    workers: int = 2
    kinds: Mapping[str, str] = field(default_factory=lambda: KINDS)

    def run(
        self, jobs: Sequence[Job], store: str | Path, progress: Progress | None = None
    ) -> GridResult:
        """Run the jobs that have not finished and add their rows to the store.

        A job that fails, or whose process dies, does not stop the others. A run that is stopped,
        by Ctrl-C or by force, loses the jobs it was on; the same call goes on after it.

        Parameters
        ----------
        jobs
            The grid.
        store
            Folder of the store, made where there is none.
        progress
            Called several times a second.

        Raises
        ------
        InputError
            If there are less than one worker, the jobs need each other in a circle or need one
            that does not exist, or the folder holds a store of another version.
        UnknownNameError
            If a job is of an unknown kind.
        OutputError
            If the store cannot be written at all.
        """
        if self.workers < 1:
            raise InputError(f"{self.workers} workers cannot run jobs")
        check_kinds(jobs, self.kinds)
        folder = Path(store).absolute()
        schedule = Schedule(jobs, lambda key: is_finished(folder, key))
        prepare(folder)
        return _Run(schedule, folder, self.workers, self.kinds, progress).to_the_end()


class _Run:
    """One run: which worker is on what, and what came of the jobs so far."""

    def __init__(
        self,
        schedule: Schedule,
        store: Path,
        workers: int,
        kinds: Mapping[str, str],
        progress: Progress | None,
    ) -> None:
        self._schedule, self._store, self._kinds = schedule, store, kinds
        self._workers, self._progress = workers, progress
        self._remaining = Remaining(schedule, workers)
        self._inbox: SimpleQueue[Message] = SimpleQueue()
        self._idle: list[WorkerProcess] = []
        self._busy: list[WorkerProcess] = []
        self._done: list[Job] = []
        self._skipped = list(schedule.skipped)
        self._failed: list[Failure] = []
        self._waiting: set[str] = set()
        self._began = time.monotonic()
        self._told = float("-inf")

    def to_the_end(self) -> GridResult:
        """Run everything that can run."""
        try:
            self._give_out()
            while self._busy:
                self._tell()
                with suppress(Empty):
                    self._hear(*self._inbox.get(timeout=_TICK))
                self._give_out()
        finally:
            self._dismiss(self._idle + self._busy)
        self._tell(is_last=True)
        waiting = tuple(job for key, job in self._schedule.todo.items() if key in self._waiting)
        return GridResult(tuple(self._done), tuple(self._skipped), tuple(self._failed), waiting)

    def _give_out(self) -> None:
        while len(self._busy) < self._workers and (job := self._schedule.next()) is not None:
            if is_finished(self._store, job.key):  # by another run, since this one began
                self._skipped.append(job)
                self._remaining.given_up([job.key])
                self._schedule.finished(job)
                continue
            worker = self._idle.pop() if self._idle else WorkerProcess(self._inbox)
            self._busy.append(worker)
            worker.begin(job, self._kinds[job.kind], self._store)

    def _hear(self, worker: WorkerProcess, content: Mapping[str, Any] | None) -> None:
        job = worker.job
        if content is None:
            self._bury(worker)
        elif "progress" in content:
            worker.share = content["progress"]
            return
        else:
            worker.job = None
            self._busy.remove(worker)
            self._idle.append(worker)
        if job is None:
            return
        if is_finished(self._store, job.key):  # one that dies now did its work all the same
            self._done.append(job)
            self._remaining.ended(job.key, worker.seconds)
            self._schedule.finished(job)
        elif content is None:
            self._fail(job, worker.how_it_ended(), "")
        else:
            self._fail(
                job, content.get("failed", "its output is gone"), content.get("traceback", "")
            )

    def _fail(self, job: Job, error: str, traceback: str) -> None:
        with suppress(OSError):  # on a full disk the result alone tells it
            write_failure(self._store, job, error, traceback)
        self._failed.append(Failure(job, error, traceback))
        waiting = self._schedule.waiting_for(job)
        self._waiting |= waiting
        self._remaining.given_up([job.key, *waiting])

    def _bury(self, worker: WorkerProcess) -> None:
        for group in (self._idle, self._busy):
            if worker in group:
                group.remove(worker)
        self._dismiss([worker])

    def _dismiss(self, workers: Sequence[WorkerProcess]) -> None:
        for worker in workers:
            worker.dismiss()
        for worker in workers:
            worker.wait()
        with suppress(OSError):
            remove_left(self._store)

    def _tell(self, is_last: bool = False) -> None:
        now = time.monotonic()
        if self._progress is None or (now - self._told < _TICK and not is_last):
            return
        self._told = now
        running = {w.job.key: (w.share, w.seconds) for w in self._busy if w.job is not None}
        ended = len(self._done) + len(self._skipped) + len(self._failed) + len(self._waiting)
        self._progress(
            GridState(
                done=len(self._done),
                skipped=len(self._skipped),
                failed=len(self._failed),
                waiting=len(self._waiting),
                left=len(self._schedule.jobs) - ended,
                running=tuple(
                    Running(w.job.name, w.share) for w in self._busy if w.job is not None
                ),
                share=self._remaining.share(running),
                seconds=now - self._began,
                seconds_left=self._remaining.seconds(running),
            )
        )
