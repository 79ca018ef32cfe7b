"""Folders of jobs in a store: made aside, flushed, and renamed when the job has finished.

``DIR/jobs/KEY/`` holds the files of a finished job and its ``record.json``, and
``DIR/jobs/KEY.failed.json`` the error of a failed one. While a job runs its files are in
``DIR/jobs/.KEY.making-…``. Its rows are added to the store just before the renaming, under a lock:
whatever is killed at whatever moment, at worst the job runs again and its rows take the place of
those that it added before.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from upswing.errors import ExperimentError
from upswing.lab.runner.disk import flush, flush_tree, writing
from upswing.lab.runner.job import Job
from upswing.lab.runner.lock import exclusive
from upswing.lab.runner.making import grid_lock, remove_left
from upswing.lab.runner.record import FailureRecord, Record, Stopwatch, from_file, now, to_bytes
from upswing.lab.runner.rows import add_to_store, count_rows, stamped
from upswing.tables.reading import Reading
from upswing.tables.store import StoreWriter, write_atomically

_RECORD = "record.json"


def output_folder(store: str | Path, key: str) -> Path:
    """Return where the output of a job is once it has finished."""
    return Path(store) / "jobs" / key


def is_finished(store: str | Path, key: str) -> bool:
    """Tell whether a job has finished."""
    return (output_folder(store, key) / _RECORD).is_file()


def finished_folder(store: str | Path, key: str) -> Path:
    """Return the folder with the output of a finished job.

    Raises
    ------
    ExperimentError
        If the job has not finished.
    """
    if not is_finished(store, key):
        raise ExperimentError(f"job {key} has not finished", where=str(store))
    return output_folder(store, key)


def read_record(store: str | Path, key: str) -> Record:
    """Return the record of a finished job: its config, versions, times.

    Raises
    ------
    ExperimentError
        If the job has not finished.
    InputError
        If the record is damaged.
    """
    return from_file(finished_folder(store, key) / _RECORD, Record)


def finished_records(store: str | Path) -> list[Record]:
    """Return the records of all jobs that have finished in a store, sorted by kind and label.

    Raises
    ------
    InputError
        If a record is damaged.
    """
    paths = (Path(store) / "jobs").glob(f"*/{_RECORD}")
    records = [from_file(path, Record) for path in paths]
    return sorted(records, key=lambda record: (record.kind, record.label, record.key))


def read_failure(store: str | Path, key: str) -> FailureRecord | None:
    """Return why a job failed when it was last tried, if it did.

    Raises
    ------
    InputError
        If the record is damaged.
    """
    path = _failure_path(store, key)
    return from_file(path, FailureRecord) if path.is_file() else None


def write_failure(store: Path, job: Job, error: str, traceback: str) -> None:
    """Write down why a job failed.

    Raises
    ------
    OSError
        If that cannot be written either.
    """
    record = FailureRecord(job.kind, job.config, job.key, job.label, error, traceback, now())
    path = _failure_path(store, job.key)
    write_atomically(path, lambda temporary: Path(temporary).write_bytes(to_bytes(record)))


def prepare(store: Path) -> None:
    """Make the store where there is none, and remove what dead processes left in it.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    InputError
        If it holds a store of another version.
    """
    with writing(store):
        (store / "jobs").mkdir(parents=True, exist_ok=True)
        with exclusive(grid_lock(store)):
            StoreWriter(store)
        remove_left(store)


def keep(
    folder: Path, job: Job, readings: Sequence[Reading], store: Path, watch: Stopwatch
) -> None:
    """Make a job count: add its rows to the store and give its folder the final name.

    If another run has finished the same job in the meantime, that one counts.

    Raises
    ------
    OutputError
        If the disk is full or the store cannot be written.
    """
    rows = stamped(readings, job)
    final = output_folder(store, job.key)
    with writing(store):
        (folder / _RECORD).write_bytes(to_bytes(watch.record(job, count_rows(rows))))
        flush_tree(folder)
        with exclusive(grid_lock(store)):
            if is_finished(store, job.key):
                return
            add_to_store(rows, job, store)
            if final.exists():  # without a record: someone took it out, so that the job runs again
                shutil.rmtree(final)
            folder.rename(final)
        flush(final.parent)
    with suppress(OSError):  # it only says what went wrong before
        _failure_path(store, job.key).unlink()


def _failure_path(store: str | Path, key: str) -> Path:
    return Path(store) / "jobs" / f"{key}.failed.json"
