"""Finetuned models over the scale of the checkpoints they started from: runs and their means.

Runs of one checkpoint and amount of data differ in the draw of the examples and in the seed only.
Near the point where a task is learnt they often fall into two groups, those that learnt it and
those that did not, so a mean says little without its runs: both are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from upswing.curves.curve import Axis
from upswing.curves.finetune_gains import finetune_gains
from upswing.metrics.chance import chance_bands, known_chance
from upswing.metrics.registry import known_metric
from upswing.tables.bundle import Tables

DISAGREEMENT = 0.3
"""Runs that lie farther apart than this disagree; for metrics from 0 to 1."""

RUNS: dict[str, type[pl.DataType]] = {
    "family": pl.String,
    "model": pl.String,
    "revision": pl.String,
    "task": pl.String,
    "metric": pl.String,
    "method": pl.String,
    "d": pl.Int64,
    "draw": pl.Int64,
    "seed": pl.Int64,
    "few_shot": pl.Boolean,
    "axis": pl.String,
    "x": pl.Float64,
    "value": pl.Float64,
    "stderr": pl.Float64,
    "n": pl.Int64,
    "source": pl.String,
}
"""One row per run: ``d`` [examples]; ``few_shot`` where the model was prompted and not finetuned;
``x`` in the unit of ``axis``; ``value`` and ``stderr``, over questions, in the metric's unit."""

POINTS: dict[str, type[pl.DataType]] = {
    "family": pl.String,
    "model": pl.String,
    "revision": pl.String,
    "task": pl.String,
    "metric": pl.String,
    "method": pl.String,
    "d": pl.Int64,
    "few_shot": pl.Boolean,
    "axis": pl.String,
    "x": pl.Float64,
    "loss_corpus": pl.String,
    "runs": pl.Int64,
    "draws": pl.Int64,
    "value": pl.Float64,
    "lowest": pl.Float64,
    "highest": pl.Float64,
    "disagree": pl.Boolean,
    "stderr": pl.Float64,
    "n": pl.Int64,
    "chance": pl.Float64,
    "chance_low": pl.Float64,
    "chance_high": pl.Float64,
    "prompted": pl.Float64,
    "gain": pl.Float64,
    "lower_bound": pl.Float64,
    "upper_bound": pl.Float64,
    "higher_is_better": pl.Boolean,
}
"""One row per checkpoint, method and amount of data: ``value`` is the mean over ``runs`` runs on
``draws`` draws, ``lowest`` and ``highest`` the ends of the runs (noise of draws and seeds),
``stderr`` the mean standard error of one run over its ``n`` questions (the other noise).
``disagree`` tells whether the runs lie more than :data:`DISAGREEMENT` apart; it is null for one
run, and for a metric that does not run from 0 to 1. ``chance_low`` and ``chance_high`` hold 95 % of
guessing models with n questions. ``prompted`` is the score of the same checkpoint without
finetuning, ``gain`` how much better the mean is than that, positive for the better."""

_ROUNDING = 1e-9  # 0.4 - 0.1 is more than 0.3 in binary
_CHECKPOINT = ("family", "model", "revision")
_WHAT = ("task", "metric")
_ORDER: tuple[Axis, ...] = ("loss", "flops", "params", "tokens")


@dataclass(frozen=True, eq=False)
class Finetuned:
    """Every finetuned model of a reading.

    Attributes
    ----------
    axis
        Scale of the checkpoints: ``loss`` where it is known for as many as any other.
    runs
        One row per run, columns :data:`RUNS`.
    points
        One row per checkpoint, method and amount of data, columns :data:`POINTS`, from the weakest
        checkpoint to the strongest.
    gains
        One row per method and amount of data, see
        :data:`~upswing.curves.finetune_gains.GAINS`.
    not_finite
        Rows that were left out because their score is not a finite number.
    """

    axis: Axis
    runs: pl.DataFrame
    points: pl.DataFrame
    gains: pl.DataFrame
    not_finite: int = 0


def finetuned(tables: Tables) -> Finetuned | None:
    """Summarise finetuned models over the scale of the checkpoints they started from.

    Parameters
    ----------
    tables
        What :func:`upswing.read` returned. Scales are needed for a place on the axis only; scores
        for the chance level, where the metric alone does not tell it.

    Returns
    -------
    Finetuned or None
        None where nothing was finetuned.

    Examples
    --------
    >>> rows = [
    ...     {"model": "m", "family": "f", "revision": "", "task": "sums", "metric": "exact_match",
    ...      "method": "full", "d": d, "draw": draw, "seed": 0, "few_shot": d is None, "value": y}
    ...     for d, draw, y in ((None, None, 0.1), (64, 0, 0.2), (64, 1, 0.8))
    ... ]
    >>> found = finetuned(Tables(finetunes=pl.DataFrame(rows)))
    >>> found.points.select("d", "runs", "value", "lowest", "highest", "disagree", "gain").rows()
    [(None, 1, 0.1, 0.1, 0.1, None, None), (64, 2, 0.5, 0.2, 0.8, True, 0.4)]
    """
    if tables.finetunes.is_empty():
        return None
    axis = _axis(tables)
    scales = tables.scales.select("model", "revision", pl.col(axis).alias("x"), "loss_corpus")
    is_prompted = pl.col("few_shot")
    rows = (
        tables.finetunes.with_columns(
            pl.col("few_shot").fill_null(False), pl.col("method").fill_null("")
        )
        .with_columns(
            pl.when(~is_prompted).then("d").alias("d"),
            pl.when(is_prompted).then(pl.lit("")).otherwise("method").alias("method"),
        )
        .filter(pl.col("value").is_finite())
        .join(scales, on=["model", "revision"], how="left", maintain_order="left")
        .with_columns(pl.lit(axis).alias("axis"))
        .pipe(lambda frame: frame.sort(*_order(axis), "draw", "seed", maintain_order=True))
    )
    points = _points(rows, tables.scores)
    return Finetuned(
        axis,
        rows.select(*RUNS),
        points.select(*POINTS),
        finetune_gains(rows, points),
        len(tables.finetunes) - len(rows),
    )


class _Kind(NamedTuple):
    """What is known of a task under a metric."""

    task: str
    metric: str
    lower_bound: float | None
    upper_bound: float | None
    higher_is_better: bool
    chance: float | None
    proportion: bool


def _axis(tables: Tables) -> Axis:
    """Return the axis on which most checkpoints have a place, loss where there are several."""
    checkpoints = tables.finetunes.select("model", "revision").unique()
    placed = checkpoints.join(tables.scales, on=["model", "revision"], how="inner")
    return max(_ORDER, key=lambda axis: (placed[axis].count(), -_ORDER.index(axis)))


def _order(axis: Axis) -> list[pl.Expr]:
    x = -pl.col("x") if axis == "loss" else pl.col("x")
    # Nulls first: prompted before finetuned, and checkpoints without a place before all others.
    return [pl.col("family"), *map(pl.col, _WHAT), pl.col("method"), pl.col("d"), x, *map(
        pl.col, ("model", "revision")
    )]  # fmt: skip


def _points(rows: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    key = [*_CHECKPOINT, *_WHAT, "method", "d", "few_shot"]
    means = rows.group_by(key, maintain_order=True).agg(
        pl.col("axis", "x", "loss_corpus").first(),
        pl.len().cast(pl.Int64).alias("runs"),
        pl.col("draw").n_unique().cast(pl.Int64).alias("draws"),
        pl.col("value").mean(),
        pl.col("value").min().alias("lowest"),
        pl.col("value").max().alias("highest"),
        pl.col("stderr").mean(),
        pl.col("n").min(),
    )
    kinds = pl.DataFrame(
        [
            _kind(task, metric, rows, scores)
            for task, metric in rows.select(_WHAT).unique().sort(_WHAT).iter_rows()
        ],
        schema={
            "task": pl.String,
            "metric": pl.String,
            "lower_bound": pl.Float64,
            "upper_bound": pl.Float64,
            "higher_is_better": pl.Boolean,
            "chance": pl.Float64,
            "proportion": pl.Boolean,
        },
        orient="row",
    )
    same = [*_CHECKPOINT, *_WHAT]
    prompted = (
        means.filter("few_shot")
        .select(*same, pl.col("value").alias("prompted"))
        .unique(same, maintain_order=True)
    )
    joined = means.join(kinds, on=_WHAT, how="left", maintain_order="left").join(
        prompted, on=same, how="left", maintain_order="left"
    )
    spread = pl.col("highest") - pl.col("lowest")
    unit = (pl.col("lower_bound") == 0) & (pl.col("upper_bound") == 1)
    better = pl.when("higher_is_better").then(1.0).otherwise(-1.0)
    return _with_chance_band(joined).with_columns(
        pl.when(unit & (pl.col("runs") > 1))
        .then(spread > DISAGREEMENT + _ROUNDING)
        .alias("disagree"),
        pl.when(pl.col("few_shot").not_()).then("prompted").alias("prompted"),
        pl.when(pl.col("few_shot").not_())
        .then((pl.col("value") - pl.col("prompted")) * better)
        .alias("gain"),
    )


def _kind(task: str, metric: str, rows: pl.DataFrame, scores: pl.DataFrame) -> _Kind:
    definition = known_metric(metric)
    stated = scores.filter((pl.col("task") == task) & (pl.col("metric") == metric))
    lowest: float | None = None
    highest: float | None = None
    if definition is not None:
        lowest, highest = definition.minimum, definition.maximum
        higher, proportion = definition.higher_is_better, definition.proportion
    else:
        values = rows.filter((pl.col("task") == task) & (pl.col("metric") == metric))["value"]
        if values.is_between(0, 1).all():
            lowest, highest = 0.0, 1.0
        directions = stated["higher_is_better"].drop_nulls()
        higher, proportion = bool(directions.all()), False
    levels = stated["chance"].drop_nulls().unique()
    known = known_chance(task, metric) if levels.is_empty() else None
    chance = levels[0] if len(levels) == 1 else known.value if known is not None else None
    return _Kind(task, metric, lowest, highest, higher, chance, proportion)


def _with_chance_band(points: pl.DataFrame) -> pl.DataFrame:
    """Add where a guessing model ends up; only a share of questions has such a band."""
    counted = pl.when("proportion").then("n").cast(pl.Float64).fill_null(np.nan)
    chance, n = points.select(pl.col("chance").fill_null(np.nan), counted.alias("n")).get_columns()
    low, high = chance_bands(chance.to_numpy(), n.to_numpy())
    return points.with_columns(
        pl.Series("chance_low", low).fill_nan(None), pl.Series("chance_high", high).fill_nan(None)
    )
