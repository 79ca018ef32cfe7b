"""In which order jobs run: what others wait for longest comes first."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from upswing.errors import InputError
from upswing.lab.runner.job import Job


class Schedule:
    """Gives the jobs of a grid, each when the jobs that it needs have finished.

    Of the jobs that may run, that one is next from which the longest path of costs leads to the end
    of the grid, so that several workers end at about the same time.

    Parameters
    ----------
    jobs
        The grid; a job that is in it twice runs once.
    is_finished
        Tells by its key whether a job has finished earlier.

    Attributes
    ----------
    jobs
        The jobs by key.
    skipped
        Those that have finished earlier.
    todo
        The others, in the order of the grid.

    Raises
    ------
    InputError
        If a job needs one that is not in the grid and has not finished, or jobs need each other in
        a circle.
    """

    def __init__(self, jobs: Iterable[Job], is_finished: Callable[[str], bool]) -> None:
        self.jobs = _by_key(jobs)
        self.skipped = tuple(job for job in self.jobs.values() if is_finished(job.key))
        earlier = set(self.skipped)
        self.todo = {key: self.jobs[key] for key in self.jobs if self.jobs[key] not in earlier}
        self._needs = {k: self._unfinished(job, is_finished) for k, job in self.todo.items()}
        self._needed_by: dict[str, list[str]] = {key: [] for key in self.todo}
        for key, needs in self._needs.items():
            for need in needs:
                self._needed_by[need].append(key)
        self.path = self._longest_paths()
        self._sorter = TopologicalSorter(self._needs)
        self._sorter.prepare()
        self._order = {key: position for position, key in enumerate(self.todo)}
        self._ready: list[tuple[float, int, str]] = []
        self._collect()

    def next(self) -> Job | None:
        """Return the next job that may run now; None where all wait for others or none is left."""
        return self.todo[heapq.heappop(self._ready)[2]] if self._ready else None

    def finished(self, job: Job) -> None:
        """Tell that a job has finished; those that need it may run."""
        self._sorter.done(job.key)
        self._collect()

    def waiting_for(self, job: Job) -> set[str]:
        """Return the keys of all jobs that cannot run without a job, at first or second hand."""
        found: set[str] = set()
        stack = [job.key]
        while stack:
            new = set(self._needed_by[stack.pop()]) - found
            found |= new
            stack += new
        return found

    def _collect(self) -> None:
        for key in self._sorter.get_ready():
            heapq.heappush(self._ready, (-self.path[key], self._order[key], key))

    def _unfinished(self, job: Job, is_finished: Callable[[str], bool]) -> tuple[str, ...]:
        for need in job.needs:
            if need not in self.jobs and not is_finished(need):
                raise InputError(
                    f"job {job.name!r} needs job {need}, which is not in the grid and not finished"
                )
        return tuple(need for need in job.needs if need in self.todo)

    def _longest_paths(self) -> dict[str, float]:
        """Return the cost from the start of each job to the end of all that wait for it."""
        try:
            order = list(TopologicalSorter(self._needs).static_order())
        except CycleError as error:
            names = " -> ".join(self.jobs[key].name for key in error.args[1])
            raise InputError(f"jobs need each other in a circle: {names}") from None
        path: dict[str, float] = {}
        for key in reversed(order):
            after = max((path[other] for other in self._needed_by[key]), default=0.0)
            path[key] = self.todo[key].cost + after
        return path


def _by_key(jobs: Iterable[Job]) -> Mapping[str, Job]:
    found: dict[str, Job] = {}
    for job in jobs:
        twin = found.setdefault(job.key, job)
        if twin.needs != job.needs:
            needs = dict.fromkeys((*twin.needs, *job.needs))
            found[job.key] = replace(twin, needs=tuple(needs))
    return found
