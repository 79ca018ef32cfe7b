r"""How many questions a small ability needs to be seen.

A score over n questions moves in steps of 1/n; an ability A below that is mostly not seen at all,
since :math:`P(\text{no success}) = (1-A)^n`. Where chance is 0 one success shows the ability, and

.. math:: n \ge \frac{\ln d}{\ln(1-A)} \approx \frac{3}{A} \quad (d = .05)

questions give one with probability 1 - d; for exact match :math:`A = p^L` that is
:math:`3 / p^L`. Where chance is above 0 the number is that at which the exact one-sided binomial
test of chance has power .8.

All functions take arrays and broadcast.

Reference: Schaeffer et al. 2023, arXiv:2304.15004, section 2 (resolution); the numbers of questions
follow from the binomial distribution.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

MISS = 0.05
"""Probability of seeing no success, at the number of questions where chance is 0."""

ALPHA = 0.05
POWER = 0.8

MOST_QUESTIONS = 1e7
"""A curve that needs more questions than this is at chance for every practical purpose."""


def smallest_value(n: npt.ArrayLike, length: npt.ArrayLike = 1) -> Array:
    """Return the smallest score above 0 that n questions can give.

    Parameters
    ----------
    n
        Questions.
    length
        1 for accuracy and multiple-choice grade, whose steps are 1/n; the tokens of an answer for
        an error per token, whose steps are 1/(n length).

    Examples
    --------
    >>> smallest_value(200), smallest_value(200, length=5)
    (array(0.005), array(0.001))
    """
    return np.asarray(1.0 / (np.asarray(n, dtype=float) * np.asarray(length, dtype=float)))


def p_no_success(accuracy: npt.ArrayLike, n: npt.ArrayLike) -> Array:
    """Return the probability that n questions show no success, (1 - accuracy)^n."""
    return np.asarray((1.0 - np.asarray(accuracy, dtype=float)) ** np.asarray(n, dtype=float))


def questions_for_a_success(accuracy: npt.ArrayLike, miss: float = MISS) -> Array:
    """Return the questions that show at least one success with probability 1 - ``miss``.

    Infinite where the accuracy is 0.

    Examples
    --------
    >>> questions_for_a_success([0.01, 0.5, 1.0, 0.0]).tolist()
    [299.0, 5.0, 1.0, inf]
    """
    with np.errstate(divide="ignore"):
        needed = np.log(miss) / np.log1p(-np.asarray(accuracy, dtype=float))
    return np.asarray(np.maximum(np.ceil(needed), 1.0))


def critical_count(n: npt.ArrayLike, chance: npt.ArrayLike, alpha: float = ALPHA) -> Array:
    """Return the fewest successes that are significantly above chance (exact binomial, one-sided).

    It may exceed n: then no score is significant. Where chance is 0 it is 1.
    """
    from scipy.special import bdtrik

    count, level = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (n, chance)))
    count = np.floor(count)
    # bdtrik is continuous, so it may be off by one: start below and go up.
    start = np.maximum(np.nan_to_num(np.ceil(bdtrik(1.0 - alpha, count, level))) - 1.0, 1.0)
    while True:
        more = (start <= count) & (_tail(start, count, level) > alpha)
        if not more.any():
            return np.asarray(np.where(level <= 0, 1.0, start))
        start = start + more


def power_above_chance(
    accuracy: npt.ArrayLike, n: npt.ArrayLike, chance: npt.ArrayLike = 0.0, alpha: float = ALPHA
) -> Array:
    """Return the probability that a model of this accuracy is significantly above chance.

    Parameters
    ----------
    accuracy
        True score from 0 to 1, for instance of a smooth curve at its scales.
    n
        Questions, at least 1; rounded down.
    chance
        Score of a model that knows nothing.
    alpha
        Level of the exact one-sided binomial test.

    Examples
    --------
    >>> power_above_chance([0.001, 0.01, 0.1], 50).round(3).tolist()
    [0.049, 0.395, 0.995]
    """
    count = np.floor(np.asarray(n, dtype=float))
    critical = critical_count(count, chance, alpha)
    power = _tail(np.minimum(critical, count), count, np.asarray(accuracy, dtype=float))
    return np.asarray(np.where(critical <= count, power, 0.0))


def questions_for_power(
    accuracy: npt.ArrayLike, chance: npt.ArrayLike, alpha: float = ALPHA, power: float = POWER
) -> Array:
    """Return the fewest questions at which the exact test of chance has the power.

    Since a binomial test's power moves in teeth, slightly more questions may have slightly less.
    Infinite where the accuracy is not above chance, or :data:`MOST_QUESTIONS` are too few.

    Parameters
    ----------
    accuracy, chance
        True score, and the score of a model that knows nothing, both between 0 and 1; chance above
        0.
    alpha, power
        Level of the one-sided test, and its power.

    Examples
    --------
    >>> questions_for_power([0.3, 0.5, 0.9, 0.2], 0.25).tolist()
    [494.0, 26.0, 5.0, inf]
    """
    true, level = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (accuracy, chance)))
    needed = np.full(true.shape, np.inf)
    rough = _normal_questions(true, level, alpha, power)
    usable = (true > level) & (level > 0) & (rough < MOST_QUESTIONS)
    if usable.any():
        needed[usable] = _exact_questions(
            np.minimum(true[usable], 1.0 - 1e-12), level[usable], rough[usable], alpha, power
        )
    return needed


def questions_needed(
    smooth: npt.ArrayLike, chance: npt.ArrayLike = 0.0, base: npt.ArrayLike | None = None
) -> Array:
    """Return the questions at which a smooth curve is measurably above chance.

    :func:`questions_for_a_success` where chance is 0, :func:`questions_for_power` elsewhere.

    Parameters
    ----------
    smooth
        Values of the curve from 0 to 1.
    chance
        Score of a model that knows nothing.
    base
        Flat part that the curve rises from, where a fit put it beside chance: what the curve has
        done of its way from the base to 1 then counts from chance on. None where it is chance.

    Returns
    -------
    ndarray
        NaN where the curve is at chance: not above it, or by so little that
        :data:`MOST_QUESTIONS` would not show it.

    Examples
    --------
    >>> questions_needed([0.0, 0.01, 0.1]).tolist()
    [nan, 299.0, 29.0]
    """
    true, level = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (smooth, chance)))
    if base is not None:
        foot = np.asarray(base, dtype=float)
        true = level + (1.0 - level) * (true - foot) / (1.0 - foot)
    above = np.clip(true, 0.0, 1.0)
    needed = np.where(level > 0, questions_for_power(above, level), questions_for_a_success(above))
    return np.where(needed <= MOST_QUESTIONS, needed, np.nan)


def weak_scale(onset: int | None) -> int:
    """Return the index of the scale whose questions count: the last before the onset.

    The weakest scale where there is no onset, or where the onset is the first scale.
    """
    return onset - 1 if onset else 0


def questions_needed_of_curve(
    smooth: npt.ArrayLike,
    chance: float = 0.0,
    base: float | None = None,
    onset: int | None = None,
) -> int | None:
    """Return the questions that would have shown a smooth curve before its apparent onset.

    Parameters
    ----------
    smooth
        Values of the best smooth curve from weak to strong, shape (n_scales,).
    chance, base
        See :func:`questions_needed`.
    onset
        Index of the onset; None without one.

    Returns
    -------
    int or None
        At :func:`weak_scale`; None where the curve is at chance there.

    Examples
    --------
    >>> questions_needed_of_curve([0.001, 0.02, 0.6], onset=2)
    149
    """
    needed = questions_needed(smooth, chance, base)[weak_scale(onset)]
    return int(needed) if np.isfinite(needed) else None


def _tail(successes: Array, count: Array, probability: Array) -> Array:
    """Return P(X >= successes) of a binomial; the count may be no whole number."""
    from scipy.special import betainc

    rest = np.maximum(count - successes + 1.0, 1e-12)
    return np.asarray(betainc(successes, rest, np.clip(probability, 0.0, 1.0)))


def _normal_questions(true: Array, level: Array, alpha: float, power: float) -> Array:
    from scipy.special import ndtri

    z = -ndtri(alpha) * np.sqrt(level * (1 - level)) + ndtri(power) * np.sqrt(true * (1 - true))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((z / (true - level)) ** 2)


def _exact_questions(true: Array, level: Array, rough: Array, alpha: float, power: float) -> Array:
    """Return the fewest questions, by a search over the critical count c.

    With fewer questions than the test's largest n for c, c successes are significant; from some n
    on, c successes are seen with the power. The least c for which the second comes before the first
    gives the number.
    """
    from scipy.special import bdtrin

    def least(c: Array) -> Array:
        return np.asarray(np.maximum(bdtrin(c - 1.0, 1.0 - power, true), c))

    def fits(c: Array) -> npt.NDArray[np.bool_]:
        return np.asarray(least(c) <= bdtrin(c - 1.0, 1.0 - alpha, level))

    high = np.ceil(2.0 * rough * true + 10.0)
    low = np.zeros_like(high)
    while (high - low > 1.0).any():
        middle = np.floor(0.5 * (low + high))
        middle = np.maximum(middle, 1.0)
        enough = fits(middle)
        high, low = np.where(enough, middle, high), np.where(enough, low, middle)
    c = high
    while True:  # between the two there must be a whole number
        n = np.ceil(least(c) - 1e-9)
        more = _tail(c, n, level) > alpha
        if not more.any():
            return n
        c = c + more
