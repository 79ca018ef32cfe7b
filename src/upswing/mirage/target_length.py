r"""How scores fall with the length of the right answer: geometrically, linearly, or in no such way.

If every symbol of an answer is right with probability p, whatever the others are, then of answers
of L symbols

.. math:: \text{accuracy} = p^L, \qquad \text{edit distance} \approx L (1 - p):

the logarithm of accuracy is linear in L with slope ln p, and the edit distance is linear with slope
1 - p. Both are fitted, and independence is tested twice: against :math:`p_1^L`, with one
probability for all positions, and against the product of the accuracies at each position, which
allows for positions that are harder than others.

Answers are compared in two ways. ``group``: answers of one length, whole, one length against the
others. ``prefix``: the first L symbols of the right answer against those of the output, so that all
lengths have the same questions.

Reference: Schaeffer et al. 2023, arXiv:2304.15004, section 4 (the predictions; it has no tests).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from upswing.detection.significance import holm
from upswing.errors import InputError
from upswing.metrics.intervals import wilson_interval
from upswing.mirage.length_answers import (
    LengthAnswers,
    LengthMeans,
    Mode,
    Unit,
    length_answers,
    length_means,
)
from upswing.mirage.length_fits import Line, free_power, geometric, straight
from upswing.mirage.length_independence import p_one_probability, p_product
from upswing.notes import Note

Array = npt.NDArray[np.float64]

DRAWS = 1000
_TAILS = (0.025, 0.975)
_MODEL = ("family", "model", "revision")


class TargetLength(NamedTuple):
    """How the scores of models depend on the length of the right answer.

    Attributes
    ----------
    lengths
        One row per model and length: ``family``, ``model``, ``revision``, ``mode``, ``unit``,
        ``length``, ``n``; ``accuracy`` with ``accuracy_low`` and ``accuracy_high`` (Wilson),
        ``accuracy_fit`` (geometric); ``p1``, ``p1_power`` (:math:`p_1^L`), ``above_p1``, accuracy
        minus that, with ``above_p1_low`` and ``above_p1_high``, and ``p_p1``; ``product``,
        ``above_product`` with its interval and ``p_product``; ``distance`` [symbols] with
        ``distance_low`` and ``distance_high``, ``distance_fit`` (straight) and
        ``distance_expected``, L (1 - p1).
    fits
        One row per model: ``log_slope`` (of ln accuracy, with ``log_slope_low`` and
        ``log_slope_high``; null where fewer than two lengths have a success), ``log_p1`` (what
        independence expects), ``distance_slope`` with its interval, ``one_minus_p1``;
        ``accuracy_r2`` and ``distance_r2`` of the two fits, and ``accuracy_off`` and
        ``distance_off``, how far they miss at the worst length, as a share of the range of the
        means (null where they do not differ); ``share_geometric``, of bootstrap draws
        in which a geometric curve fits accuracy better than a straight line, and
        ``share_straight``, of those in which a straight line fits edit distance better;
        ``power`` (:math:`\\gamma` in :math:`p_1^{L^\\gamma}`) with its interval, ``residual_p1``
        and ``residual_free`` (weighted squares, gamma 1 and free); ``p_p1`` and ``p_product``, the
        smallest of all lengths after Holm.
    notes
        What was left out.
    """

    lengths: pl.DataFrame
    fits: pl.DataFrame
    notes: tuple[Note, ...]


def target_length(
    items: pl.DataFrame,
    rng: np.random.Generator,
    mode: Mode = "prefix",
    unit: Unit = "characters",
    lengths: Sequence[int] | None = None,
    draws: int = DRAWS,
) -> TargetLength:
    """Compare answers of different lengths, model by model.

    Parameters
    ----------
    items
        Rows in the ITEMS columns with outputs and targets, of one model or several; of one task, or
        of several tasks whose answers differ in length. Answers to questions with several right
        answers are left out.
    rng
        Source of randomness.
    mode
        ``group`` or ``prefix``, see above.
    unit
        ``characters``, or ``tokens`` between white space.
    lengths
        Which lengths; at most ten by default.
    draws
        Bootstrap draws of the questions (of their clusters where there are clusters).

    Raises
    ------
    InputError
        If no answer can be compared, or there are fewer than two lengths.
    """
    usable = items.filter(
        pl.col("output").is_not_null() & (pl.col("targets").list.drop_nulls().list.len() == 1)
    )
    if usable.is_empty():
        raise InputError("no row has an output and one right answer")
    left_out = len(items) - len(usable)
    notes = () if not left_out else (_left_out(left_out, len(items)),)
    rows, fits = [], []
    for model in usable.partition_by(_MODEL, maintain_order=True):
        answers = length_answers(model, mode, unit, lengths)
        if len(answers.lengths) < 2:
            raise InputError(
                f"all answers have the length {answers.lengths[0]}", hint='try mode="prefix"'
            )
        labels = {name: model[name][0] for name in _MODEL} | {"mode": mode, "unit": unit}
        table, fit = _compare(answers, length_means(answers, draws, rng), rng)
        rows.append(table.select(*(pl.lit(v).alias(k) for k, v in labels.items()), pl.all()))
        fits.append({**labels, **fit})
    return TargetLength(
        pl.concat(rows).with_columns(pl.col(pl.Float64).fill_nan(None)),
        pl.DataFrame(fits, infer_schema_length=None).with_columns(
            pl.col(pl.Float64).fill_nan(None)
        ),
        notes,
    )


def _left_out(count: int, total: int) -> Note:
    return Note(
        "answers-left-out",
        "info",
        f"{count} of {total} rows have no output, or not exactly one right answer.",
        {"left_out": count, "rows": total},
    )


def _compare(
    answers: LengthAnswers, means: LengthMeans, rng: np.random.Generator
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Return the rows of one model and its fits. Row 0 of the means is as observed."""
    lengths = answers.lengths.astype(float)
    n = means.count[0]
    p1 = means.first(answers.mode, answers.lengths)
    power, product = p1**lengths, means.product(answers.lengths)
    tested = _independence(answers, n, rng)
    wilson = wilson_interval(means.accuracy[0], n)

    missing = np.isnan(means.accuracy)
    accuracy, distance = (np.where(missing, 0.0, y) for y in (means.accuracy, means.distance))
    weight, distance_weight = (w * ~missing for w in _weights(answers, means))
    falls, line = (fit(lengths, accuracy, weight) for fit in (geometric, straight))
    rises = straight(lengths, distance, distance_weight)
    bent = geometric(lengths, distance, distance_weight)
    overall = p1[:, 0] if answers.mode == "prefix" else _overall(answers, means)
    free = free_power(lengths, accuracy, weight, overall)

    table = pl.DataFrame(
        {
            "length": answers.lengths,
            "n": n.astype(np.int64),
            "accuracy": means.accuracy[0],
            "accuracy_low": wilson[0],
            "accuracy_high": wilson[1],
            "accuracy_fit": falls.fitted[0],
            "p1": p1[0],
            "p1_power": power[0],
            **_columns("above_p1", means.accuracy - power),
            "p_p1": tested[0],
            "product": product[0],
            **_columns("above_product", means.accuracy - product),
            "p_product": tested[1],
            **_columns("distance", means.distance),
            "distance_fit": rises.fitted[0],
            "distance_expected": lengths * (1.0 - p1[0]),
        }
    )
    fit = {
        "n": len(answers.right),
        **_value("log_slope", falls.second),
        "log_p1": float(np.log(overall[0])) if overall[0] > 0 else None,
        **_value("distance_slope", rises.second),
        "one_minus_p1": 1.0 - float(overall[0]),
        "accuracy_r2": _r2(accuracy[0], weight[0], falls),
        "distance_r2": _r2(distance[0], distance_weight[0], rises),
        "accuracy_off": _off(accuracy[0], falls),
        "distance_off": _off(distance[0], rises),
        "share_geometric": _share(falls, line),
        "share_straight": _share(rises, bent),
        **_value("power", free.second),
        "residual_p1": float(free.first[0]),
        "residual_free": float(free.residual[0]),
        "p_p1": float(holm(tested[0]).min()),
        "p_product": float(holm(tested[1]).min()),
    }
    return table, fit


def _independence(
    answers: LengthAnswers, n: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return the p-values of both tests at each length."""
    one, product = np.ones(len(n)), np.ones(len(n))
    for k, length in enumerate(answers.lengths.tolist()):
        right = answers.right[answers.present[:, k] > 0, :length].sum(axis=0).astype(np.int64)
        exact, count = int(answers.exact[:, k].sum()), int(n[k])
        if length == 1:  # one symbol is independent of nothing
            continue
        whole = int(right.sum()) if answers.mode == "group" else None
        one[k] = p_one_probability(exact, count, length, int(right[0]), whole, rng)
        product[k] = p_product(exact, right, count, rng)
    return one, product


def _weights(answers: LengthAnswers, means: LengthMeans) -> tuple[Array, Array]:
    """Return the inverse variances of both means, as the data have them, at each length."""
    n = means.count[0]
    right = (means.accuracy[0] * n + 0.5) / (n + 1.0)
    squares = (answers.distance**2 * answers.present).sum(axis=0) / n
    spread = squares - means.distance[0] ** 2
    # Where all distances agree one answer may still be off by one symbol.
    return n / (right * (1.0 - right)), n / np.maximum(spread, 1.0 / (n + 1.0))


def _overall(answers: LengthAnswers, means: LengthMeans) -> Array:
    """Return the share of right positions over all lengths, shape (1 + draws,)."""
    within = np.arange(means.positions.shape[-1]) < answers.lengths[:, None]
    right = np.nan_to_num(means.positions) * means.count[..., None] * within
    return np.asarray(right.sum(axis=(1, 2)) / (means.count * answers.lengths).sum(axis=1))


def _columns(name: str, values: Array) -> dict[str, Array]:
    low, high = np.nanquantile(values[1:], _TAILS, axis=0)
    return {name: values[0], f"{name}_low": low, f"{name}_high": high}


def _value(name: str, values: Array) -> dict[str, float | None]:
    """Return an estimate with its interval; open where draws leave it undetermined."""
    if np.isnan(values[0]):
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"))
    drawn = values[1:]
    low = np.quantile(np.where(np.isnan(drawn), -np.inf, drawn), _TAILS[0], method="lower")
    high = np.quantile(np.where(np.isnan(drawn), np.inf, drawn), _TAILS[1], method="higher")
    return {
        name: float(values[0]),
        f"{name}_low": float(low) if np.isfinite(low) else None,
        f"{name}_high": float(high) if np.isfinite(high) else None,
    }


def _r2(y: Array, weight: Array, fit: Line) -> float | None:
    around = float((weight * (y - (weight * y).sum() / weight.sum()) ** 2).sum())
    return 1.0 - float(fit.residual[0]) / around if around > 0 else None


def _off(y: Array, fit: Line) -> float | None:
    """Return how far a fit misses at the worst length, as a share of the range."""
    span = float(np.ptp(y))
    return float(np.abs(y - fit.fitted[0]).max()) / span if span > 0 else None


def _share(better: Line, worse: Line) -> float:
    return float((better.residual[1:] < worse.residual[1:]).mean())
