"""The three predictions about arithmetic, on the real outputs of the lab's ladder.

That a jump is the metric's or the test set's doing has consequences that can be checked: another
metric of the same answers is smooth; more questions put the small models above chance; and scores
follow the length of the answer. Here all of it is put to test, and the verdict computed, whichever
way it goes.

Reference: Schaeffer et al. 2023, arXiv:2304.15004, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from upswing.lab.shipped import KEPT_CHECKPOINTS, read_lab_results
from upswing.mirage import prediction_length, prediction_metric, prediction_questions
from upswing.mirage.length_answers import Mode
from upswing.mirage.more_questions import more_questions
from upswing.mirage.target_length import DRAWS, target_length
from upswing.tables.bundle import Tables

TASKS = ("addition-1", "addition-2", "addition-3", "addition-4", "multiplication-2")
QUESTIONS = 5000
"""Questions of the larger test: ten times those of the shipped results."""

FEW = 500


class ArithmeticPredictions(NamedTuple):
    """The three predictions and what became of them.

    Attributes
    ----------
    metric_change
        See :func:`upswing.mirage.prediction_metric.metric_change`.
    more_questions
        See :func:`upswing.mirage.prediction_questions.above_chance`; empty where nothing was asked.
    lengths
        See :class:`upswing.mirage.target_length.TargetLength`, with a column ``task``.
    length_claims
        See :func:`upswing.mirage.prediction_length.length_claims`.
    summary
        See :func:`summary`.
    """

    metric_change: pl.DataFrame
    more_questions: pl.DataFrame
    lengths: pl.DataFrame
    length_claims: pl.DataFrame
    summary: pl.DataFrame


def arithmetic_predictions(
    tables: Tables | None = None,
    questions: int = QUESTIONS,
    seed: int = 0,
    draws: int = DRAWS,
    checkpoints: Sequence[tuple[str, str]] = KEPT_CHECKPOINTS,
) -> ArithmeticPredictions:
    """Check the three predictions on the lab's answers to arithmetic.

    Parameters
    ----------
    tables
        Answers; the shipped results of the lab by default.
    questions
        Questions per task that the shipped checkpoints are asked anew, which takes about a minute
        for 5,000; 0 leaves the second prediction out.
    seed
        Seed of the questions and of every bootstrap.
    draws
        Bootstrap draws.
    checkpoints
        Models and revisions that are asked anew.
    """
    source = read_lab_results() if tables is None else tables
    rng = np.random.default_rng(seed)
    changed = prediction_metric.metric_change(source, (*TASKS, "reverse"), rng, draws=draws)
    asked = pl.DataFrame()
    if questions:
        answers = [more_questions(checkpoints, task, questions, seed) for task in TASKS]
        asked = prediction_questions.above_chance(pl.concat(answers), FEW, rng)
    lengths, claims = _lengths(source, rng, draws)
    judged = [changed, prediction_questions.question_claims(asked)] if questions else [changed]
    return ArithmeticPredictions(changed, asked, lengths, claims, summary([*judged, claims]))


def _lengths(
    tables: Tables, rng: np.random.Generator, draws: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the third prediction on the last checkpoints, by task and way of comparing."""
    written = tables.items.filter(
        pl.col("output").is_not_null() & pl.col("task").is_in(TASKS)
    ).join(tables.scales.select("model", "revision", "step", "params"), on=["model", "revision"])
    last = written.filter(pl.col("step") == pl.col("step").max().over("model")).sort(
        "params", maintain_order=True
    )
    additions = pl.col("task").str.starts_with("addition")
    sets: tuple[tuple[str, Mode, pl.DataFrame], ...] = (
        ("addition-1 to 4", "group", last.filter(additions)),
        ("addition-4", "prefix", last.filter(pl.col("task") == "addition-4")),
        ("multiplication-2", "prefix", last.filter(pl.col("task") == "multiplication-2")),
    )
    lengths, claims = [], []
    for task, mode, items in sets:
        found = target_length(items, rng, mode, draws=draws)
        lengths.append(found.lengths.select(pl.lit(task).alias("task"), pl.all()))
        claims.append(prediction_length.length_claims(found, task))
    return pl.concat(lengths), pl.concat(claims)


def summary(predictions: list[pl.DataFrame]) -> pl.DataFrame:
    """Count the verdicts on each prediction and task, and give one for all.

    Parameters
    ----------
    predictions
        Frames with ``prediction``, ``task``, ``verdict``, and ``claim`` where there are several.

    Returns
    -------
    polars.DataFrame
        ``prediction``, ``claim`` (empty where there is one), ``task``, ``confirmed``,
        ``not_confirmed``, ``undecided``, ``untestable`` (counts), and ``verdict``: ``confirmed``
        where all testable ones are, ``not confirmed`` where some are not and none is confirmed,
        ``mixed`` where there are both, ``untestable`` where none can be tested, else
        ``undecided``.

    Examples
    --------
    >>> rows = {"prediction": "p", "task": "t", "verdict": ["confirmed", "untestable"]}
    >>> summary([pl.DataFrame(rows)])["verdict"].to_list()
    ['confirmed']
    """
    parts = [
        frame.with_columns(
            (pl.col("claim") if "claim" in frame.columns else pl.lit("")).alias("claim")
        ).select("prediction", "claim", "task", "verdict")
        for frame in predictions
        if len(frame)
    ]
    verdict = pl.col("verdict")
    counts = (
        pl.concat(parts)
        .group_by("prediction", "claim", "task", maintain_order=True)
        .agg(
            (verdict == "confirmed").sum().alias("confirmed"),
            (verdict == "not confirmed").sum().alias("not_confirmed"),
            (verdict == "undecided").sum().alias("undecided"),
            (verdict == "untestable").sum().alias("untestable"),
        )
    )
    yes, no = pl.col("confirmed") > 0, pl.col("not_confirmed") > 0
    open_ = pl.col("undecided") > 0
    return counts.with_columns(
        pl.when(yes & no)
        .then(pl.lit("mixed"))
        .when(no)
        .then(pl.lit("not confirmed"))
        .when(yes & ~open_)
        .then(pl.lit("confirmed"))
        .when(yes | open_)
        .then(pl.lit("undecided"))
        .otherwise(pl.lit("untestable"))
        .alias("verdict")
    )
