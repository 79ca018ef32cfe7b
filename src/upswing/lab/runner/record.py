"""What is written down about a job: provenance when it has finished, the error when not."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from upswing.errors import InputError
from upswing.lab.runner.job import Job
from upswing.version import __version__

_LIBRARIES = ("torch", "numpy", "polars", "safetensors", "transformers", "peft")

T = TypeVar("T")


@dataclass(frozen=True)
class Record:
    """Where the output of a finished job comes from.

    Attributes
    ----------
    kind, config, key, label
        The job; its seed is in the config.
    source
        Name of the job in the column ``source`` of its rows.
    rows
        Number of rows that it added, by table.
    upswing, python, platform
        Versions of Upswing and Python, and the machine.
    libraries
        Version of each library that was imported when the job ended.
    cpu_seconds, wall_seconds
        What it took [s].
    finished
        When it ended (ISO 8601, UTC).
    """

    kind: str
    config: Mapping[str, Any]
    key: str
    label: str
    source: str
    rows: Mapping[str, int]
    upswing: str
    python: str
    platform: str
    libraries: Mapping[str, str]
    cpu_seconds: float
    wall_seconds: float
    finished: str


def job_of(record: Record) -> Job:
    """Return the job that a record is about, without what it needed and cost."""
    return Job(record.kind, record.config, label=record.label)


@dataclass(frozen=True)
class FailureRecord:
    """Why a job failed.

    Attributes
    ----------
    kind, config, key, label
        The job.
    error
        What went wrong, in one line.
    traceback
        Where in the code; empty where the process died.
    finished
        When it ended (ISO 8601, UTC).
    """

    kind: str
    config: Mapping[str, Any]
    key: str
    label: str
    error: str
    traceback: str
    finished: str


class Stopwatch:
    """Measures what a job takes, from its making on."""

    def __init__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.monotonic()

    def record(self, job: Job, rows: Mapping[str, int]) -> Record:
        """Return the record of a job that has just done its work."""
        return Record(
            kind=job.kind,
            config=job.config,
            key=job.key,
            label=job.label,
            source=job.source,
            rows=rows,
            upswing=__version__,
            python=platform.python_version(),
            platform=platform.platform(),
            libraries=_imported(),
            cpu_seconds=round(time.process_time() - self._cpu, 3),
            wall_seconds=round(time.monotonic() - self._wall, 3),
            finished=now(),
        )


def now() -> str:
    """Return the time in UTC (ISO 8601), to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def to_bytes(record: Record | FailureRecord) -> bytes:
    """Return a record as JSON."""
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"


def from_file(path: Path, kind: type[T]) -> T:
    """Return the record in a file.

    Raises
    ------
    InputError
        If the file is no such record.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(f"a damaged record of a job: {error}", where=str(path)) from None


def _imported() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        if name in sys.modules:
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                found[name] = str(getattr(sys.modules[name], "__version__", "unknown"))
    return found
