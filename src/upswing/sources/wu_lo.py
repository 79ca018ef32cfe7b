"""The group tables of Wu and Lo: one row per model, columns per group of question difficulty.

``Model, …, FLOPs (1E21), …, 0_4680_brier, 0_4680_san, …, acc, brier, san``: questions are sorted by
their mean score over small models and cut into groups; ``0_4680`` is the group of the first 4,680
questions. Brier is the target-conditioned Brier score (lower is better), san the probability of all
listed options. https://github.com/tony10101105/ExpEmergence (Wu and Lo 2025, arXiv:2410.01692).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from upswing.sources.document import Document
from upswing.sources.format import ReadOptions
from upswing.sources.wu_lo_table import SIZES, GroupTable, has_groups, read_group_table
from upswing.tables.reading import Reading, padded, scale_rows, with_defaults
from upswing.tables.schemas import SCORES

GROUP_LEVEL = "difficulty group"
"""``level`` of the scores of one group: the groups of a task are its questions once more."""

GROUPS: dict[str, pl.DataType | type[pl.DataType]] = {
    "model": pl.String,
    "family": pl.String,
    "params": pl.Float64,
    "tokens": pl.Float64,
    "flops": pl.Float64,
    "lo": pl.Int64,
    "hi": pl.Int64,
    "metric": pl.String,
    "value": pl.Float64,
    "line": pl.Int64,
}
"""Columns of :func:`read_wu_lo_groups`: sizes in parameters, tokens and FLOP."""


class WuLoTask(NamedTuple):
    """What the authors' scripts and ``utils.py`` type in for a task.

    Attributes
    ----------
    n_shot
        Solved examples in the prompt.
    chance
        Accuracy of a guess, in [0, 1].
    threshold
        log10 of the training compute [1e21 FLOP] at which the accuracy is said to jump. It was
        chosen by looking at the whole curve; tasks that do not emerge carry a nominal one.
    emergent
        Whether they call the task emergent.
    picture_degree
        Degree of the polynomials in their figures of ten groups.
    thresholds
        Thresholds of their robustness study; empty for tasks that it leaves out.
    """

    n_shot: int
    chance: float
    threshold: float
    emergent: bool
    picture_degree: int = 5
    thresholds: tuple[float, ...] = ()


TASKS = {
    "mmlu": WuLoTask(5, 0.25, 1.5, True, 7, (1.5, 1.3, 1.1)),
    "parsinlu_qa_mc": WuLoTask(2, 0.25, 2.3, True, 5, (2.3, 2.1, 1.9)),
    "arithmetic": WuLoTask(2, 0.145, 1.8, True, 10, (1.8, 1.6, 1.4)),
    "hindu_knowledge": WuLoTask(2, 0.25, 1.0, True),
    "analogical_similarity": WuLoTask(2, 0.145, 2.0, True),
    "conceptual_combinations": WuLoTask(2, 0.25, 1.5, True),
    "hellaswag": WuLoTask(1, 0.25, 2.3, False),
    "arc": WuLoTask(1, 0.25, 2.3, False),
    "abstract_narrative_understanding": WuLoTask(2, 0.1, 2.3, False),
}
"""The authors' tasks. The chance of arithmetic and analogical similarity, whose questions have
different numbers of options, is one constant in their code."""

_SORTED_BY = "sorted by "
_UP_TO = " of models up to "
_FLOP = "e21 FLOP"


def looks_like_wu_lo(columns: list[str]) -> bool:
    """Tell whether a header is that of a group table."""
    return has_groups(columns)


def read_wu_lo(document: Document, options: ReadOptions) -> Iterator[Reading]:
    """Read a group table: a score per model and metric, and one more per group of questions.

    A group is a task such as ``mmlu[0_4680]`` at the level ``difficulty group``; its task version
    says by what the questions were sorted, since other models put other questions in it.

    Raises
    ------
    InputError
        With file and line, if the table is malformed.
    """
    file = document.source if document.path is None else document.path.name
    table = read_group_table(document.content(), document.source, file)
    sizes = table.models.select(
        "model", pl.lit("").alias("revision"), *SIZES, pl.lit(document.source).alias("source")
    )
    yield Reading(
        scores=_scores(table, document.source),
        scales=pl.concat([scale_rows([]), sizes], how="diagonal_relaxed"),
        harness="lm-eval, scored by Wu and Lo",
        notes=table.notes,
    )


def read_wu_lo_groups(content: bytes, source: str) -> pl.DataFrame:
    """Return the scores of the groups, one row per model, group and metric.

    Parameters
    ----------
    content
        The CSV file.
    source
        Its name, which tells redistributed from unredistributed Brier scores.

    Returns
    -------
    polars.DataFrame
        The columns of :data:`GROUPS`: questions ``lo`` (included) to ``hi`` (excluded) in the order
        of difficulty. In tables of Brier scores the first group is the easiest; in those of
        accuracies (``acc_…``), which are sorted by accuracy, it is the hardest. Metrics are
        ``tc_brier`` or ``tc_brier_undistributed`` (in [0, 1], lower is better), ``acc`` and
        ``option_mass`` (which can exceed 1 where one option begins another). Models without scores
        and repeated rows of a model are left out, as in :func:`read_wu_lo`.

    Raises
    ------
    InputError
        With file and line, if the table is malformed.

    References
    ----------
    Wu and Lo 2025, arXiv:2410.01692.
    """
    long = read_group_table(content, source, source).long()
    return (
        long.filter(pl.col("lo").is_not_null())
        .select(*(pl.col(name).cast(dtype) for name, dtype in GROUPS.items()))
        .sort("line", "lo", maintain_order=True)
    )


def stored_groups(scores: pl.DataFrame) -> pl.DataFrame:
    """Return which groups there are among scores that :func:`read_wu_lo` gave.

    Parameters
    ----------
    scores
        Rows with the SCORES columns, of a reading or of a store.

    Returns
    -------
    polars.DataFrame
        One row per ``task`` and ``task_version`` at the level ``difficulty group``, with
        ``of_task``, the task that the group is part of; its questions ``lo`` (included) to ``hi``
        (excluded); ``sorted_by``, the metric that sorted them; and ``limit``, log10 of the training
        compute [1e21 FLOP] of the largest model that did so, to three decimals, null where the file
        did not say.
    """
    found = scores.filter(pl.col("level") == GROUP_LEVEL)
    found = found.select("task", "task_version").unique(maintain_order=True)
    version = pl.col("task_version").str.strip_prefix(_SORTED_BY)
    limit = version.str.extract(_UP_TO + r"(\S+)" + _FLOP).cast(pl.Float64, strict=False)
    name = pl.col("task").str.extract_groups(r"^(?<of_task>.*)\[(?<lo>\d+)_(?<hi>\d+)\]$")
    return (
        found.with_columns(
            name.alias("_name"),
            version.str.split(_UP_TO).list.first().alias("sorted_by"),
            limit.log10().round(3).alias("limit"),
        )
        .unnest("_name")
        .with_columns(pl.col("lo", "hi").cast(pl.Int64))
    )


def _scores(table: GroupTable, source: str) -> pl.DataFrame:
    name, known = table.name, TASKS.get(table.name.task)
    sorted_by = f"{_SORTED_BY}{name.sorted_by}"
    if name.threshold is not None:
        sorted_by += f"{_UP_TO}{name.threshold:.4g}{_FLOP}"
    whole = pl.col("lo").is_null()
    group = pl.format("[{}_{}]", "lo", "hi")
    accuracy = pl.col("metric") == "acc"
    chance = pl.lit(None if known is None else known.chance, pl.Float64)
    rows = table.long().with_columns(
        (pl.lit(name.task) + pl.when(whole).then(pl.lit("")).otherwise(group)).alias("task"),
        pl.when(whole).then(pl.lit("")).otherwise(pl.lit(sorted_by)).alias("task_version"),
        pl.when(whole).then(pl.lit("task")).otherwise(pl.lit(GROUP_LEVEL)).alias("level"),
        pl.coalesce(pl.col("hi") - pl.col("lo"), pl.lit(table.questions)).alias("n"),
        pl.lit(None if known is None else known.n_shot, pl.Int64).alias("n_shot"),
        pl.when(accuracy).then(chance).alias("chance"),
        pl.when(accuracy & chance.is_not_null())
        .then(pl.lit("the constant of Wu and Lo's code"))
        .alias("chance_source"),
        pl.when(pl.col("metric").str.starts_with("tc_brier"))
        .then(pl.lit(False))
        .when(accuracy)
        .then(pl.lit(True))
        .alias("higher_is_better"),
        pl.lit("wu-lo").alias("harness"),
        pl.lit(source).alias("source"),
    )
    kept = [column for column in SCORES.polars if column in rows.columns]
    return with_defaults(padded(rows.select(kept), SCORES))
