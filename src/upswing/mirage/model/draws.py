"""The model with question noise: what tests of n questions would have shown.

Answers are drawn, and every metric is taken of the same answers: exact match and edit distance of
one set of n answers of L tokens, grade and Brier score of one set of n multiple-choice questions.
Models of different size answer the first independently. A multiple-choice question has the same
margin for every model, so that a larger model is never wrong where a smaller one is right; what is
drawn is the test. Cross-entropy and perplexity are the same on every question of the model and
have no noise; so have grade and Brier score where the spread is 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from upswing.detection.emergence_score import emergence_scores
from upswing.errors import InputError
from upswing.mirage.model.metrics import METRICS, Array, lead
from upswing.mirage.model.mirage_model import MirageModel, ModelCurve

_BLOCK = 2_000_000
"""Numbers in memory at a time [of 8 bytes], for a few arrays of that size."""

_LOW, _HIGH = 0.05, 0.95

_BY_NAME = {metric.name: metric for metric in METRICS}


def draw_curves(
    model: MirageModel, n: int, draws: int, rng: np.random.Generator
) -> tuple[ModelCurve, ...]:
    """Ask every size ``n`` questions, ``draws`` times over.

    Parameters
    ----------
    model
        The family of models.
    n
        Questions of a test.
    draws
        Number of tests.
    rng
        Source of randomness.

    Returns
    -------
    tuple of ModelCurve
        Of the metrics with question noise; ``values`` has shape (draws, n_sizes).

    Raises
    ------
    InputError
        If there is no question or no draw.

    Examples
    --------
    >>> model = MirageModel(sizes=[3e8, 3e9, 3e10], lengths=(3,), spreads=())
    >>> drawn = draw_curves(model, 50, 1, np.random.default_rng(0))
    >>> {one.metric.name: one.values.round(2).tolist() for one in drawn}
    {'token_edit_distance': [[2.76, 2.0, 1.2]],
     'token_edit_distance_norm': [[0.92, 0.67, 0.4]],
     'exact_match': [[0.0, 0.0, 0.24]]}
    """
    if n < 1 or draws < 1:
        raise InputError(f"{draws} tests of {n} questions cannot be drawn", hint="at least 1 of 1")
    found = [one for length in model.lengths for one in _answers(model, length, n, draws, rng)]
    for spread in model.spreads:
        if spread > 0:
            found += _choices(model, spread, n, draws, rng)
    return tuple(sorted(found, key=lambda one: METRICS.index(one.metric)))


def _answers(
    model: MirageModel, length: int, n: int, draws: int, rng: np.random.Generator
) -> list[ModelCurve]:
    """Return the metrics of n answers; drawn is how many have 0, 1, ..., L wrong tokens."""
    from scipy.stats import binom

    share = binom.pmf(np.arange(length + 1), length, -np.expm1(-model.loss)[:, None])
    share /= share.sum(axis=1, keepdims=True)
    exact, edits = (np.empty((draws, len(share))) for _ in range(2))
    for rows in _blocks(draws, share.size):
        wrong = rng.multinomial(n, share, size=exact[rows].shape)
        exact[rows] = wrong[..., 0] / n
        edits[rows] = wrong @ np.arange(length + 1) / n
    values = {
        "exact_match": exact,
        "token_edit_distance": edits,
        "token_edit_distance_norm": edits / length,
    }
    return [ModelCurve(_BY_NAME[name], length, None, value) for name, value in values.items()]


def _choices(
    model: MirageModel, spread: float, n: int, draws: int, rng: np.random.Generator
) -> list[ModelCurve]:
    """Return the metrics of n multiple-choice questions; drawn are the scores of their options."""
    from scipy.special import expit

    ahead = lead(model.loss, model.options)
    grade, brier = (np.empty((draws, len(ahead))) for _ in range(2))
    for rows in _blocks(draws, n * max(model.options, len(ahead))):
        shape = (len(grade[rows]), n, model.options)
        score = rng.standard_normal(shape) * (spread / np.sqrt(2.0))
        behind = score[..., 1:] - score[..., :1]
        nearest = behind.max(axis=-1)
        together = nearest + np.log(np.exp(behind - nearest[..., None]).sum(axis=-1))
        margin = ahead - nearest[..., None]
        grade[rows] = (margin > 0).mean(axis=1)
        brier[rows] = (expit(together[..., None] - ahead) ** 2).mean(axis=1)
    values = {"multiple_choice_grade": grade, "tc_brier": brier}
    return [ModelCurve(_BY_NAME[name], None, spread, value) for name, value in values.items()]


def _blocks(draws: int, each: int) -> Iterator[slice]:
    """Yield slices of draws that fit into memory."""
    step = max(1, _BLOCK // each)
    for start in range(0, draws, step):
        yield slice(start, min(start + step, draws))


class ScoreSummary(NamedTuple):
    """Emergence scores of many draws of one curve.

    Attributes
    ----------
    low, median, high
        The 5 %, 50 % and 95 % quantile; infinite scores count as the largest or smallest.
    plus_infinite, minus_infinite, flat
        Share of draws with an infinite score by its sign, and of draws that are constant.
    """

    low: float
    median: float
    high: float
    plus_infinite: float
    minus_infinite: float
    flat: float


def score_summary(values: Array, higher_is_better: bool = True) -> ScoreSummary:
    """Summarise the emergence scores of draws of one curve.

    Parameters
    ----------
    values
        Scores in order of scale, shape (draws, n_scales); fewer than 3 scales have no score (NaN).
    higher_is_better
        Direction; lower-is-better scores are negated first.

    Examples
    --------
    >>> score_summary(np.array([[0.0, 0.0, 0.0, 0.5], [0.0, 0.1, 0.3, 0.6]])).plus_infinite
    0.5
    """
    if values.shape[-1] < 3:
        nothing = float("nan")
        return ScoreSummary(nothing, nothing, nothing, 0.0, 0.0, 0.0)
    scores = np.sort(emergence_scores(values if higher_is_better else -values))
    low, median, high = (
        float(scores[int(np.ceil(share * len(scores))) - 1]) for share in (_LOW, 0.5, _HIGH)
    )
    return ScoreSummary(
        low,
        median,
        high,
        float(np.isposinf(scores).mean()),
        float(np.isneginf(scores).mean()),
        float((scores == 0).mean()),
    )
