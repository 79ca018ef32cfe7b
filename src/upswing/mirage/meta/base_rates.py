r"""Base rates: how often would an emergent task have this metric if metrics did not matter?

More than nine in ten of the tasks that were called emergent by hand prefer multiple choice grade or
exact match. That says little before one knows how many of *all* tasks prefer them. And most of the
other metrics are preferred by one task each, so that "most metrics never show emergence" would hold
for almost any list of tasks.

References: Schaeffer et al. 2023, arXiv:2304.15004, figure 5; Wei et al. 2022, arXiv:2206.07682,
appendix E.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from upswing.mirage.meta.classes import metric_class

COMPARED = ("multiple_choice_grade", "exact_match")
"""The two metrics that the paper finds under most emergent tasks."""

PREFERRED: dict[str, type[pl.DataType]] = {
    "rule": pl.String,
    "metric": pl.String,
    "tasks": pl.Int64,
    "tasks_any_level": pl.Int64,
    "emergent": pl.Int64,
    "share_tasks": pl.Float64,
    "share_known": pl.Float64,
    "share_emergent": pl.Float64,
}
"""Columns of :func:`preferred_counts`; ``metric`` is null for tasks whose preferred metric is
unknown. Shares are of all tasks, of those whose metric is known, and of the emergent ones."""

BASE_RATES: dict[str, type[pl.DataType]] = {
    "rule": pl.String,
    "tasks": pl.Int64,
    "known": pl.Int64,
    "emergent": pl.Int64,
    "compared": pl.Int64,
    "compared_emergent": pl.Int64,
    "others_known": pl.Int64,
    "others_known_emergent": pl.Int64,
    "share_emergent": pl.Float64,
    "share_tasks": pl.Float64,
    "share_known": pl.Float64,
    "p_fisher_known": pl.Float64,
    "p_fisher_tasks": pl.Float64,
    "metrics": pl.Int64,
    "metrics_of_one_task": pl.Int64,
    "metrics_of_two_at_most": pl.Int64,
    "metrics_emergent": pl.Int64,
    "metrics_emergent_expected": pl.Float64,
    "p_as_few_metrics": pl.Float64,
}
"""Columns of :func:`base_rates`.

``compared`` are the tasks that prefer one of the :data:`COMPARED` metrics, ``others_known`` those
that prefer another; ``share_emergent`` is the compared metrics' share of the emergent tasks,
``share_tasks`` and ``share_known`` their share of all tasks and of those with a known metric.
``p_fisher_known`` is Fisher's exact test, two-sided, of emergent against compared among tasks with
a known metric; ``p_fisher_tasks`` counts tasks without one among the others.
``metrics_emergent_expected`` is how many metrics would have any emergent task if as many tasks had
been called emergent at random, and ``p_as_few_metrics`` the share of such random lists with at most
as many as there are.
"""

_RANDOM_LISTS = 20_000


def preferred_counts(tasks: pl.DataFrame, rule: str) -> pl.DataFrame:
    """Count tasks and emergent tasks per preferred metric; the columns are :data:`PREFERRED`.

    Parameters
    ----------
    tasks
        ``task``, ``emergent`` and ``preferred_metric`` (null where unknown), one row per task.
    rule
        Name of where the preferred metrics are from.
    """
    counted = tasks.group_by(pl.col("preferred_metric").alias("metric")).agg(
        pl.len().cast(pl.Int64).alias("tasks"),
        pl.col("emergent").sum().cast(pl.Int64),
    )
    return with_shares(counted.with_columns(pl.col("tasks").alias("tasks_any_level")), rule)


def with_shares(counted: pl.DataFrame, rule: str) -> pl.DataFrame:
    """Add the shares of :data:`PREFERRED` to ``metric``, ``tasks``, ``tasks_any_level`` and
    ``emergent``."""
    known = pl.col("metric").is_not_null()
    tasks = pl.col("tasks")
    return (
        counted.with_columns(
            pl.lit(rule).alias("rule"),
            (tasks / tasks.sum()).alias("share_tasks"),
            pl.when(known).then(tasks / tasks.filter(known).sum()).alias("share_known"),
            (pl.col("emergent") / pl.col("emergent").sum()).fill_nan(None).alias("share_emergent"),
        )
        .select(pl.col(name).cast(kind) for name, kind in PREFERRED.items())
        .sort("tasks", "metric", descending=[True, False], nulls_last=True)
    )


def base_rates(preferred: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Set the emergent tasks' preferred metrics against those of all tasks.

    Parameters
    ----------
    preferred
        :func:`preferred_counts` under one or several rules.
    rng
        Source of randomness, for ``p_as_few_metrics``.

    Returns
    -------
    polars.DataFrame
        One row per rule; the columns are :data:`BASE_RATES`. Rows are not to be compared with each
        other: they rest on different definitions.
    """
    rows = [_row(part, rng) for part in preferred.partition_by("rule", maintain_order=True)]
    return pl.DataFrame(rows, schema=BASE_RATES, orient="row")


def _row(rows: pl.DataFrame, rng: np.random.Generator) -> dict[str, Any]:
    known = rows.filter(pl.col("metric").is_not_null())
    names = known["metric"].to_list()
    is_compared = pl.Series(
        [metric_class(name).name in COMPARED for name in names], dtype=pl.Boolean
    )
    chosen, others = known.filter(is_compared), known.filter(~is_compared)
    tasks, emergent = int(rows["tasks"].sum()), int(rows["emergent"].sum())
    compared, hits = int(chosen["tasks"].sum()), int(chosen["emergent"].sum())
    other_tasks, other_hits = int(others["tasks"].sum()), int(others["emergent"].sum())
    counts = known["tasks"].to_numpy()
    listed = int(known["emergent"].sum())
    touched = int((known["emergent"] > 0).sum())
    return {
        "rule": rows["rule"][0],
        "tasks": tasks,
        "known": int(known["tasks"].sum()),
        "emergent": emergent,
        "compared": compared,
        "compared_emergent": hits,
        "others_known": other_tasks,
        "others_known_emergent": other_hits,
        "share_emergent": _share(hits, emergent),
        "share_tasks": _share(compared, tasks),
        "share_known": _share(compared, compared + other_tasks),
        "p_fisher_known": _fisher(hits, compared, other_hits, other_tasks),
        "p_fisher_tasks": _fisher(hits, compared, emergent - hits, tasks - compared),
        "metrics": len(known),
        "metrics_of_one_task": int((known["tasks_any_level"] == 1).sum()),
        "metrics_of_two_at_most": int((known["tasks_any_level"] <= 2).sum()),
        "metrics_emergent": touched,
        "metrics_emergent_expected": expected_metrics(counts.tolist(), listed),
        "p_as_few_metrics": _p_as_few(counts.tolist(), listed, touched, rng),
    }


def expected_metrics(tasks: Sequence[int], drawn: int) -> float:
    r"""Return how many metrics have any task in a random list of tasks.

    .. math:: \sum_m 1 - \binom{T - t_m}{d} \Big/ \binom{T}{d}

    Parameters
    ----------
    tasks
        Tasks :math:`t_m` of each metric, :math:`T` together.
    drawn
        Tasks :math:`d` in the list.

    Examples
    --------
    >>> expected_metrics([1, 1], 1)
    1.0
    """
    from scipy.special import gammaln

    count = np.asarray(tasks, dtype=float)
    total = count.sum()
    rest = total - count

    def ways(n: Any) -> Any:
        return gammaln(n + 1.0) - gammaln(np.maximum(n - drawn, 0.0) + 1.0)

    missed = np.where(rest >= drawn, np.exp(ways(rest) - ways(total)), 0.0)
    return float((1.0 - missed).sum())


def _p_as_few(tasks: Sequence[int], drawn: int, touched: int, rng: np.random.Generator) -> float:
    lists = rng.multivariate_hypergeometric(tasks, drawn, _RANDOM_LISTS, method="marginals")
    return float((1 + ((lists > 0).sum(axis=1) <= touched).sum()) / (1 + _RANDOM_LISTS))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _fisher(hits: int, count: int, other_hits: int, other_count: int) -> float | None:
    """Return Fisher's exact p-value, two-sided; None where one of the groups is empty."""
    from scipy.stats import fisher_exact

    if not count or not other_count:
        return None
    table = [[hits, count - hits], [other_hits, other_count - other_hits]]
    return float(fisher_exact(table).pvalue)
