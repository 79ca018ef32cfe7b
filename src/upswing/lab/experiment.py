"""Running a grid on this machine: the corpus is laid into the store, then the jobs run."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from upswing.errors import ExperimentError, InputError
from upswing.lab.claims import check_claims
from upswing.lab.corpus import Corpus
from upswing.lab.experiment_files import keep_corpus
from upswing.lab.runner import local
from upswing.lab.runner.grid import GridResult, Progress
from upswing.lab.runner.job import Job
from upswing.lab.runner.local import run_jobs
from upswing.lab.runner.output import finished_records
from upswing.lab.runner.record import job_of
from upswing.tables.store import StoreWriter

_NEEDED = ("torch", "safetensors")


def run_experiment(
    jobs: Sequence[Job],
    store: str | Path,
    corpus: Corpus | None = None,
    *,
    workers: int = 2,
    progress: Progress | None = None,
) -> GridResult:
    """Run the jobs of a grid that have not finished.

    Parameters
    ----------
    jobs
        The grid.
    store
        Folder of the store, made where there is none.
    corpus
        Text of the pretraining jobs, if there are any.
    workers
        Processes, each with one thread.
    progress
        Called several times a second.

    Raises
    ------
    ExperimentError
        If PyTorch is not installed.
    InputError
        If the store holds something of the same name that was made in another way.
    OutputError
        If the store cannot be written.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ExperimentError(
            f"the lab needs {' and '.join(missing)}", hint="pip install 'upswing[lab]'"
        )
    check_claims(jobs, store)
    if corpus is not None:
        keep_corpus(StoreWriter(store).folder, corpus)
    return run_jobs(jobs, store, workers=workers, progress=progress)


def plan(jobs: Sequence[Job], store: str | Path) -> pl.DataFrame:
    """Return what :func:`run_experiment` would do, one row per job; nothing is run or written.

    Columns are those of :func:`upswing.lab.runner.plan.plan`.

    Raises
    ------
    InputError
        If the store holds something of the same name that was made in another way.
    """
    check_claims(jobs, store)
    return local.plan(jobs, store)


def pretrained_jobs(store: str | Path) -> list[Job]:
    """Return the pretraining jobs that have finished in a store, in the order of their labels.

    Raises
    ------
    InputError
        If there are none.
    """
    jobs = [job_of(record) for record in finished_records(store) if record.kind == "pretrain"]
    if not jobs:
        raise InputError(
            "no models of the lab are here",
            where=str(store),
            hint=f"train some: upswing lab ladder --out {store}",
        )
    return jobs


def job_seconds(store: str | Path) -> pl.DataFrame:
    """Return what the finished jobs of a store took.

    Returns
    -------
    polars.DataFrame
        Columns ``kind``, ``label``, ``key``, ``cpu_seconds``, ``wall_seconds``, one row per job.
    """
    records = finished_records(store)
    names = ("kind", "label", "key", "cpu_seconds", "wall_seconds")
    return pl.DataFrame(
        [{name: getattr(record, name) for name in names} for record in records],
        schema=dict(zip(names, (*[pl.String] * 3, *[pl.Float64] * 2), strict=True)),
    )
