"""The model as tables: every point of every curve, and how sharp each curve looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from upswing.detection.emergence_score import Status
from upswing.errors import InputError
from upswing.mirage.model.draws import ScoreSummary, draw_curves, score_summary
from upswing.mirage.model.infinite_score import infinite_share
from upswing.mirage.model.mirage_model import MirageModel, ModelCurve
from upswing.mirage.sparse_scales import SHARPNESS, kept_points, sharpness_of, thin

_CURVE: dict[str, pl.DataType] = {
    "metric": pl.String(),
    "shape": pl.String(),
    "higher_is_better": pl.Boolean(),
    "length": pl.Int64(),
    "options": pl.Int64(),
    "spread": pl.Float64(),
    "n": pl.Int64(),
    "every": pl.Int64(),
}

POINTS: dict[str, pl.DataType] = {
    **_CURVE,
    "chance": pl.Float64(),
    "params": pl.Float64(),
    "value": pl.Float64(),
    "emergence_score": pl.Float64(),
    "emergence_score_status": pl.String(),
}
"""Columns of :func:`model_points`.

- ``metric``, ``shape`` (linear, nonlinear or discontinuous), ``higher_is_better``.
- ``length`` [tokens]; ``options`` and ``spread`` [nats]; null where the metric does not depend on
  them.
- ``n``: questions of the test; null for the expected score.
- ``every``: both ends and every k-th size were kept.
- ``chance``: score of a guess, 1/K for the grade.
- ``params``, ``value``: size and score.
- ``emergence_score``: of this curve, oriented so that positive is better; null where it is not
  finite, see ``emergence_score_status``.
"""

SCORES: dict[str, pl.DataType] = {
    **_CURVE,
    "scales": pl.Int64(),
    **SHARPNESS,
    "draws": pl.Int64(),
    "low": pl.Float64(),
    "low_status": pl.String(),
    "high": pl.Float64(),
    "high_status": pl.String(),
    "share_plus_infinite": pl.Float64(),
    "share_minus_infinite": pl.Float64(),
    "share_flat": pl.Float64(),
    "share_infinite_exact": pl.Float64(),
}
"""Columns of :func:`model_scores`, beside those of :data:`POINTS` and
:data:`~upswing.mirage.sparse_scales.SHARPNESS`.

- ``scales``: sizes that were kept.
- Where ``n`` is given: ``emergence_score`` is the median over ``draws`` tests, ``low`` and ``high``
  the 5 % and 95 % quantile (null where infinite, see their status), and the shares those of tests
  with an infinite score, by sign, and of constant curves. ``share_infinite_exact`` is that of
  either sign without drawing, where scores at different scales are independent counts of at most
  100,000; else null.
"""

_MOST_COUNTS = 100_000


def model_points(
    model: MirageModel, n: Sequence[int] = (), every: Sequence[int] = (1,), seed: int = 0
) -> pl.DataFrame:
    """Return every point of every curve: expected scores, and those of one drawn test.

    Parameters
    ----------
    model
        The family of models.
    n
        Also draw a test of so many questions, for each of these numbers.
    every
        Keep both ends and every k-th size, for each of these k.
    seed
        Seed of the tests.

    Returns
    -------
    polars.DataFrame
        One row per curve, number of questions, thinning and size; see :data:`POINTS`.

    Raises
    ------
    InputError
        If a number of questions or k is below 1, or the seed below 0.

    Examples
    --------
    >>> points = model_points(MirageModel(lengths=(3,))).filter(metric="exact_match")
    >>> points.select("params", "value", "emergence_score").row(-1)
    (137000000000.0, 0.385..., 37.1...)
    """
    rows = []
    for questions in (None, *dict.fromkeys(n)):
        if questions is None:
            found = model.model_curves()
        else:
            drawn = draw_curves(model, questions, 1, _generator(seed, questions))
            found = tuple(one._replace(values=one.values[0]) for one in drawn)
        for one in found:
            curve = model.as_curve(one)
            for step in dict.fromkeys(every):
                kept = thin(curve, kept_points(len(curve), step))
                sharpness = sharpness_of(kept)
                common = {
                    **_labels(model, one, questions, step),
                    "chance": curve.chance,
                    "emergence_score": sharpness["emergence_score"],
                    "emergence_score_status": sharpness["emergence_score_status"],
                }
                rows += [
                    {**common, "params": x, "value": y}
                    for x, y in zip(kept.x.tolist(), kept.y.tolist(), strict=True)
                ]
    return pl.DataFrame(rows, schema=POINTS, orient="row")


def model_scores(
    model: MirageModel,
    n: Sequence[int] = (),
    every: Sequence[int] = (1,),
    draws: int = 2000,
    seed: int = 0,
) -> pl.DataFrame:
    """Return how sharp every curve looks: as expected, and in tests of ``n`` questions.

    Parameters
    ----------
    model
        The family of models.
    n
        Questions of a test; for each of these numbers tests are drawn. Metrics without question
        noise have the expected score only.
    every
        Keep both ends and every k-th size, for each of these k.
    draws
        Tests drawn per number of questions.
    seed
        Their seed; the tests of one number of questions do not depend on the others.

    Returns
    -------
    polars.DataFrame
        One row per curve, number of questions and thinning; see :data:`SCORES`. Where the typical
        step of a curve is below 1e-162 its square is 0 in double precision, and its score +inf.

    Raises
    ------
    InputError
        If a number of questions, draws or k is below 1, or the seed below 0.

    Examples
    --------
    >>> scores = model_scores(MirageModel(lengths=(1, 5)), n=[50], draws=100)
    >>> for row in scores.filter(metric="exact_match").iter_rows(named=True):
    ...     print(row["length"], row["n"], row["emergence_score_status"], row["emergence_score"])
    1 None finite 9.42...
    5 None finite 298.16...
    1 50 finite 12...
    5 50 +inf None
    """
    rows = [
        {**_labels(model, one, None, step), "scales": len(kept), **sharpness_of(kept)}
        for one in model.model_curves()
        for step in dict.fromkeys(every)
        for kept in [thin(model.as_curve(one), kept_points(len(model.sizes), step))]
    ]
    for questions in dict.fromkeys(n):
        for one in draw_curves(model, questions, draws, _generator(seed, questions)):
            for step in dict.fromkeys(every):
                places = kept_points(len(model.sizes), step)
                summary = score_summary(one.values[:, places], one.metric.higher_is_better)
                rows.append(
                    {
                        **_labels(model, one, questions, step),
                        "scales": len(places),
                        "draws": draws,
                        **_summary(summary),
                        "share_infinite_exact": _exact_share(model, one, questions, places),
                    }
                )
    return pl.DataFrame(rows, schema=SCORES, orient="row")


def score_rows(scores: pl.DataFrame) -> list[dict[str, Any]]:
    """Return :func:`model_scores` for a terminal: fewer columns, infinite scores as words.

    Columns about tests are left out where there are none.
    """
    rows = []
    drawn = scores["n"].is_not_null().any()
    thinned = scores["every"].n_unique() > 1
    for row in scores.iter_rows(named=True):
        short = {name: row[name] for name in ("metric", "shape", "length", "spread")}
        if drawn:
            short["n"] = row["n"]
        if thinned:
            short["every"] = row["every"]
        short["scales"] = row["scales"]
        short["emergence score"] = _in_words(row, "emergence_score")
        if drawn:
            short["5 %"], short["95 %"] = _in_words(row, "low"), _in_words(row, "high")
            short["share +inf"] = row["share_plus_infinite"]
        short["largest step"] = row["largest_step_share"]
        short["sharpness"] = row["sharpness"]
        rows.append(short)
    return rows


def _in_words(row: Mapping[str, Any], name: str) -> float | str | None:
    value: float | None = row[name]
    status: str | None = row[f"{name}_status"]
    return status if value is None else value


def _generator(seed: int, questions: int) -> np.random.Generator:
    if questions < 1 or seed < 0:
        raise InputError(f"{questions} questions cannot be drawn with the seed {seed}")
    return np.random.default_rng([seed, questions])


def _labels(
    model: MirageModel, one: ModelCurve, questions: int | None, every: int
) -> dict[str, Any]:
    metric = one.metric
    return {
        "metric": metric.name,
        "shape": metric.shape,
        "higher_is_better": metric.higher_is_better,
        "length": one.length,
        "options": model.options if metric.varies_with == "spread" else None,
        "spread": one.spread,
        "n": questions,
        "every": every,
    }


def _summary(summary: ScoreSummary) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    quantiles = (summary.median, summary.low, summary.high)
    for name, value in zip(("emergence_score", "low", "high"), quantiles, strict=True):
        columns[name] = value if np.isfinite(value) else None
        columns[f"{name}_status"] = _status(value)
    return columns | {
        "share_plus_infinite": summary.plus_infinite,
        "share_minus_infinite": summary.minus_infinite,
        "share_flat": summary.flat,
    }


def _status(score: float) -> Status:
    if np.isnan(score):
        return "too_few"
    if np.isinf(score):
        return "+inf" if score > 0 else "-inf"
    return "flat" if score == 0 else "finite"


def _exact_share(
    model: MirageModel, one: ModelCurve, questions: int, places: npt.NDArray[np.intp]
) -> float | None:
    """Return the exact share of infinite scores of an exact match or an edit distance."""
    if one.length is None:
        return None
    if one.metric.name == "exact_match":
        count, probability = questions, model.token_probability**one.length
    else:
        count, probability = questions * one.length, model.token_probability
    if count > _MOST_COUNTS:
        return None
    return infinite_share(probability[places], count)
