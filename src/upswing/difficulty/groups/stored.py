"""Groups that somebody else made: the published tables, read from files or from a store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl

from upswing.difficulty.groups.grouping import cut_points, sort_metric
from upswing.difficulty.groups.groups import Array, By, DifficultyGroups, Whole
from upswing.errors import InputError, UnknownNameError
from upswing.notes import listing
from upswing.sources.wu_lo import GROUP_LEVEL, stored_groups
from upswing.tables.bundle import Tables

SAME_LIMIT = 0.005
"""Difference up to which two limits, log10 of compute, are the same."""


class Slicing(NamedTuple):
    """What sorted questions: the metric, and log10 of compute [1e21 FLOP] of the largest model."""

    sorted_by: str
    limit: float | None


Questions = tuple[int, int]
Scores = Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class StoredGroups:
    """All published groups of one task.

    Attributes
    ----------
    task
        Name of the task.
    models
        One row per model, as in :class:`~upswing.difficulty.groups.groups.DifficultyGroups`.
    slicings
        For each slicing its groups, questions ``lo`` to ``hi``, and their scores by metric, shape
        (n_models,), NaN where a model has none.
    totals
        Scores of the whole task by metric.
    chance
        Accuracy of a guess, where the tables say.
    """

    task: str
    models: pl.DataFrame
    slicings: Mapping[Slicing, Mapping[Questions, Scores]]
    totals: Scores
    chance: float | None = None

    def groups(
        self,
        count: int = 3,
        by: By = "brier",
        limit: float | None = None,
        *,
        redistributed: bool = True,
    ) -> DifficultyGroups:
        """Return the task in a number of groups.

        Parameters
        ----------
        count
            How many groups; 1 is the whole task.
        by
            ``brier`` or ``accuracy``.
        limit
            log10 of the training compute [1e21 FLOP] up to which models sorted the questions; may
            be left out where there is one.
        redistributed
            For ``brier``: which of the two TC Brier scores.

        Raises
        ------
        InputError
            If there are no such groups, with what is missing and what there is.
        """
        metric = sort_metric(by, redistributed)
        if count == 1:
            if metric not in self.totals:
                raise self._missing(count, Slicing(metric, limit))
            last = max(hi for parts in self.slicings.values() for _, hi in parts)
            columns = {name: values[:, None] for name, values in self.totals.items()}
            return self._table(np.array([0, last]), columns, by, Slicing(metric, limit))
        found = {
            slicing: edges
            for slicing, parts in self.slicings.items()
            if slicing.sorted_by == metric and _agree(slicing.limit, limit)
            if (edges := _edges(set(parts), count)) is not None
        }
        if not found:
            raise self._missing(count, Slicing(metric, limit))
        if len(found) > 1:
            limits = sorted(slicing.limit or 0.0 for slicing in found)
            raise InputError(
                f"the {count} groups of {self.task} were sorted at several limits: "
                f"{listing(limits)}",
                hint="say which one: log10 of the compute in 1e21 FLOP",
            )
        ((slicing, edges),) = found.items()
        parts = [self.slicings[slicing][pair] for pair in _pairs(edges)]
        names = set.intersection(*(set(part) for part in parts))
        values = {name: np.column_stack([part[name] for part in parts]) for name in sorted(names)}
        return self._table(edges, values, by, slicing)

    def limits(self, count: int, metric: str = "tc_brier") -> list[float]:
        """Return the limits at which that many groups were sorted; unknown ones are left out."""
        return sorted(
            slicing.limit
            for slicing, parts in self.slicings.items()
            if slicing.sorted_by == metric and slicing.limit is not None
            if _edges(set(parts), count) is not None
        )

    def _table(
        self, edges: Whole, values: dict[str, Array], by: By, slicing: Slicing
    ) -> DifficultyGroups:
        there = np.any([np.isfinite(one).any(axis=1) for one in values.values()], axis=0)
        return DifficultyGroups(
            self.task,
            by,
            slicing.sorted_by,
            slicing.limit,
            edges,
            self.models,
            values,
            {name: np.full_like(array, np.nan) for name, array in values.items()},
            self.totals,
            {name: np.full_like(array, np.nan) for name, array in self.totals.items()},
            chance=self.chance,
            published=True,
        ).keep(there)

    def _missing(self, count: int, wanted: Slicing) -> InputError:
        metric, limit = wanted
        at = "" if limit is None else f", sorted by models up to {10.0**limit:.4g}e21 FLOP,"
        flag = "acc_" if metric == "acc" else ""
        kind = "undist" if metric.endswith("undistributed") else "redist"
        size = "..." if limit is None else f"{10.0**limit}"
        there = [
            f"{n} by {slicing.sorted_by}"
            + ("" if slicing.limit is None else f" at {slicing.limit:g}")
            for slicing, parts in self.slicings.items()
            for n in range(2, len(parts) + 1)
            if _edges(set(parts), n) is not None
        ]
        return InputError(
            f"no table of {self.task} in {count} groups by {metric}{at} was read, such as "
            f"{flag}{self.task}_instance_brier_-1000_{size}_{count}_{kind}.csv",
            hint=f"groups that are there: {listing(sorted(there), 8)}; from answers to single "
            "questions any can be made",
        )


def stored_source(
    tables: Tables, task: str | None = None, family: str | None = None
) -> StoredGroups:
    """Return the published groups of a task.

    Parameters
    ----------
    tables
        What :func:`upswing.read` returned for group tables, or a store of them.
    task
        Name or glob. May be left out where there is one task, and may be any name where the one
        file there is was renamed, since such a file does not name its task.
    family
        Glob on the model family.

    Raises
    ------
    UnknownNameError
        If no task has that name, or several match, or no family matches.
    InputError
        If there are no groups.
    """
    known = stored_groups(tables.scores)
    name = _one_task(known, task)
    groups = known.filter(of_task=name)
    given = tables.scores if family is None else _of_family(tables.scores, family)
    rows = given.join(groups, on=["task", "task_version"], maintain_order="left")
    total = (pl.col("task") == name) & (pl.col("level") == "task")
    of_same_harness = pl.col("harness").is_in(rows["harness"].unique().implode())
    totals = given.filter(total & of_same_harness)
    models = _models(rows, tables.scales)
    number = models.select("model", "revision").with_row_index("_model")
    slicings: dict[Slicing, dict[Questions, dict[str, Array]]] = {}
    key = ("sorted_by", "limit", "lo", "hi", "metric")
    numbered = rows.join(number, on=["model", "revision"])
    for (by, limit, lo, hi, metric), part in numbered.partition_by(key, as_dict=True).items():
        scores = slicings.setdefault(Slicing(by, limit), {}).setdefault((lo, hi), {})
        scores[metric] = _column(part, len(models))
    of_task = totals.join(number, on=["model", "revision"]).partition_by("metric", as_dict=True)
    chance = totals.filter(metric="acc")["chance"].drop_nulls().unique()
    return StoredGroups(
        task or name,
        models,
        slicings,
        {str(metric): _column(part, len(models)) for (metric,), part in of_task.items()},
        float(chance[0]) if len(chance) == 1 else None,
    )


def _one_task(known: pl.DataFrame, task: str | None) -> str:
    names = known["of_task"].unique().sort().to_list()
    if not names:
        raise InputError(
            "there are neither answers to multiple-choice questions nor scores of groups",
            hint="read logs with the log-likelihoods of options, or Wu and Lo's group tables",
        )
    chosen = names
    if task is not None:
        chosen = [n for n in names if n == task] or [n for n in names if fnmatchcase(n, task)]
    if not chosen and len(names) == 1 and known["limit"].is_null().all():
        chosen = names
    if len(chosen) != 1:
        raise UnknownNameError(
            "name one task" if task is None else f"{task!r} is not one task with groups",
            hint=f"there are {listing(names, 9)}",
        )
    return str(chosen[0])


def _of_family(scores: pl.DataFrame, family: str) -> pl.DataFrame:
    names = scores.filter(pl.col("level") == GROUP_LEVEL)["family"].unique().sort().to_list()
    chosen = [name for name in names if name == family or fnmatchcase(name, family)]
    if not chosen:
        raise UnknownNameError(
            f"no family with groups matches {family!r}",
            hint=f"there are {len(names)}, such as {listing(names, 3)}",
        )
    return scores.filter(pl.col("family").is_in(chosen))


def _models(rows: pl.DataFrame, scales: pl.DataFrame) -> pl.DataFrame:
    """Return the models by compute; equals in the order of the file.

    Sizes that the table lacks and the model table knows stay unknown, as in the publication.
    """
    given = pl.when(pl.col("flops_source") == "input").then("flops").alias("flops")
    return (
        rows.sort("line")
        .unique(["model", "revision"], keep="first", maintain_order=True)
        .join(scales, on=["model", "revision"], how="left", maintain_order="left", suffix="_scale")
        .select("model", "revision", "family", given, pl.lit(None, pl.Boolean).alias("sorts"))
        .sort("flops", nulls_last=True, maintain_order=True)
    )


def _column(rows: pl.DataFrame, models: int) -> Array:
    column = np.full(models, np.nan)
    column[rows["_model"].to_numpy()] = rows["value"].to_numpy()
    return column


def _agree(stored: float | None, wanted: float | None) -> bool:
    return stored is None or wanted is None or abs(stored - wanted) < SAME_LIMIT


def _pairs(edges: Whole) -> list[Questions]:
    return [(int(lo), int(hi)) for lo, hi in pairwise(edges)]


def _edges(pairs: set[Questions], count: int) -> Whole | None:
    """Return the cut points of that many groups among all that one slicing has."""
    last = max(hi for _, hi in pairs)
    if count <= last:
        even = cut_points(last, count)
        if pairs.issuperset(_pairs(even)):
            return even
    starts = sorted(lo for lo, _ in pairs)
    if len(pairs) == count == len(set(starts)):  # groups of a table made by hand
        return np.array([*starts, last], dtype=np.int64)
    return None
