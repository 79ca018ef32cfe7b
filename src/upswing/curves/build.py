"""From scores and scales to curves."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import polars as pl

from upswing.curves.curve import AXES, RUN_AXES, Axis, Curve
from upswing.errors import InputError, UnknownNameError
from upswing.metrics.registry import known_metric
from upswing.notes import Note, listing
from upswing.scales.revision import RELEASED
from upswing.tables.bundle import Tables

_CURVE_KEY = ("family", "task", "task_version", "metric", "filter", "n_shot", "elicitation")


def build_curves(
    tables: Tables,
    axis: Axis = "flops",
    *,
    task: str | None = None,
    family: str | None = None,
    n_shot: int | None = None,
    revision: str | None = None,
    level: str = "task",
    logarithmic: bool = True,
) -> tuple[list[Curve], list[Note]]:
    """Return the curves of a reading, sorted by family, task and metric.

    Parameters
    ----------
    tables
        What :func:`upswing.read` returned.
    axis
        On ``params`` and ``flops``: one curve per family, in which each model enters once, with its
        last revision. On ``tokens`` and ``loss``: one curve per model along its checkpoints.
    task, family
        Globs that select curves.
    n_shot
        Number of solved examples that selects curves.
    revision
        The revision to take instead of the last, on ``params`` and ``flops``.
    level
        ``task``, or ``group`` for tasks that pool others.
    logarithmic
        Whether points at x <= 0 have no place on the axis.

    Raises
    ------
    UnknownNameError
        If no task or family matches, or no model has that revision.
    InputError
        If the axis does not exist.
    """
    if axis not in AXES:
        raise InputError(f"no axis {axis!r}", hint=f"choose one of {', '.join(AXES)}")
    scores = select_scores(tables.scores, task, family, level)
    if n_shot is not None:
        scores = scores.filter(pl.col("n_shot") == n_shot)
        if scores.is_empty():
            raise UnknownNameError(f"no score has {n_shot} shots")
    scales = tables.scales.select(
        "model",
        "revision",
        "step",
        "tokens",
        "flops",
        "loss",
        pl.col("params").alias("_params"),
        pl.col(axis).alias("_x"),
    )
    scores = scores.join(scales, on=["model", "revision"], how="left", maintain_order="left")
    notes: list[Note] = []
    if axis not in RUN_AXES:
        scores = last_revision(scores, revision)
    missing = scores.filter(pl.col("_x").is_null())["model"].unique().sort().to_list()
    if missing:
        notes.append(
            Note(
                "scale-missing",
                "info",
                f"{len(missing)} models have no {axis} and are not on that axis: "
                f"{listing(missing)}.",
                {"models": missing, "axis": axis},
            )
        )
    scores = scores.filter(pl.col("_x").is_not_null())
    if logarithmic and axis != "loss":
        dropped = int((scores["_x"] <= 0).sum())
        if dropped:
            notes.append(
                Note(
                    "zero-scale",
                    "info",
                    f"{dropped} scores at {axis} = 0 (before the first step) have no place on a "
                    "logarithmic axis and are not drawn or tested.",
                    {"rows": dropped, "axis": axis},
                )
            )
            scores = scores.filter(pl.col("_x") > 0)
    key = [*_CURVE_KEY, *(["model"] if axis in RUN_AXES else [])]
    groups = scores.sort([*key, "_x", "model"]).partition_by(key, maintain_order=True)
    curves = [
        _curve(part, axis) for group in groups for part in _by_harness(group, axis in RUN_AXES)
    ]
    return sorted(curves, key=lambda curve: curve.key), notes


def select_scores(
    scores: pl.DataFrame, task: str | None, family: str | None, level: str = "task"
) -> pl.DataFrame:
    """Return the scores of a level whose task and family match globs.

    Raises
    ------
    UnknownNameError
        If nothing matches, with names that are like it.
    """
    scores = scores.filter(pl.col("level") == level)
    if scores.is_empty():
        return scores
    for column, pattern in (("task", task), ("family", family)):
        if pattern is None:
            continue
        names = scores[column].unique().sort().to_list()
        chosen = [name for name in names if fnmatchcase(name, pattern)]
        if not chosen:
            raise UnknownNameError(
                f"no {column} matches {pattern!r}", hint=_nearest(pattern, names)
            )
        scores = scores.filter(pl.col(column).is_in(chosen))
    return scores


def _nearest(pattern: str, names: list[str]) -> str:
    import difflib

    close = difflib.get_close_matches(pattern, names, n=3, cutoff=0.4) or names[:3]
    return f"there are {len(names)}, such as {', '.join(close)}" if names else "there are none"


def last_revision(scores: pl.DataFrame, revision: str | None) -> pl.DataFrame:
    """Keep one revision of each model: the one asked for, or the one with most training."""
    if revision is not None:
        wanted = "" if revision.lower() in RELEASED else revision
        kept = scores.filter(pl.col("revision") == wanted)
        if kept.is_empty():
            known = scores["revision"].unique().sort().to_list()
            raise UnknownNameError(
                f"no model has the revision {revision!r}", hint=_nearest(revision, known)
            )
        return kept
    names = scores["revision"].unique().to_list()
    natural = {name: re.sub(r"\d+", lambda m: m[0].zfill(20), name) for name in names}
    # A revision without a name is the released model, which is the last; then what training says;
    # then the name, with its numbers read as numbers.
    progress = pl.struct(
        (pl.col("revision") == "").alias("released"),
        pl.col("step").fill_null(-1),
        pl.col("tokens").fill_null(-1.0),
        pl.col("flops").fill_null(-1.0),
        (-pl.col("loss")).fill_null(float("-inf")).alias("minus_loss"),
        pl.col("revision").replace_strict(natural, return_dtype=pl.String),
    ).rank("dense")
    ranked = scores.with_columns(progress.alias("_progress"))
    last = pl.col("_progress") == pl.col("_progress").max().over(
        "model", "harness", *_CURVE_KEY[1:]
    )
    return ranked.filter(last).drop("_progress")


def _by_harness(group: pl.DataFrame, run: bool) -> list[pl.DataFrame]:
    """Split a group in which harnesses score the same models: no two scores of one are a point."""
    names = group["revision" if run else "model"]
    if names.is_duplicated().any() and group["harness"].n_unique() > 1:
        return group.partition_by("harness", maintain_order=True)
    return [group]


def _curve(group: pl.DataFrame, axis: Axis) -> Curve:
    run = axis in RUN_AXES
    row: dict[str, Any] = group.row(0, named=True)
    notes = []
    chance = group["chance"].unique().drop_nulls()
    if len(chance) > 1:
        notes.append(
            Note(
                "chance-differs",
                "warning",
                f"{row['task']} ({row['metric']}) has {len(chance)} chance levels, so it gets no "
                "verdict; give one with --chance.",
                {"chance": chance.sort().to_list()},
            )
        )
    harnesses = group["harness"].unique().sort().to_list()
    if len(harnesses) > 1:
        notes.append(
            Note(
                "harness-mixed",
                "warning",
                f"{row['task']} ({row['metric']}) joins scores of {listing(harnesses)}, which may "
                "ask and score differently.",
                {"harnesses": harnesses},
            )
        )
    if group["_x"].n_unique() < len(group):
        labels = group.filter(pl.len().over("_x") > 1)["model"].unique().sort().to_list()
        notes.append(
            Note(
                "same-scale-pooled",
                "info",
                f"Models of the same {axis} are one point: {listing(labels)}.",
                {"models": labels},
            )
        )
        group = _pooled(group)
    if run:
        notes.append(
            Note(
                "checkpoints-dependent",
                "info",
                "Checkpoints of one run are not independent points.",
            )
        )
    lowest, highest, higher, proportion = _range(row, group)
    sources = group["n_source"].drop_nulls().unique().sort().to_list()
    return Curve(
        x=group["_x"].to_numpy(),
        y=group["value"].to_numpy(),
        axis=axis,
        stderr=group["stderr"].cast(pl.Float64).fill_null(np.nan).to_numpy(),
        n=group["n"].cast(pl.Float64).fill_null(np.nan).to_numpy(),
        chance=float(chance[0]) if len(chance) == 1 else None,
        family=row["family"],
        model=row["model"] if run else None,
        task=row["task"],
        task_version=row["task_version"] or "",
        metric=row["metric"],
        filter=row["filter"],
        n_shot=row["n_shot"],
        elicitation=row["elicitation"],
        models=tuple(group["revision" if run else "model"].to_list()),
        clustered=bool(group["n_clusters"].is_not_null().any()),
        lowest=lowest,
        highest=highest,
        higher_is_better=higher,
        proportion=proportion,
        chance_source=str(row["chance_source"] or ""),
        n_source=", ".join(sources),
        params_slope=_params_slope(group, axis),
        harness=" + ".join(harnesses),
        notes=tuple(notes),
    )


def _params_slope(group: pl.DataFrame, axis: Axis) -> float | None:
    """Return d ln N / d ln C over the models of a family; None where it cannot be told."""
    if axis != "flops":
        return None
    known = group.select("_x", "_params").filter(
        (pl.col("_x") > 0) & pl.col("_params").is_not_null()
    )
    if len(known) < len(group) or known["_params"].n_unique() < 2:
        return None
    flops, params = (np.log(known[name].to_numpy()) for name in ("_x", "_params"))
    return float(np.polyfit(flops, params, 1)[0])


def _pooled(group: pl.DataFrame) -> pl.DataFrame:
    """Average the rows of equal x, weighted by their questions."""
    weight = pl.col("n").fill_null(1).cast(pl.Float64)
    error = ((weight * pl.col("stderr")) ** 2).sum().sqrt() / weight.sum()
    return group.group_by("_x", maintain_order=True).agg(
        pl.col("model").unique().sort().str.join(" + "),
        pl.col("revision").first(),
        ((weight * pl.col("value")).sum() / weight.sum()).alias("value"),
        pl.when(pl.col("stderr").is_not_null().all()).then(error).alias("stderr"),
        pl.when(pl.col("n").is_not_null().all()).then(pl.col("n").sum()).alias("n"),
        pl.col("chance", "chance_source", "n_source", "n_clusters", "harness", "_params").first(),
    )


def _range(
    row: dict[str, Any], group: pl.DataFrame
) -> tuple[float | None, float | None, bool, bool]:
    """Return lowest and highest value, direction, and whether the metric is a proportion.

    A metric that nobody knows is taken for a proportion where all its values lie in [0, 1].
    """
    stated = row["higher_is_better"]
    known = known_metric(row["metric"])
    if known is not None:
        higher = known.higher_is_better if stated is None else bool(stated)
        return known.minimum, known.maximum, higher, known.proportion
    higher = True if stated is None else bool(stated)
    if group["value"].is_between(0, 1).all():
        return 0.0, 1.0, higher, higher
    return None, None, higher, False
