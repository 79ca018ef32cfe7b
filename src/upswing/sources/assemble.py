"""Readings of many files to the tables: identities, question counts, chance levels and sizes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from upswing.notes import Note, gathered
from upswing.scales.registry import ModelTable, parse_models
from upswing.scales.resolve import NO_FAMILY, resolve_scales, stated_scales
from upswing.sources.anomalies import find_anomalies
from upswing.sources.fill_chance import fill_chance
from upswing.sources.merge_items import merge_items
from upswing.sources.question_counts import fill_question_counts
from upswing.sources.stated_scores import prefer_stated
from upswing.tables.bundle import Tables
from upswing.tables.identity import merge_duplicates
from upswing.tables.provenance import FILES
from upswing.tables.reading import Reading

_MADE_AGAIN = frozenset(
    {
        "chance-unknown",
        "constant-answer",
        "copied-results",
        "groups-set-aside",
        "model-unknown",
        "scales-from-table",
        "scales-recalled",
        "tokens-from-revision",
    }
)
"""Notes of tables written to a store that are made anew, from what the tables then hold."""


def assemble(
    readings: Sequence[Reading],
    table: ModelTable,
    strict: bool,
    chance: Mapping[str, float] | None = None,
    notes: Iterable[Note] = (),
) -> Tables:
    """Put readings together.

    Parameters
    ----------
    readings
        What the readers found, in a stable order.
    table
        The model table.
    strict
        Raise where scores or sizes contradict each other; otherwise leave them out with a warning.
    chance
        Chance level by glob on the task; wins over the readings.
    notes
        Remarks that come before those made here.

    Raises
    ------
    IdentityError
        If (strict) two values claim one identity, or a model has two sizes.
    """
    stated_chance: dict[str, float] = {}
    for reading in readings:
        stated_chance = {**reading.chance, **stated_chance, **reading.chance}  # the latest first
        if reading.models:
            table = table.updated(parse_models(reading.models, "the model table in the store"))
    levels = {**(chance or {}), **stated_chance, **(chance or {})}  # the first that fits counts
    gathering = [
        *notes,
        *(note for r in readings for note in r.notes if note.code not in _MADE_AGAIN),
    ]
    scores = _unresolved(_stacked(readings, "scores"))
    items, found = merge_items(_unresolved(_stacked(readings, "items")), strict)
    gathering += found
    for step in (
        prefer_stated,
        lambda rows: merge_duplicates(rows, strict),
        fill_question_counts,
        lambda rows: fill_chance(rows, levels),
    ):
        scores, found = step(scores)
        gathering += found
    finetunes = _unresolved(_stacked(readings, "finetunes"))
    named = pl.concat(
        [frame.select("model", "revision", "family") for frame in (scores, items, finetunes)]
    ).unique(maintain_order=True)
    paths = {name: path for reading in readings for name, path in reading.paths.items()}
    scales, found = resolve_scales(
        named, stated_scales(_stacked(readings, "scales")), table, paths, strict
    )
    gathering += found
    scores = _with_family(scores, scales)
    gathering += find_anomalies(scores)
    return Tables(
        scores=scores.sort("source", "line", maintain_order=True),
        items=_with_family(items, scales),
        finetunes=_with_family(finetunes, scales),
        scales=scales,
        files=FILES.conform(
            _stacked(readings, "files").unique(["source", "sha256"], maintain_order=True)
        ),
        notes=gathered(gathering),
    )


def _stacked(readings: Sequence[Reading], name: str) -> pl.DataFrame:
    frames: list[pl.DataFrame] = [getattr(reading, name) for reading in readings]
    empty: pl.DataFrame = getattr(Reading(), name)
    return pl.concat([empty, *(frame for frame in frames if not frame.is_empty())])


def _unresolved(rows: pl.DataFrame) -> pl.DataFrame:
    """Forget the family of rows from tables in which it was not known either."""
    family = pl.col("family")
    return rows.with_columns(pl.when(family != NO_FAMILY).then(family).alias("family"))


def _with_family(rows: pl.DataFrame, scales: pl.DataFrame) -> pl.DataFrame:
    if rows.is_empty():
        return rows
    families = scales.select("model", "revision", pl.col("family").alias("_family"))
    return (
        rows.join(families, on=["model", "revision"], how="left", maintain_order="left")
        .with_columns(pl.coalesce("family", "_family").alias("family"))
        .drop("_family")
    )
