"""The table of finetuned models that an emergence law is fitted to: one task, checked.

Two forms are taken: the ``finetunes`` table of a reading, whose losses are in its ``scales``, and a
table with everything in one row, ``model,params,tokens,flops,loss,task,d,draw,seed,metric,value,n,
few_shot``. Of these ``model``, ``loss``, ``task``, ``d`` and ``value`` are needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from upswing.errors import InputError
from upswing.forecast.finetuning.anomalies import find_finetune_anomalies
from upswing.laws.emergence.rows import EmergenceRows
from upswing.metrics.registry import known_metric
from upswing.notes import Note, listing
from upswing.sources.finetunes import finetune_frame, unknown_columns
from upswing.sources.read import read
from upswing.tables.bundle import Tables

COLUMNS: dict[str, type[pl.DataType]] = {
    "model": pl.String,
    "family": pl.String,
    "revision": pl.String,
    "params": pl.Float64,
    "tokens": pl.Float64,
    "flops": pl.Float64,
    "loss": pl.Float64,
    "task": pl.String,
    "metric": pl.String,
    "method": pl.String,
    "d": pl.Float64,
    "draw": pl.Int64,
    "seed": pl.Int64,
    "few_shot": pl.Boolean,
    "value": pl.Float64,
    "n": pl.Float64,
    "source": pl.String,
    "line": pl.Int64,
}
"""``params``; ``tokens`` [tokens]; ``flops`` [FLOP]; ``loss`` [nats/token]; ``d`` [examples]; ``n``
[questions]; the others are names, numbers of draws and seeds, and where a row is from."""

TABLES = (".csv", ".tsv", ".parquet")
"""Endings of files that are taken for a table by hand."""

_NEEDED = ("model", "loss", "task", "value")
_SCALES = ("params", "tokens", "flops", "loss")
_METRIC = "acc"


@dataclass(frozen=True, eq=False)
class FinetuneTable:
    """Scores of one task under one metric, after finetuning and after prompting.

    Attributes
    ----------
    frame
        Columns :data:`COLUMNS` and ``checkpoint``, the number of the pretrained model.
    task, metric, family, method
        What was chosen; None where the table does not say.
    higher_is_better
        Direction of the metric.
    proportion
        Whether scores are shares of questions, so that their noise is binomial.
    notes
        Remarks on the data.
    """

    frame: pl.DataFrame
    task: str
    metric: str
    family: str | None
    method: str | None
    higher_is_better: bool
    proportion: bool
    notes: tuple[Note, ...]

    @property
    def sign(self) -> float:
        """What turns scores of which more is better into the metric's own, and back."""
        return 1.0 if self.higher_is_better else -1.0

    def rows(self, d0: float) -> EmergenceRows:
        """Return the scores as arrays, higher being better.

        A share of which less is better is negative here, so its binomial noise is not known.
        """
        frame = self.frame
        n = frame["n"].fill_null(np.nan).to_numpy()
        return EmergenceRows(
            frame["loss"].to_numpy(),
            frame["d"].fill_null(d0).to_numpy(),
            frame["few_shot"].to_numpy(),
            frame["draw"].fill_null(0).to_numpy(),
            frame["checkpoint"].to_numpy(),
            self.sign * frame["value"].to_numpy(),
            n if self.proportion and self.higher_is_better else np.full(len(frame), np.nan),
            d0,
        )


def read_finetunes(path: str | Path) -> pl.DataFrame:
    """Read a CSV or Parquet table of finetuned models.

    Raises
    ------
    InputError
        With file and line, if the file is malformed or a cell is no number.
    """
    place = Path(path)
    if not place.is_file():
        raise InputError("no such file", where=str(path))
    return finetune_frame(place.read_bytes(), place.name)


def read_finetuned(path: str) -> tuple[pl.DataFrame | Tables, tuple[Note, ...]]:
    """Read a table of finetuned models, or a store or anything else that Upswing reads.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    if Path(path).suffix.lower() in TABLES:
        frame = read_finetunes(path)
        return frame, tuple(unknown_columns(frame, Path(path).name))
    tables = read(path, items=False)
    return tables, tables.notes


def finetune_table(
    data: pl.DataFrame | Tables,
    *,
    task: str | None = None,
    metric: str | None = None,
    family: str | None = None,
    method: str | None = None,
    scales: pl.DataFrame | None = None,
) -> FinetuneTable:
    """Choose one task of a table of finetuned models, and check it.

    Parameters
    ----------
    data
        The finetuned models: a reading, its ``finetunes`` with ``scales`` beside, or a table with
        a column ``loss``.
    task, metric, family, method
        Which; needed where the table has several. Of several methods ``full`` is taken.
    scales
        The SCALES table, for the losses.

    Raises
    ------
    InputError
        If a needed column is missing, several tasks are there and none is named, or a value is
        impossible: D = 0, a loss that is not positive, percent where a proportion is due, two
        scores for one run.
    """
    if isinstance(data, Tables):
        frame = _columns(data.finetunes, data.scales)
    else:
        frame = _columns(data, scales)
    notes: list[Note] = []
    if frame.is_empty():
        raise InputError("no finetuned models", hint="see `upswing lab finetune`")
    task = _one(frame, "task", task) or ""
    frame = frame.filter(pl.col("task") == task)
    metric = _one(frame, "metric", metric) or ""
    frame = frame.filter(pl.col("metric") == metric)
    family = _one(frame, "family", family)
    if family is not None:
        frame = frame.filter(pl.col("family").is_null() | (pl.col("family") == family))
    frame, method = _with_method(frame, method, notes)
    known = known_metric(metric)
    frame = _checked(frame, 1.0 if known is None else known.maximum, notes)
    checkpoint = pl.struct("model", "revision", "tokens", "loss").rank("dense").cast(pl.Int64) - 1
    frame = frame.with_columns(checkpoint.alias("checkpoint"))
    frame = _without_doubles(frame, notes)
    notes += find_finetune_anomalies(frame)
    return FinetuneTable(
        frame,
        task,
        metric,
        family,
        method,
        known is None or known.higher_is_better,
        known is None or known.proportion,
        tuple(notes),
    )


def _columns(data: pl.DataFrame, scales: pl.DataFrame | None) -> pl.DataFrame:
    """Return the frame with exactly the columns of :data:`COLUMNS`."""
    if "loss" not in data.columns and scales is not None:
        if "revision" not in data.columns:
            data = data.with_columns(pl.lit("").alias("revision"))
        known = scales.select("model", "revision", *_SCALES)
        kept = [name for name in data.columns if name not in _SCALES]
        data = data.select(kept).join(known, on=["model", "revision"], how="left")
    for name in _NEEDED:
        if name not in data.columns:
            hint = "write it into the table, or pass the scales beside" if name == "loss" else ""
            raise InputError(f"column {name!r} is missing", hint=hint)
    if "d" not in data.columns:
        raise InputError("column 'd' is missing", hint="it is the number of finetuning examples")
    try:
        frame = data.select(
            pl.col(name).cast(kind) if name in data.columns else pl.lit(None, kind).alias(name)
            for name, kind in COLUMNS.items()
        )
    except pl.exceptions.PolarsError as error:
        raise InputError(f"a column has the wrong type: {error}") from error
    return frame.with_columns(
        pl.col("few_shot").fill_null(False),
        pl.col("metric").fill_null(_METRIC),
        pl.col("task").fill_null(""),
        pl.col("revision").fill_null(""),
        pl.col("family").replace("", None),
        pl.col("method").replace("", None),
    )


def _one(frame: pl.DataFrame, column: str, chosen: str | None) -> str | None:
    """Return the chosen value of a column, or its only one."""
    values = frame[column].drop_nulls().unique().sort().to_list()
    if chosen is None and len(values) <= 1:
        return values[0] if values else None
    if chosen is None or chosen not in values:
        said = f"no {column} {chosen!r}" if chosen else f"{len(values)} values of {column}"
        raise InputError(said, hint=f"name one {column}: {listing(values, 8)}")
    return chosen


def _with_method(
    frame: pl.DataFrame, method: str | None, notes: list[Note]
) -> tuple[pl.DataFrame, str | None]:
    """Keep one method of finetuning; prompted models have none."""
    tuned = frame.filter(~pl.col("few_shot"))
    values = tuned["method"].drop_nulls().unique().sort().to_list()
    if method is None and len(values) > 1 and "full" in values:
        method = "full"
        others = [value for value in values if value != method]
        notes.append(
            Note(
                "methods-left-out",
                "info",
                f"The law is fitted to finetuning of all weights; {listing(others)} are left out.",
                {"methods": others},
            )
        )
    method = _one(tuned, "method", method)
    if method is None:
        return frame, None
    own = pl.col("method").is_null() | (pl.col("method") == method)
    return frame.filter(pl.col("few_shot") | own), method


def _checked(frame: pl.DataFrame, highest: float | None, notes: list[Note]) -> pl.DataFrame:
    """Leave out rows without a score or a loss, with a note; stop at impossible values."""
    for column in ("value", "loss"):
        missing = ~pl.col(column).is_finite().fill_null(False)
        count = len(frame.filter(missing))
        if count == len(frame):
            raise InputError(f"no row has a {column}", where=_where(frame))
        if count:
            notes.append(
                Note(
                    f"{column}-missing",
                    "warning",
                    f"{count} {'row' if count == 1 else 'rows'} without a {column} left out.",
                    {"rows": count},
                )
            )
            frame = frame.filter(~missing)
    _stop(frame, pl.col("loss") <= 0, "the loss is {loss:g}, and must be positive")
    tuned = ~pl.col("few_shot")
    _stop(
        frame,
        tuned & (pl.col("d").is_null() | (pl.col("d") < 1)),
        "a finetuned model with D = {d}",
        "write few_shot = true for models that were prompted and not finetuned",
    )
    if highest == 1.0:
        _stop(
            frame,
            pl.col("value") > 1,
            "a score of {value:g}, outside 0 to 1",
            "divide percent by 100, or register a metric with another range",
        )
        _stop(
            frame,
            pl.col("value") < 0,
            "a score of {value:g}, outside 0 to 1",
            "name a metric that Upswing knows, such as target_logprob_per_token, or register one",
        )
    _stop(frame, pl.col("n") < 1, "n is {n:g}, and must be at least 1")
    return frame


def _stop(frame: pl.DataFrame, wrong: pl.Expr, message: str, hint: str = "") -> None:
    bad = frame.filter(wrong)
    if not bad.is_empty():
        raise InputError(message.format(**bad.row(0, named=True)), where=_where(bad), hint=hint)


def _where(frame: pl.DataFrame) -> str:
    """Return file and line of the first row, or the model where these are not known."""
    row = frame.row(0, named=True)
    if row["source"] is not None and row["line"] is not None:
        return f"{row['source']}:{row['line']}"
    return str(row["model"])


def _without_doubles(frame: pl.DataFrame, notes: list[Note]) -> pl.DataFrame:
    """Drop repeated rows; stop where one run has two scores."""
    run = ["checkpoint", "few_shot", "method", "d", "draw", "seed"]
    frame = frame.with_columns(pl.when(~pl.col("few_shot")).then("d").alias("d"))
    kept = frame.unique([*run, "value"], keep="first", maintain_order=True)
    if len(kept) < len(frame):
        count = len(frame) - len(kept)
        notes.append(
            Note("rows-repeated", "info", f"Repeated rows left out: {count}.", {"rows": count})
        )
    bad = kept.filter(pl.struct(run).is_duplicated())
    if not bad.is_empty():
        row = bad.row(0, named=True)
        how = "prompted" if row["few_shot"] else f"with D = {row['d']:g}"
        raise InputError(
            f"two scores for {row['model']} {how}",
            where=_where(bad),
            hint="tell runs apart by draw or seed",
        )
    return kept
