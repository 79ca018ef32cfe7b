"""Which metric the authors of a BIG-bench task prefer: by BIG-bench's rule, from its metadata.

A task's own entry is not enough, for tasks with subtasks have one entry each. BIG-bench decides:

1. a task without subtasks prefers its own metric;
2. if every subtask prefers ``multiple_choice_grade``, so does the task;
3. otherwise its score is ``normalized_aggregate_score``, a mean over the subtasks.

A column of preferred metrics in another table (such as that of a hand annotation) may follow
another rule; results by different rules are not compared with each other.

Reference: BIG-bench, arXiv:2206.04615.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from upswing.mirage.meta.annotation import read_named_columns
from upswing.sources.bigbench import AGGREGATE
from upswing.sources.tabular import numeric

GRADE = "multiple_choice_grade"


def read_task_metadata(path: str | Path) -> pl.DataFrame:
    """Read a table of tasks and subtasks with the metric that each prefers.

    Parameters
    ----------
    path
        CSV or Parquet with columns ``task``, ``subtask`` (empty for the task itself) and
        ``preferred_score``, and if known ``n_examples`` and ``chance_mc``.

    Returns
    -------
    polars.DataFrame
        ``task``, ``subtask``, ``preferred_metric``, ``n`` (questions; null where 0 or unknown) and
        ``chance`` (of multiple choice).

    Raises
    ------
    InputError
        If the file cannot be read, a column is missing, or a cell is no number.
    """
    frame = read_named_columns(path, ("task", "subtask", "preferred_score"))
    for name in ("n_examples", "chance_mc"):
        frame = (
            frame.with_columns(numeric(frame, name, str(path)))
            if name in frame.columns
            else frame.with_columns(pl.lit(None, pl.Float64).alias(name))
        )
    return frame.select(
        "task",
        "subtask",
        pl.col("preferred_score").alias("preferred_metric"),
        pl.when(pl.col("n_examples") >= 1).then("n_examples").alias("n"),
        pl.col("chance_mc").alias("chance"),
    )


def preferred_by_rule(metadata: pl.DataFrame) -> pl.DataFrame:
    """Return the preferred metric of each task by BIG-bench's rule.

    Parameters
    ----------
    metadata
        ``task``, ``subtask`` and ``preferred_metric``.

    Returns
    -------
    polars.DataFrame
        ``task`` and ``preferred_metric``, sorted by task.

    Examples
    --------
    >>> preferred_by_rule(
    ...     pl.DataFrame(
    ...         {
    ...             "task": ["a", "b", "b", "b", "c", "c"],
    ...             "subtask": [None, None, "1", "2", None, "1"],
    ...             "preferred_metric": ["bleu", None, *[GRADE] * 2, "bleu", "exact_str_match"],
    ...         }
    ...     )
    ... )["preferred_metric"].to_list()
    ['bleu', 'multiple_choice_grade', 'normalized_aggregate_score']
    """
    part, metric = pl.col("subtask").is_not_null(), pl.col("preferred_metric")
    own = metric.filter(~part).first()
    return (
        metadata.group_by("task")
        .agg(
            pl.when(~part.any())
            .then(own)
            .when((metric.filter(part) == GRADE).fill_null(False).all())
            .then(pl.lit(GRADE))
            .otherwise(pl.lit(AGGREGATE))
            .alias("preferred_metric")
        )
        .sort("task")
    )


def read_metric_tasks(path: str | Path) -> pl.DataFrame:
    """Read a table of preferred metrics with the number of tasks of each.

    Parameters
    ----------
    path
        CSV or Parquet with columns ``metric``, ``n_tasks_task_level``, ``n_tasks_any_level`` (also
        where only subtasks prefer it) and ``n_wei_emergent_task_level`` (of them annotated as
        emergent).

    Returns
    -------
    polars.DataFrame
        ``metric``, ``tasks``, ``tasks_any_level``, ``emergent``.

    Raises
    ------
    InputError
        If the file cannot be read, a column is missing, or a cell is no whole number.
    """
    names = {
        "n_tasks_task_level": "tasks",
        "n_tasks_any_level": "tasks_any_level",
        "n_wei_emergent_task_level": "emergent",
    }
    frame = read_named_columns(path, ("metric", *names))
    counts = [numeric(frame, name, str(path), whole=True) for name in names]
    return frame.with_columns(counts).select("metric", *names).rename(names)
