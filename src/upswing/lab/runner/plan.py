"""What a run of a grid would do: for ``--dry-run``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from upswing.lab.runner.job import Job
from upswing.lab.runner.output import is_finished, read_failure
from upswing.lab.runner.schedule import Schedule


def plan(jobs: Sequence[Job], store: str | Path) -> pl.DataFrame:
    """Return one row per job of a grid; nothing is run or written.

    Returns
    -------
    pl.DataFrame
        Columns ``label``, ``kind``, ``key``, ``state`` (done, failed or to do), ``cpu_seconds``
        (estimated [s]) and ``error`` (of a failed job). What is failed or to do would run.

    Raises
    ------
    InputError
        If a job needs one that is not in the grid and has not finished, or jobs need each other in
        a circle.
    """
    schedule = Schedule(jobs, lambda key: is_finished(store, key))
    rows = []
    for job in schedule.jobs.values():
        failure = read_failure(store, job.key) if job.key in schedule.todo else None
        state = "failed" if failure else "to do" if job.key in schedule.todo else "done"
        error = failure.error if failure else None
        rows.append((job.name, job.kind, job.key, state, job.cost, error))
    columns = {
        "label": pl.String,
        "kind": pl.String,
        "key": pl.String,
        "state": pl.String,
        "cpu_seconds": pl.Float64,
        "error": pl.String,
    }
    return pl.DataFrame(rows, schema=columns, orient="row")
