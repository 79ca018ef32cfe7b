"""A hand annotation of tasks, such as Wei et al.'s list of 202 BIG-bench tasks.

Going through the published curves of all BIG-bench tasks, Wei et al. put each task into one
category: emergent with GPT-3 or LaMDA, emergent with PaLM, smoothly rising, flat, falling, or
without correlation with scale. Upswing ships no copy; the table is given as a file.

Reference: Wei et al. 2022, arXiv:2206.07682, appendix E.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from upswing.errors import InputError
from upswing.sources.tabular import read_text_table, with_lines

ANNOTATION: dict[str, type[pl.DataType]] = {
    "task": pl.String,
    "category": pl.String,
    "emergent": pl.Boolean,
    "first_emerges_at": pl.String,
    "preferred_metric": pl.String,
}
"""Columns of :func:`read_annotation`. ``emergent`` tells whether the category begins with that
word; ``first_emerges_at`` is the first model with the ability, and ``preferred_metric`` what the
table itself says of the task: null where it does not."""

_CATEGORY = ("wei_category", "category")
_NOTHING = ("", "na", "n/a", "null", "none")


def read_annotation(path: str | Path) -> pl.DataFrame:
    """Read a table of annotated tasks.

    Parameters
    ----------
    path
        CSV or Parquet with columns ``task`` and ``wei_category`` (or ``category``), and if known
        ``first_emerges_at`` and ``preferred_metric``.

    Returns
    -------
    polars.DataFrame
        The columns are :data:`ANNOTATION`, sorted by task.

    Raises
    ------
    InputError
        If the file cannot be read, a column is missing, or a task is empty or named twice.
    """
    frame = read_named_columns(path, ("task",))
    category = next((name for name in _CATEGORY if name in frame.columns), None)
    if category is None:
        raise InputError(
            "column 'wei_category' is missing",
            where=f"{path}:1",
            hint="an annotation needs the columns task and wei_category",
        )
    optional = [
        pl.col(name) if name in frame.columns else pl.lit(None, pl.String).alias(name)
        for name in ("first_emerges_at", "preferred_metric")
    ]
    found = frame.select(
        "task", pl.col(category).alias("category"), *optional, "line"
    ).with_columns(pl.col("category").str.starts_with("emergent").alias("emergent"))
    _check_filled(found, ("task", "category"), path)
    doubled = found.filter(~pl.col("task").is_first_distinct())
    if len(doubled):
        row = doubled.row(0, named=True)
        raise InputError(f"task {row['task']!r} is annotated twice", where=f"{path}:{row['line']}")
    return found.select(list(ANNOTATION)).sort("task")


def read_named_columns(path: str | Path, names: tuple[str, ...]) -> pl.DataFrame:
    """Read a table as text with a column ``line``, in which cells without a value are null.

    Raises
    ------
    InputError
        If the file cannot be read or lacks one of the columns ``names``.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=str(path)) from None
    frame = read_text_table(content, str(path))
    for name in names:
        if name not in frame.columns:
            raise InputError(
                f"column {name!r} is missing",
                where=f"{path}:1",
                hint=f"the columns are {', '.join(frame.columns)}",
            )
    text = pl.col(pl.String)
    empty = text.str.to_lowercase().is_in(_NOTHING)
    return with_lines(frame).with_columns(pl.when(empty).then(None).otherwise(text).name.keep())


def _check_filled(frame: pl.DataFrame, names: tuple[str, ...], path: str | Path) -> None:
    for name in names:
        empty = frame.filter(pl.col(name).is_null())
        if len(empty):
            raise InputError(f"column {name!r} is empty", where=f"{path}:{empty['line'][0]}")
