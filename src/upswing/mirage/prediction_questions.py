r"""Second prediction: with more test questions, small models too are above chance.

Chance is taken in two ways. *Uniform digits* are right with probability :math:`10^{-L}`; nearly any
habit beats them: who always answers 0000 multiplies two numbers right as often as one of them is 0.
*Its own answers to other questions*: the answers are shuffled over the questions, which keeps every
habit and loses only what has to do with the question.

Reference: Schaeffer et al. 2023, arXiv:2304.15004, section 4 (uniform chance; the second is ours).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from upswing.detection.onset import ALPHA
from upswing.detection.significance import holm, p_above
from upswing.errors import InputError
from upswing.metrics.intervals import wilson_interval

NAME = "more questions"
CLAIMS = {
    "above uniform digits": "p_adjusted",
    "above its answers to other questions": "p_shuffled_adjusted",
}
"""What may be claimed, and the column of the p-value that decides."""

SYMBOLS = 10
"""Digits that an answer is made of."""

_SHUFFLES = 1999
_AT_A_TIME = 4_000_000
_MODEL = ("family", "model", "revision", "task")


def above_chance(items: pl.DataFrame, few: int, rng: np.random.Generator) -> pl.DataFrame:
    """Test whether models are above chance, with few questions and with all.

    Parameters
    ----------
    items
        Answers in the ITEMS columns, in the order asked, such as
        :func:`~upswing.mirage.more_questions.more_questions` gives. All right answers to a task are
        equally long.
    few
        The smaller test: the first so many questions.
    rng
        Source of the shuffles.

    Returns
    -------
    polars.DataFrame
        One row per model and task: ``prediction``, ``task``, ``family``, ``model``, ``revision``,
        ``length``, ``few`` and ``few_right`` (of the smaller test), ``n``, ``right``, ``accuracy``
        with ``low`` and ``high`` (Wilson), ``chance`` (:math:`10^{-L}`), ``p_value`` (exact
        binomial, one-sided) and ``p_adjusted`` (Holm over all rows), ``shuffled`` (mean accuracy of
        its own answers to other questions), ``p_shuffled`` and ``p_shuffled_adjusted``.

    Raises
    ------
    InputError
        If there are no answers, one is missing, or the right ones of a task differ in length.
    """
    if items.is_empty():
        raise InputError("there are no answers")
    rows = [_row(part, few, rng) for part in items.partition_by(_MODEL, maintain_order=True)]
    found = pl.DataFrame(rows)
    return found.with_columns(
        pl.Series("p_adjusted", holm(found["p_value"])),
        pl.Series("p_shuffled_adjusted", holm(found["p_shuffled"])),
    )


def question_claims(found: pl.DataFrame) -> pl.DataFrame:
    """Judge whether models are above chance with all questions, for both kinds of chance.

    Parameters
    ----------
    found
        What :func:`above_chance` returned.

    Returns
    -------
    polars.DataFrame
        Two rows per row: ``prediction``, ``task``, ``claim``, ``model``, ``revision``, ``evidence``
        (the adjusted p-value) and ``verdict``: ``confirmed`` where it is at most .05, else
        ``not confirmed``.
    """
    parts = [
        found.select(
            "prediction",
            "task",
            pl.lit(claim).alias("claim"),
            "model",
            "revision",
            pl.col(name).alias("evidence"),
            pl.when(pl.col(name) <= ALPHA)
            .then(pl.lit("confirmed"))
            .otherwise(pl.lit("not confirmed"))
            .alias("verdict"),
        )
        for claim, name in CLAIMS.items()
    ]
    return pl.concat(parts)


def _row(items: pl.DataFrame, few: int, rng: np.random.Generator) -> dict[str, Any]:
    target, output = items["targets"].list.first(), items["output"]
    lengths = target.str.len_chars().unique()
    if len(lengths) != 1 or target.has_nulls() or output.has_nulls():
        raise InputError(
            f"answers of {items['model'][0]} to {items['task'][0]} are missing or differ in length"
        )
    exact = (target == output).to_numpy()
    n, right = len(exact), int(exact.sum())
    chance = float(SYMBOLS) ** -int(lengths[0])
    low, high = wilson_interval(right / n, n)
    shuffled, p_shuffled = shuffled_answers(target, output, rng)
    return {
        "prediction": NAME,
        **{name: items[name][0] for name in _MODEL},
        "length": int(lengths[0]),
        "few": min(few, n),
        "few_right": int(exact[:few].sum()),
        "n": n,
        "right": right,
        "accuracy": right / n,
        "low": float(low),
        "high": float(high),
        "chance": chance,
        "p_value": float(p_above(right / n, n, chance)),
        "shuffled": shuffled,
        "p_shuffled": p_shuffled,
    }


def shuffled_answers(
    target: pl.Series, output: pl.Series, rng: np.random.Generator, shuffles: int = _SHUFFLES
) -> tuple[float, float]:
    """Return the accuracy of answers that are shuffled over the questions, and a p-value.

    Parameters
    ----------
    target, output
        Right answers and answers, both of n rows.
    rng
        Source of the shuffles.
    shuffles
        How many.

    Returns
    -------
    tuple of float
        The exact mean of the accuracy over all shuffles, and the share of shuffles (and the answers
        as they are) that are at least as accurate as the answers.

    Examples
    --------
    >>> target = pl.Series(["00", "00", "01", "02"])
    >>> shuffled_answers(target, pl.Series(["00"] * 4), np.random.default_rng(0))
    (0.5, 1.0)
    """
    codes = pl.concat([target, output]).rank("dense").cast(pl.Int64).to_numpy() - 1
    right, given = codes[: len(target)], codes[len(target) :]
    size = int(codes.max()) + 1
    times = np.bincount(right, minlength=size) * np.bincount(given, minlength=size)
    observed = int((right == given).sum())
    reached = 0
    at_a_time = max(1, _AT_A_TIME // len(right))
    for start in range(0, shuffles, at_a_time):
        rows = min(at_a_time, shuffles - start)
        mixed = rng.permuted(np.broadcast_to(given, (rows, len(given))), axis=1)
        reached += int(((mixed == right).sum(axis=1) >= observed).sum())
    return float(times.sum() / len(right) ** 2), (1 + reached) / (1 + shuffles)
