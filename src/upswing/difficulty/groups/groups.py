"""``DifficultyGroups``: the scores of models on groups of questions from easy to hard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from upswing.errors import UnknownNameError
from upswing.metrics.registry import known_metric
from upswing.notes import Note, listing

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
By = Literal["brier", "accuracy"]

FLOP_UNIT = 1e21
"""Unit of Wu and Lo's compute axis [FLOP]; their x is log10 of training compute in it."""

GROUP_SCORES: dict[str, type[pl.DataType]] = {
    "task": pl.String,
    "model": pl.String,
    "revision": pl.String,
    "family": pl.String,
    "flops": pl.Float64,
    "log10_flops": pl.Float64,
    "group": pl.Int64,
    "easiness_rank": pl.Int64,
    "lo": pl.Int64,
    "hi": pl.Int64,
    "metric": pl.String,
    "value": pl.Float64,
    "stderr": pl.Float64,
    "n": pl.Int64,
}
"""Columns of :meth:`DifficultyGroups.scores`: ``flops`` is training compute [FLOP], ``log10_flops``
log10 of it in 1e21 FLOP; ``group`` counts from 0 in the published order (the easiest first where
questions are sorted by Brier score, the hardest first where they are sorted by accuracy) and
``easiness_rank`` from 1, the easiest, in both; a group holds questions ``lo`` (included) to ``hi``
(excluded) in the order of ``group``. ``stderr`` is over questions, given the groups; null where
only group scores are known."""


@dataclass(frozen=True, eq=False)
class DifficultyGroups:
    """Scores of models on groups of questions.

    Attributes
    ----------
    task
        Name of the task.
    by
        What sorted the questions.
    metric
        The metric that sorted them: ``tc_brier`` or ``tc_brier_undistributed`` (lower is better),
        or ``acc``.
    limit
        log10 of the training compute [1e21 FLOP] up to which models sorted the questions; None
        where there was no limit or it is not known.
    edges
        Cut points, shape (n_groups + 1,), from 0 to the number of questions.
    models
        One row per model, by compute: ``model``, ``revision``, ``family``, ``flops`` [FLOP] (null
        where it is not known), ``sorts`` (whether it sorted the questions; null if not known).
    values, errors
        Score of each model on each group and its standard error over questions, by metric; shape
        (n_models, n_groups), NaN where not known.
    whole, whole_errors
        The same of the whole task, shape (n_models,).
    chance
        Accuracy of a guess, where the input says.
    published
        Whether the groups were made by Wu and Lo and only read here.
    questions
        Where they were made here: ``task``, ``item``, ``difficulty`` (mean of ``metric`` over the
        sorting models) and ``group`` of every question; else None.
    notes
        Remarks.
    """

    task: str
    by: By
    metric: str
    limit: float | None
    edges: Whole
    models: pl.DataFrame
    values: Mapping[str, Array]
    errors: Mapping[str, Array]
    whole: Mapping[str, Array]
    whole_errors: Mapping[str, Array]
    chance: float | None = None
    published: bool = False
    questions: pl.DataFrame | None = None
    notes: tuple[Note, ...] = ()

    @property
    def count(self) -> int:
        """Number of groups."""
        return len(self.edges) - 1

    @property
    def log10_flops(self) -> Array:
        """log10 of training compute [1e21 FLOP] of each model; NaN where it is not known."""
        return np.log10(self.flops / FLOP_UNIT)

    @property
    def flops(self) -> Array:
        """Training compute of each model [FLOP]; NaN where it is not known or 0 (before step 1)."""
        flops = self.models["flops"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        return np.where(flops > 0, flops, np.nan)

    @property
    def clusters(self) -> npt.NDArray[np.object_]:
        """Label of the cluster of each row: its family; its model where rows are checkpoints.

        Models of a family deviate together, and checkpoints of a run do so even more.
        """
        runs = self.models["model"].is_duplicated().any()
        label = pl.col("model") if runs else pl.coalesce("family", "model")
        return np.asarray(self.models.select(label).to_series().to_list(), dtype=object)

    @property
    def by_easiness(self) -> list[int]:
        """Groups from the easiest to the hardest."""
        return list(range(self.count))[:: 1 if self.by == "brier" else -1]

    def scores(self, *metrics: str) -> pl.DataFrame:
        """Return the scores of the groups as a tidy table; see :data:`GROUP_SCORES`.

        Parameters
        ----------
        metrics
            Which ones; by default the one that sorted the questions.

        Raises
        ------
        UnknownNameError
            If the groups do not hold a metric.
        """
        models, groups = len(self.models), self.count
        rank = np.argsort(self.by_easiness) + 1
        log10_flops = pl.Series("log10_flops", self.log10_flops, nan_to_null=True)
        repeated = self.models.with_columns(log10_flops)[np.repeat(np.arange(models), groups)]
        parts = [
            repeated.with_columns(
                pl.lit(self.task).alias("task"),
                pl.Series("group", np.tile(np.arange(groups), models)),
                pl.Series("easiness_rank", np.tile(rank, models)),
                pl.Series("lo", np.tile(self.edges[:-1], models)),
                pl.Series("hi", np.tile(self.edges[1:], models)),
                pl.lit(metric).alias("metric"),
                pl.Series("value", self.measured(metric).ravel(), nan_to_null=True),
                pl.Series("stderr", self.errors[metric].ravel(), nan_to_null=True),
                pl.Series("n", np.tile(np.diff(self.edges), models)),
            )
            for metric in metrics or (self.metric,)
        ]
        table = pl.concat(parts).drop_nulls("value")
        return table.select(pl.col(name).cast(dtype) for name, dtype in GROUP_SCORES.items())

    def measured(self, metric: str) -> Array:
        """Return :attr:`values` of a metric.

        Raises
        ------
        UnknownNameError
            If the groups do not hold it.
        """
        if metric not in self.values:
            raise UnknownNameError(
                f"the groups of {self.task} hold no {metric}",
                hint=f"they hold {listing(self.values)}; from answers to single questions all "
                "metrics are known",
            )
        return self.values[metric]

    def wide(self, metric: str) -> pl.DataFrame:
        """Return one row per model, and one column per group with its scores under a metric."""
        named = self.scores(metric).with_columns(pl.format("{}-{}", "lo", "hi").alias("questions"))
        index = ["model", "revision", "log10_flops"]
        return named.pivot("questions", index=index, values="value")

    def keep(self, mask: Mask) -> DifficultyGroups:
        """Return the same groups for some of the models."""

        def of_kept(arrays: Mapping[str, Array]) -> dict[str, Array]:
            return {metric: array[mask] for metric, array in arrays.items()}

        return replace(
            self,
            models=self.models.filter(pl.Series(mask)),
            values=of_kept(self.values),
            errors=of_kept(self.errors),
            whole=of_kept(self.whole),
            whole_errors=of_kept(self.whole_errors),
        )

    def without(self, names: Sequence[str]) -> DifficultyGroups:
        """Return the groups without the models whose name matches one of the globs."""
        mask = ~matching(self.models["model"], names)
        return self if not len(mask) or mask.all() else self.keep(mask)


def matching(models: Iterable[str], globs: Iterable[str]) -> Mask:
    """Tell which models match one of the globs; ``/`` and ``__`` are the same.

    >>> matching(["org/a", "org__b", "c"], ["org/*"]).tolist()
    [True, True, False]
    """
    written = [glob.replace("/", "__") for glob in globs]
    names = [model.replace("/", "__") for model in models]
    return np.array([any(fnmatchcase(n, glob) for glob in written) for n in names], dtype=bool)


def to_flops(log10_flops: npt.ArrayLike) -> Array:
    """Return training compute [FLOP] from log10 of it in 1e21 FLOP.

    >>> float(to_flops(1.0))
    1e+22
    """
    return 10.0 ** np.asarray(log10_flops) * FLOP_UNIT


def gains(values: Array, metric: str) -> Array:
    """Return values of a metric such that more is better: Brier scores change their sign.

    >>> gains(np.array([0.25]), "tc_brier").tolist(), gains(np.array([0.25]), "acc").tolist()
    ([-0.25], [0.25])
    """
    known = known_metric(metric)
    return -values if known is not None and not known.higher_is_better else values
