"""Runs that could be done next: every checkpoint with every amount of data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from upswing.errors import InputError
from upswing.forecast.finetuning.table import read_finetunes
from upswing.laws.emergence.law import lowest_amount
from upswing.sources.tabular import numeric

COLUMNS: dict[str, type[pl.DataType]] = {
    "model": pl.String,
    "revision": pl.String,
    "params": pl.Float64,
    "loss": pl.Float64,
    "d": pl.Float64,
    "draws": pl.Int64,
    "n": pl.Float64,
}
"""Name of the model and of its checkpoint; ``params``; ``loss`` [nats/token]; ``d`` [examples]; how
many fresh subsets of so many examples it is finetuned on; ``n`` [questions]."""


def candidate_runs(
    tested: pl.DataFrame,
    d0: float,
    *,
    before: float | None = None,
    losses: Sequence[float] = (),
    amounts: Sequence[float] = (),
    draws: Sequence[int] = (1,),
    questions: Sequence[int] = (),
) -> pl.DataFrame:
    """Return all combinations of checkpoint, amount of data, draws and questions.

    Parameters
    ----------
    tested
        What has been run: the ``frame`` of a
        :class:`~upswing.forecast.finetuning.table.FinetuneTable`. Its checkpoints are candidates,
        those that were only prompted included.
    d0
        Solved examples in the prompt; amounts must be above it.
    before
        Only checkpoints with a loss above this [nats/token].
    losses
        Losses of further models [nats/token].
    amounts
        Amounts of data [examples]; by default those of the table and half of the smallest.
    draws, questions
        Numbers of fresh subsets, and of questions (by default as in the table).

    Returns
    -------
    polars.DataFrame
        Columns :data:`COLUMNS`.

    Raises
    ------
    InputError
        If nothing is left, or a number is impossible.
    """
    known = (
        tested.select("model", "revision", "params", "loss")
        .unique(maintain_order=True)
        .sort("loss", descending=True, maintain_order=True)
    )
    names = pl.Series("model", [f"loss {loss:g}" for loss in losses], pl.String)
    more = pl.DataFrame({"model": names, "loss": pl.Series(losses, dtype=pl.Float64)})
    models = pl.concat([known, more], how="diagonal_relaxed")
    if before is not None:
        models = models.filter(pl.col("loss") > before)
    d = sorted({float(amount) for amount in amounts}) or _usual_amounts(tested, d0)
    n: list[float | None] = [float(count) for count in questions]
    grid = (
        models.join(pl.DataFrame({"d": d}, {"d": pl.Float64}), how="cross")
        .join(pl.DataFrame({"draws": list(draws)}, {"draws": pl.Int64}), how="cross")
        .join(pl.DataFrame({"n": n or [None]}, {"n": pl.Float64}), how="cross")
    )
    return checked_candidates(grid, d0, usual_questions(tested))


def read_candidates(path: str) -> pl.DataFrame:
    """Read a CSV or Parquet table of what could be run, see :func:`checked_candidates`.

    Raises
    ------
    InputError
        With file and line, if the file is malformed or a cell is no number.
    """
    frame = read_finetunes(path)
    name = Path(path).name
    return frame.with_columns(
        numeric(frame, column, name, whole=column == "draws")
        for column in ("draws", "cost")
        if column in frame.columns
    )


def checked_candidates(
    candidates: pl.DataFrame, d0: float, questions: float | None = None
) -> pl.DataFrame:
    """Return a table of candidates with all columns, or stop at what is impossible.

    Parameters
    ----------
    candidates
        Columns ``loss`` and ``d``, and as many of :data:`COLUMNS` as are known; ``draws`` is 1 by
        default. A column ``cost`` is kept.
    d0
        Solved examples in the prompt.
    questions
        Number of questions where a candidate says none.

    Raises
    ------
    InputError
        If there are none, a column is missing, or a number is impossible.
    """
    for name in ("loss", "d"):
        if name not in candidates.columns:
            raise InputError(f"column {name!r} is missing from the candidates")
    columns = [
        pl.col(name).cast(kind) if name in candidates.columns else pl.lit(None, kind).alias(name)
        for name, kind in COLUMNS.items()
    ]
    if "cost" in candidates.columns:
        columns.append(pl.col("cost").cast(pl.Float64))
    try:
        chosen = candidates.select(columns)
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"a column of the candidates has the wrong type: {reason}") from error
    frame = chosen.with_columns(
        pl.col("model").fill_null(pl.format("loss {}", pl.col("loss"))),
        pl.col("revision").fill_null(""),
        pl.col("draws").fill_null(1),
        pl.col("n").fill_null(pl.lit(questions, pl.Float64)),
    )
    if frame.is_empty():
        raise InputError("no model is left that could be finetuned")
    place = lowest_amount(d0)
    possible = (pl.col("loss") > 0) & (pl.col("d") > place) & (pl.col("draws") >= 1)
    bad = frame.filter(~(possible & (pl.col("n").is_null() | (pl.col("n") >= 1))).fill_null(False))
    if len(bad):
        row = bad.row(0, named=True)
        raise InputError(
            f"a candidate with loss {row['loss']}, D = {row['d']}, {row['draws']} draws and "
            f"{row['n']} questions is impossible",
            hint=f"D must be above D0 = {place:g}, all others positive",
        )
    return frame


def _usual_amounts(tested: pl.DataFrame, d0: float) -> list[float]:
    """Return the amounts of the table, and half of the smallest."""
    known = sorted(tested.filter(~pl.col("few_shot"))["d"].drop_nulls().unique().to_list())
    half = float(round(known[0] / 2)) if known else 0.0
    return [half, *known] if half > 2 * lowest_amount(d0) else known


def usual_questions(tested: pl.DataFrame) -> float | None:
    """Return the median number of questions of a table; None where it says none."""
    known = tested["n"].drop_nulls().sort()
    return None if known.is_empty() else float(known[len(known) // 2])
