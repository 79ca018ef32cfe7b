"""What an amount of data adds to the prompted model, over checkpoints, with its interval.

Two noises are told apart. The interval holds that of the runs, and the questions' is beside it: all
runs of a checkpoint answer the same questions, so it is not in their spread.

Runs that start from different checkpoints can still share their examples, and that part of their
noise does not average out over checkpoints. So two intervals of Student are made and the wider one
is taken: one over draws, each the mean over its seeds and all checkpoints, and one over single runs
as if they were independent (Welch and Satterthwaite, doi:10.2307/3002019, since runs scatter much
more at some checkpoints than at others). The first alone would be too narrow whenever two draws
agree by luck, the second whenever draws differ.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Array = npt.NDArray[np.float64]

GAINS: dict[str, type[pl.DataType]] = {
    "family": pl.String,
    "task": pl.String,
    "metric": pl.String,
    "method": pl.String,
    "d": pl.Int64,
    "checkpoints": pl.Int64,
    "compared": pl.Int64,
    "runs": pl.Int64,
    "value": pl.Float64,
    "gain": pl.Float64,
    "gain_low": pl.Float64,
    "gain_high": pl.Float64,
    "interval_over": pl.String,
    "draws": pl.Int64,
    "seeds": pl.Int64,
    "gain_least": pl.Float64,
    "gain_most": pl.Float64,
    "question_stderr": pl.Float64,
    "repeated": pl.Int64,
    "disagreeing": pl.Int64,
}
"""One row per family, task, metric, method and amount of data ``d`` [examples]: ``value`` is the
mean over ``checkpoints``; ``gain``, the mean over those ``compared`` with the prompted model, is
positive for the better, in the metric's unit, with its 95 % interval; ``interval_over`` names the
noise in it: draws and seeds, draws, or seeds, null where nothing was repeated. ``draws`` counts the
draws that all compared checkpoints have, ``seeds`` the most seeds of one draw. ``gain_least`` and
``gain_most`` are the extremes over checkpoints.
``question_stderr`` bounds the gain's standard error over questions. ``disagreeing`` counts
checkpoints whose runs lie far apart, of the ``repeated`` ones that have several; null for metrics
that do not run from 0 to 1."""

_KEY = ("family", "task", "metric", "method", "d")
_CHECKPOINT = ("model", "revision")


def finetune_gains(runs: pl.DataFrame, points: pl.DataFrame) -> pl.DataFrame:
    """Return what each amount of data adds to the prompted model; columns :data:`GAINS`.

    Parameters
    ----------
    runs
        Columns of :data:`upswing.curves.finetuned.RUNS`.
    points
        Their means, columns of :data:`upswing.curves.finetuned.POINTS`.
    """
    tuned = points.filter(~pl.col("few_shot"))
    rows = []
    of_group = runs.filter(~pl.col("few_shot")).partition_by(_KEY, as_dict=True)
    errors = points.filter("few_shot").select(
        "family", *_CHECKPOINT, "task", "metric", pl.col("stderr").alias("prompted_stderr")
    )
    joined = tuned.join(
        errors.unique(maintain_order=True),
        on=["family", *_CHECKPOINT, "task", "metric"],
        how="left",
        maintain_order="left",
    )
    for key, group in joined.partition_by(_KEY, as_dict=True, maintain_order=True).items():
        compared = group.filter(pl.col("gain").is_not_null())
        own = of_group[key].join(compared.select(_CHECKPOINT), on=_CHECKPOINT, how="semi")
        rows.append({**dict(zip(_KEY, key, strict=True)), **_gain(group, compared, own)})
    return pl.DataFrame(rows, schema=GAINS, orient="row")


def _gain(group: pl.DataFrame, compared: pl.DataFrame, runs: pl.DataFrame) -> dict[str, Any]:
    first = group.row(0, named=True)
    unit = first["lower_bound"] == 0 and first["upper_bound"] == 1
    row: dict[str, Any] = {
        "checkpoints": len(group),
        "compared": len(compared),
        "runs": int(group["runs"].sum()),
        "value": group["value"].mean(),
        "repeated": len(group.filter(pl.col("runs") > 1)),
        "disagreeing": int(group["disagree"].sum()) if unit else None,
    }
    if compared.is_empty():
        return row
    gain = float(compared["gain"].to_numpy().mean())
    row |= {
        "gain": gain,
        "gain_least": compared["gain"].min(),
        "gain_most": compared["gain"].max(),
        "question_stderr": compared.select(
            (pl.col("stderr") ** 2 + pl.col("prompted_stderr") ** 2).sqrt().mean()
        ).item(),
    }
    draws = _shared(runs, ["draw"], len(compared))
    pairs = _shared(runs, ["draw", "seed"], len(compared))
    seeds = max(len(group.unique("seed")) for group in runs.partition_by("draw"))
    row |= {"draws": len(draws), "seeds": seeds}
    half = max(_over_shared(draws if len(draws) > 1 else pairs), _over_runs(runs))
    if half >= 0:
        low, high = _possible(compared)
        counts = {"draws": len(draws), "seeds": seeds}
        repeated_over = [name for name, count in counts.items() if count > 1]
        row |= {
            "gain_low": max(gain - half, low),
            "gain_high": min(gain + half, high),
            "interval_over": " and ".join(repeated_over) or "runs",
        }
    return row


def _shared(runs: pl.DataFrame, label: list[str], checkpoints: int) -> Array:
    """Return the means over checkpoints of each draw, or run, that every checkpoint has."""
    means = (
        runs.group_by(*_CHECKPOINT, *label)
        .agg(pl.col("value").mean())
        .group_by(label)
        .agg(pl.col("value").mean(), pl.len().alias("_checkpoints"))
        .filter(pl.col("_checkpoints") == checkpoints)
        .sort(label)
    )
    return means["value"].to_numpy()


def _over_shared(values: Array) -> float:
    """Return half of Student's 95 % interval of a mean; -1 where there is one value or none."""
    if len(values) < 2:
        return -1.0
    spread = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return _quantile(len(values) - 1) * spread


def _over_runs(runs: pl.DataFrame) -> float:
    r"""Return half of the 95 % interval of the mean over checkpoints, over independent runs.

    .. math:: s^2 = \frac{1}{K^2} \sum_c \frac{s_c^2}{n_c}, \qquad
              \nu = \frac{(\sum_c s_c^2 / n_c)^2}{\sum_c (s_c^2 / n_c)^2 / (n_c - 1)}

    over :math:`K` checkpoints with :math:`n_c` runs each. A checkpoint with a single run takes the
    pooled variance of the others. It is -1 where no checkpoint has two.
    """
    groups = runs.group_by(_CHECKPOINT, maintain_order=True).agg(
        pl.len().alias("n"), pl.col("value").var().alias("variance")
    )
    n = groups["n"].to_numpy().astype(float)
    variance = groups["variance"].fill_null(0.0).to_numpy()
    freedom = float((n - 1).sum())
    if freedom == 0:
        return -1.0
    single = n == 1
    variance = np.where(single, ((n - 1) * variance).sum() / freedom, variance)
    parts = variance / n
    if not parts.any():
        return 0.0
    each = np.where(single, freedom, n - 1)
    effective = max(float(parts.sum() ** 2 / (parts**2 / each).sum()), 1.0)
    return _quantile(effective) * math.sqrt(parts.sum()) / len(n)


def _quantile(freedom: float) -> float:
    from scipy import stats

    return float(stats.t.ppf(0.975, freedom))


def _possible(compared: pl.DataFrame) -> tuple[float, float]:
    """Return the least and the largest mean gain that the range of the metric allows."""
    row = compared.row(0, named=True)
    prompted = float(compared["prompted"].to_numpy().mean())
    lowest = -np.inf if row["lower_bound"] is None else row["lower_bound"] - prompted
    highest = np.inf if row["upper_bound"] is None else row["upper_bound"] - prompted
    return (lowest, highest) if row["higher_is_better"] else (-highest, -lowest)
