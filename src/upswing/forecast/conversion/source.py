"""Where a conversion's models and elbow come from: tables on disk, or anything Upswing reads."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import polars as pl

from upswing.errors import InputError
from upswing.forecast.comparison.elbow_distribution import ElbowDistribution, forecast_elbows
from upswing.forecast.finetuning.emergence_law import EmergenceLaw
from upswing.forecast.finetuning.table import finetune_table, read_finetunes
from upswing.notes import Note
from upswing.sources.read import read
from upswing.tables.bundle import Tables

SCALES = ("params", "tokens", "flops")
"""Columns of scales in a table of models."""


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


_TABLES = (".csv", ".tsv", ".parquet")


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
    if Path(path).suffix.lower() in _TABLES and Path(path).is_file():
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
    data: pl.DataFrame | Tables
    notes: tuple[Note, ...] = ()
    if Path(path).suffix.lower() in _TABLES:
        data = read_finetunes(path)
    else:
        data = read(path, items=False)
        notes = data.notes
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
    if Path(path).suffix.lower() == ".parquet":
        return pl.read_parquet(path)
    separator = "\t" if Path(path).suffix.lower() == ".tsv" else ","
    try:
        frame = pl.read_csv(path, separator=separator, infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"no table: {reason}", where=path, hint="columns model,params,tokens,flops,loss"
        ) from error
    for name in ("loss", *SCALES):
        if name not in frame.columns or frame[name].dtype != pl.String:
            continue
        text = frame[name].str.strip_chars()
        wrong = text.cast(pl.Float64, strict=False).is_null() & text.is_not_null() & (text != "")
        if wrong.any():
            row = int(wrong.arg_true()[0])
            raise InputError(
                f"{name} is {text[row]!r}, not a number",
                where=f"{path}:{row + 2}",
                hint="write plain numbers, such as 7e9",
            )
    return frame
