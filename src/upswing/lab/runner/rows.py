"""Rows of a job on their way into the store: each names the job that it comes from."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from upswing.errors import ExperimentError
from upswing.lab.runner.job import Job
from upswing.sources.check import check_scores
from upswing.sources.check_items import check_items
from upswing.tables.provenance import FILES, sha256
from upswing.tables.reading import Reading, scale_rows
from upswing.tables.schemas import FINETUNES, ITEMS, SCORES
from upswing.tables.store import Entry, StoreWriter
from upswing.version import __version__

READER = "lab"
MADE_BY = f"upswing-lab {__version__}"
_TABLES = ("scores", "scales", "items", "finetunes")


def stamped(readings: Iterable[Reading], job: Job) -> list[Reading]:
    """Return readings whose rows all name the job as their source, which is listed as a file.

    The content of that file is what the job found: its size and checksum are those of the rows.

    Every score, question and finetuned score must name its family, which a file need not.

    Raises
    ------
    InputError
        If a table lacks a required value or has an impossible one.
    ExperimentError
        If a score is NaN or infinite.
    """
    own = [_checked(reading, job.source) for reading in readings]
    digest, size = hashlib.sha256(), 0
    for reading in own:
        for name in _TABLES:
            content = io.BytesIO()
            getattr(reading, name).write_ipc(content)
            digest.update(content.getbuffer())
            size += content.tell()
        for note in reading.notes:
            digest.update(repr(note.to_dict()).encode())
    row = {
        "source": job.source,
        "sha256": digest.hexdigest(),
        "bytes": size,
        "reader": READER,
        "harness": MADE_BY,
        "rows": sum(count_rows(own).values()),
    }
    return [*own, Reading(files=pl.DataFrame([row], schema=FILES.polars))]


def count_rows(readings: Sequence[Reading]) -> dict[str, int]:
    """Return the number of rows of each table."""
    return {name: sum(len(getattr(r, name)) for r in readings) for name in _TABLES}


def add_to_store(readings: Sequence[Reading], job: Job, store: Path) -> None:
    """Add the stamped readings of a job to the store, in place of those of an earlier run of it.

    The same rows change nothing. Other ones, such as by another processor's rounding, replace the
    rows of a run that was killed between this and the end of the job.

    Raises
    ------
    OutputError
        If the store cannot be written.
    """
    content = readings[-1].files["sha256"][0]
    entry = Entry(job.source, content, place=sha256(job.source.encode()))
    StoreWriter(store).add(readings, entry)


def _checked(reading: Reading, source: str) -> Reading:
    """Return a reading as the store may have it: complete, possible, and with its source.

    One bad row would make the whole store unreadable, so it is refused here.
    """
    frames = {
        schema.name: schema.conform(getattr(reading, schema.name))
        for schema in (SCORES, ITEMS, FINETUNES)
    }
    frames["scales"] = pl.concat([scale_rows([]), reading.scales])
    for name in ("scores", "finetunes"):
        if not frames[name]["value"].is_finite().all():
            raise ExperimentError(f"a value in the {name} is not a finite number", where=source)
    own: dict[str, Any] = {
        name: frame.with_columns(source=pl.lit(source)) for name, frame in frames.items()
    }
    own["scores"], remarks = check_scores(own["scores"], strict=True)
    own["items"], more = check_items(own["items"])
    return replace(reading, **own, notes=(*reading.notes, *remarks, *more), origin=None)
