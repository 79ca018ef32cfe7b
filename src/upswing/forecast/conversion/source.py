"""Where a conversion's models and elbow come from: tables on disk, or anything Upswing reads."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import polars as pl

from upswing.errors import InputError
from upswing.forecast.comparison.elbow_distribution import ElbowDistribution, forecast_elbows
from upswing.forecast.finetuning.emergence_law import EmergenceLaw
from upswing.forecast.finetuning.table import TABLES, finetune_table, read_finetuned
from upswing.notes import Note
from upswing.sources.read import read
from upswing.sources.tabular import numeric, read_text_table, with_lines

SCALES = ("params", "tokens", "flops")
"""Columns of scales in a table of models."""


_NAMES = ("model", "family", "loss_corpus")


class ForecastElbow(NamedTuple):
    """An elbow that was forecast from finetuned models.

    Attributes
    ----------
    elbow
        Its distribution.
    most_likely
        The single best elbow [nats/token].
    strongest_used
        Compute of the strongest model it was forecast from [FLOP]; None where not known.
    notes
        Remarks on the data and the forecast.
    """

    elbow: ElbowDistribution
    most_likely: float
    strongest_used: float | None
    notes: tuple[Note, ...]


def read_models(path: str) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """Read the models of a loss law: ``loss`` [nats/token] with scales.

    Parameters
    ----------
    path
        A CSV, TSV or Parquet table with ``loss`` and some of ``params``, ``tokens``, ``flops``
        (``model`` and ``family`` too, if there are any); or a store or logs that state scales and
        losses.

    Returns
    -------
    frame, notes
        One row per model or checkpoint.

    Raises
    ------
    InputError
        If a cell is no number, or no loss is stated.
    """
    if Path(path).suffix.lower() in TABLES and Path(path).is_file():
        frame = _table(path)
        if "loss" in frame.columns:
            return frame, ()
    tables = read(path, items=False)
    if not tables.scales["loss"].is_not_null().any():
        raise InputError(
            "no loss is stated for any model",
            where=path,
            hint="give a table with columns model,params,tokens,flops,loss",
        )
    return tables.scales, tables.notes


def forecast_elbow(
    path: str,
    law: EmergenceLaw,
    *,
    task: str | None = None,
    metric: str | None = None,
    family: str | None = None,
    method: str | None = None,
) -> ForecastElbow:
    """Fit an emergence law to finetuned models and return its elbow.

    Parameters
    ----------
    path
        A table of finetuned models, or a store of the lab.
    law
        The emergence law.
    task, metric, family, method
        What to take from it.

    Raises
    ------
    InputError
        If the table is impossible or the forecast was refused.
    """
    data, notes = read_finetuned(path)
    forecast = law.fit(data, task=task, metric=metric, family=family, method=method)
    elbow = forecast_elbows(forecast)
    if elbow is None or forecast.mle is None:
        raise InputError(
            f"no elbow to convert: the forecast was refused, {forecast.reason}", where=path
        )
    used = finetune_table(data, task=task, metric=metric, family=family, method=method).frame
    if law.before is not None:
        used = used.filter(pl.col("loss") > law.before)
    spent = used["flops"].drop_nulls()
    strongest = float(spent.to_numpy().max()) if len(spent) else None
    return ForecastElbow(elbow, forecast.mle.forecast, strongest, (*notes, *forecast.notes))


def _table(path: str) -> pl.DataFrame:
    """Read a table; a cell of a scale or loss that is no number is an error."""
    name = Path(path).name
    frame = with_lines(read_text_table(Path(path).read_bytes(), name))
    columns = [column for column in ("loss", *SCALES) if column in frame.columns]
    return frame.with_columns(
        *(numeric(frame, column, name) for column in columns),
        *(pl.col(column).replace("", None) for column in _NAMES if column in frame.columns),
    )
