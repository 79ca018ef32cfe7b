"""How many curves score above a cut-off, by whatever they have in common, and by chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from upswing.mirage.meta.null_scores import NullScores

EXPECTED: dict[str, type[pl.DataType]] = {
    "by": pl.String,
    "group": pl.String,
    "cutoff": pl.Float64,
    "null": pl.String,
    "curves": pl.Int64,
    "observed": pl.Int64,
    "observed_infinite": pl.Int64,
    "expected": pl.Float64,
    "expected_infinite": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "p_value": pl.Float64,
}
"""Columns of :func:`expected_above`: ``curves`` are those that could be drawn, ``observed`` counts
among them, ``expected`` is the mean under the null, the central 95 % reaches from ``low`` to
``high``, and ``p_value`` is the share of 1,000 random counts that are at least as large, with 1
added above and below."""

_COUNTS = 1000


def counts_above(rows: pl.DataFrame, by: Sequence[str], cutoffs: Sequence[float]) -> pl.DataFrame:
    """Count the curves whose emergence score exceeds each cut-off.

    Parameters
    ----------
    rows
        :func:`~upswing.mirage.meta.curves.curve_rows`.
    by
        Columns that a group has in common; none for one group of all.
    cutoffs
        The cut-offs.

    Returns
    -------
    polars.DataFrame
        One row per group and cut-off: the group's columns, ``cutoff``, ``curves`` (with at least
        three scales), ``tasks``, ``pairs`` (of task and family); of these above the cut-off
        ``above`` = ``above_finite`` + ``above_infinite``, ``tasks_above``, ``pairs_above``;
        ``below``, the curves under minus the cut-off, which is as far in the wrong direction; and
        ``share`` = above / curves.
    """
    score, status, cutoff = (
        pl.col(name) for name in ("emergence_score", "emergence_score_status", "cutoff")
    )
    finite, infinite = (score > cutoff).fill_null(False), status == "+inf"
    above = finite | infinite
    below = (score < -cutoff).fill_null(False) | (status == "-inf")
    pair = pl.struct("task", "family")
    counts = {
        "curves": pl.len(),
        "tasks": pl.col("task").n_unique(),
        "pairs": pair.n_unique(),
        "above": above.sum(),
        "above_finite": finite.sum(),
        "above_infinite": infinite.sum(),
        "tasks_above": pl.col("task").filter(above).n_unique(),
        "pairs_above": pair.filter(above).n_unique(),
        "below": below.sum(),
    }
    levels = pl.DataFrame({"cutoff": [float(level) for level in cutoffs]})
    return (
        rows.filter(status != "too_few")
        .join(levels, how="cross")
        .group_by(*by, "cutoff")
        .agg(expression.cast(pl.Int64).alias(name) for name, expression in counts.items())
        .with_columns((pl.col("above") / pl.col("curves")).alias("share"))
        .sort(*by, "cutoff", nulls_last=True)
    )


def infinite_by_metric(rows: pl.DataFrame) -> pl.DataFrame:
    """Return what the infinite scores of each metric come from.

    One row per metric that has any: ``infinite`` scores (of either sign), the fewest and the most
    questions behind any of their points, how many are ``under_resolved``, ``resolved``, or of
    ``unknown`` resolution, and the smallest number of scales ``at_worst``.
    """
    under = pl.col("under_resolved")
    return (
        rows.filter(pl.col("emergence_score_status").is_in(["+inf", "-inf"]))
        .group_by("metric", "metric_class")
        .agg(
            pl.len().cast(pl.Int64).alias("infinite"),
            pl.col("questions_least").min(),
            pl.col("questions_most").max(),
            under.sum().cast(pl.Int64).alias("under_resolved"),
            (~under).sum().cast(pl.Int64).alias("resolved"),
            under.null_count().cast(pl.Int64).alias("unknown"),
            pl.col("at_worst").min(),
        )
        .sort("metric")
    )


def metrics_with_any(scopes: Mapping[str, pl.DataFrame], cutoffs: Sequence[float]) -> pl.DataFrame:
    """Return how many metrics have any curve above each cut-off: the paper's first count.

    Parameters
    ----------
    scopes
        Rows of curves by what they are, such as all, or those under their task's preferred metric.
    cutoffs
        The cut-offs.

    Returns
    -------
    polars.DataFrame
        ``scope``, ``cutoff``, ``metrics``, ``metrics_above``, ``metrics_above_finite``.
    """
    found = []
    for scope, rows in scopes.items():
        counts = counts_above(rows, ["metric"], cutoffs)
        counted = counts.group_by("cutoff", maintain_order=True).agg(
            pl.len().cast(pl.Int64).alias("metrics"),
            (pl.col("above") > 0).sum().cast(pl.Int64).alias("metrics_above"),
            (pl.col("above_finite") > 0).sum().cast(pl.Int64).alias("metrics_above_finite"),
        )
        found.append(counted.select(pl.lit(scope).alias("scope"), pl.all()).sort("cutoff"))
    return pl.concat(found)


def expected_above(
    rows: pl.DataFrame,
    nulls: NullScores,
    by: Mapping[str, str | None],
    cutoffs: Sequence[float],
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Compare the counts with those of redrawn curves; the columns are :data:`EXPECTED`.

    Every curve has its own chance of exceeding a cut-off under a null, the share of its redrawn
    scores that do. A count is a sum of independent yes or no with these chances.

    Parameters
    ----------
    rows
        :func:`~upswing.mirage.meta.curves.curve_rows` of all curves.
    nulls
        Their redrawn scores.
    by
        Column of ``rows`` to group by, under the name that the table gives it; None for all.
    cutoffs
        The cut-offs.
    rng
        Source of randomness.
    """
    drawn = rows[nulls.curves]
    if not len(drawn):
        return pl.DataFrame(schema=EXPECTED)
    status = drawn["emergence_score_status"].to_numpy()
    observed = np.nan_to_num(drawn["emergence_score"].to_numpy())
    observed = np.where(status == "+inf", np.inf, np.where(status == "-inf", -np.inf, observed))
    groups, member = _groups(drawn, by)
    parts = []
    for null, scores in nulls.scores.items():
        infinite = np.isposinf(scores).mean(axis=1)
        some = (scores > min(cutoffs)).any(axis=1)
        uniform = rng.random((int(some.sum()), _COUNTS), dtype=np.float32)
        for cutoff in cutoffs:
            chance = (scores > cutoff).mean(axis=1)
            counts = member[:, some] @ (uniform < chance[some, None]).astype(np.float32)
            count = member @ (observed > cutoff)
            low, high = np.quantile(counts, (0.025, 0.975), axis=1, method="inverted_cdf")
            reached = (counts >= count[:, None]).sum(axis=1)
            parts.append(
                groups.with_columns(
                    cutoff=pl.lit(float(cutoff)),
                    null=pl.lit(null),
                    curves=member.sum(axis=1),
                    observed=count,
                    observed_infinite=member @ np.isposinf(observed),
                    expected=member @ chance,
                    expected_infinite=member @ infinite,
                    low=low,
                    high=high,
                    p_value=(1 + reached) / (1 + _COUNTS),
                )
            )
    return (
        pl.concat(parts)
        .sort("place", "cutoff", "null")
        .select(pl.col(name).cast(kind) for name, kind in EXPECTED.items())
    )


def _groups(
    rows: pl.DataFrame, by: Mapping[str, str | None]
) -> tuple[pl.DataFrame, npt.NDArray[np.float32]]:
    """Return the groups in the order of the table, and which rows each has: (n_groups, n_rows)."""
    found: list[tuple[int, str, str]] = []
    member: list[list[bool]] = []
    for name, column in by.items():
        labels = rows[column].to_list() if column else [name] * len(rows)
        for group in sorted(set(labels)):
            found.append((len(found), name, group))
            member.append([label == group for label in labels])
    frame = pl.DataFrame(found, schema=["place", "by", "group"], orient="row")
    return frame, np.array(member, dtype=np.float32)
