r"""Item response models: a continuous difficulty of every question, in place of groups.

Two-parameter logistic: model i is right on question q with probability

.. math:: P_{iq} = \frac{1}{1 + e^{-a_q (\theta_i - b_q)}}

with ability :math:`\theta`, difficulty b (the ability at which half of the answers are right) and
discrimination a. With one parameter, all a are 1.

The estimate is the joint maximum of likelihood and priors (joint maximum a posteriori):
:math:`\theta_i \sim N(0, 1)`; for one parameter :math:`b_q \sim N(m, s^2)`; for two, in the form
:math:`a_q \theta_i + d_q`, :math:`\log a_q \sim N(\mu, \omega^2)` and :math:`d_q \sim N(m, s^2)`.
The means and deviations of the priors of the questions are estimated by empirical Bayes: after each
round they are moments of the estimates plus their posterior variances (Laplace). With one parameter
the unit of ability is the logit, so the deviation of :math:`\theta` is estimated in the same way.

Rounds alternate between all questions and all models, each a Newton step on every question (or
model) at once. Joint estimates exaggerate the spread of abilities by about 1/n of n models; that is
little beside their standard errors for the dozens of models that a difficulty needs. The prior
keeps questions finite that all models have right, or none; a is kept between 0.05 and 20.

References
----------
Lord, Applications of item response theory to practical testing problems, 1980; Mislevy,
Psychometrika 51 (1986), doi:10.1007/BF02293979.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from upswing.errors import InputError

Array = npt.NDArray[np.float64]

_ROUNDS = 500
_TOLERANCE = 1e-5
_STEP = 1.0
_LEAST_SD = 0.05
_MOST_LOG_SLOPE = 3.0


@dataclass(frozen=True, eq=False)
class ItemResponse:
    """A fitted item response model.

    Attributes
    ----------
    difficulty
        b of each question [logits of ability for one parameter, else standard deviations of
        ability], higher is harder, shape (n_questions,).
    difficulty_stderr
        Standard error given the abilities.
    discrimination
        a of each question; 1 for one parameter.
    ability
        :math:`\\theta` of each model, shape (n_models,), with mean 0.
    ability_stderr
        Standard error given the questions.
    converged
        Whether the last round changed nothing by more than 1e-5.
    rounds
        Rounds that were run.
    """

    difficulty: Array
    difficulty_stderr: Array
    discrimination: Array
    ability: Array
    ability_stderr: Array
    converged: bool
    rounds: int

    def probability(self) -> Array:
        """Return the fitted probability of a right answer, shape (n_models, n_questions)."""
        margin = self.discrimination * (self.ability[:, None] - self.difficulty)
        return _logistic(margin)


def fit_item_response(answers: npt.ArrayLike, parameters: int = 1) -> ItemResponse:
    """Fit the one- or two-parameter model.

    Parameters
    ----------
    answers
        1 for right, 0 for wrong, or the probability of the right answer; NaN where a model was not
        asked; shape (n_models, n_questions).
    parameters
        1 or 2.

    Raises
    ------
    InputError
        If answers lie outside [0, 1], a model or a question has none, or there are fewer than two
        models.

    Examples
    --------
    >>> fit = fit_item_response([[0, 0, 1], [0, 1, 1], [0, 1, 1], [1, 1, 1]])
    >>> fit.difficulty.argsort().tolist(), bool(fit.ability[3] > fit.ability[0])
    ([2, 1, 0], True)
    """
    if parameters not in (1, 2):
        raise InputError(f"there are models of one and of two parameters, not of {parameters}")
    given = np.asarray(answers, dtype=float)
    asked = np.isfinite(given)
    if given.ndim != 2 or len(given) < 2 or given.shape[1] < 1:
        raise InputError(f"answers have shape {given.shape}: two models and a question are needed")
    if not (asked.any(axis=0).all() and asked.any(axis=1).all()):
        raise InputError("a model or a question has no answer", hint="leave it out")
    right = np.where(asked, given, 0.0)
    if (right < 0).any() or (right > 1).any():
        raise InputError("answers must be right (1), wrong (0) or probabilities")
    fitted = _one(right, asked) if parameters == 1 else _two(right, asked)
    if not np.isfinite(fitted.difficulty).all():
        raise InputError("the item response model has no finite estimate for these answers")
    return fitted


def _one(right: Array, asked: npt.NDArray[np.bool_]) -> ItemResponse:
    share = (right.sum(axis=1) + 0.5) / (asked.sum(axis=1) + 1.0)
    ability = _centred(np.log(share / (1.0 - share)))
    difficulty = np.zeros(right.shape[1])
    mean, sd, sd_ability = 0.0, 1.0, 1.0
    converged = False
    rounds = 0
    while not converged and rounds < _ROUNDS:
        rounds += 1
        before = np.concatenate([ability, difficulty, [sd, sd_ability]])
        p, information = _moments(ability[:, None] - difficulty, asked)
        curvature = information.sum(axis=0) + sd**-2
        slope = (p - right).sum(axis=0) - (difficulty - mean) / sd**2
        difficulty = difficulty + np.clip(slope / curvature, -_STEP, _STEP)
        mean = float(difficulty.mean())
        sd = _deviation(difficulty - mean, 1.0 / curvature)
        p, information = _moments(ability[:, None] - difficulty, asked)
        of_ability = information.sum(axis=1) + sd_ability**-2
        slope = (right - p).sum(axis=1) - ability / sd_ability**2
        ability = ability + np.clip(slope / of_ability, -_STEP, _STEP)
        difficulty, mean = difficulty - ability.mean(), mean - float(ability.mean())
        ability = _centred(ability)
        sd_ability = _deviation(ability, 1.0 / of_ability)
        now = np.concatenate([ability, difficulty, [sd, sd_ability]])
        converged = bool(np.abs(now - before).max() < _TOLERANCE)
    return ItemResponse(
        difficulty,
        1.0 / np.sqrt(curvature),
        np.ones_like(difficulty),
        ability,
        1.0 / np.sqrt(of_ability),
        converged,
        rounds,
    )


def _two(right: Array, asked: npt.NDArray[np.bool_]) -> ItemResponse:
    start = _one(right, asked)
    ability = _standard(start.ability)
    level = -start.difficulty
    log_slope = np.full(len(level), np.log(max(float(start.ability.std()), 0.1)))
    prior = _Prior(float(log_slope.mean()), 0.5, float(level.mean()), max(float(level.std()), 0.5))
    converged = False
    rounds = 0
    while not converged and rounds < _ROUNDS:
        rounds += 1
        before = np.concatenate([ability, level, log_slope])
        log_slope, level, variance = _question_step(right, asked, ability, log_slope, level, prior)
        prior = _Prior(
            float(log_slope.mean()),
            _deviation(log_slope - log_slope.mean(), variance[0]),
            float(level.mean()),
            _deviation(level - level.mean(), variance[1]),
        )
        slope = np.exp(log_slope)
        p, information = _moments(ability[:, None] * slope + level, asked)
        of_ability = information @ slope**2 + 1.0
        step = ((right - p) @ slope - ability) / of_ability
        moved = ability + np.clip(step, -_STEP, _STEP)
        shift, unit = float(moved.mean()), float(moved.std()) or 1.0
        level, log_slope = level + slope * shift, log_slope + np.log(unit)
        ability = _standard(moved)
        now = np.concatenate([ability, level, log_slope])
        converged = bool(np.abs(now - before).max() < _TOLERANCE)
    slope = np.exp(log_slope)
    difficulty = -level / slope
    error = (  # by the delta method from log a and d
        difficulty**2 * variance[0]
        + variance[1] / slope**2
        + 2.0 * difficulty / slope * variance[2]
    )
    return ItemResponse(
        difficulty, np.sqrt(error), slope, ability, 1.0 / np.sqrt(of_ability), converged, rounds
    )


@dataclass(frozen=True)
class _Prior:
    """Means and deviations of log a and d."""

    log_slope: float
    sd_log_slope: float
    level: float
    sd_level: float


def _question_step(
    right: Array,
    asked: npt.NDArray[np.bool_],
    ability: Array,
    log_slope: Array,
    level: Array,
    prior: _Prior,
) -> tuple[Array, Array, Array]:
    """Return log a and d of all questions after a scoring step.

    Third come their posterior variances and covariance, shape (3, n_questions).
    """
    slope = np.exp(log_slope)
    p, information = _moments(ability[:, None] * slope + level, asked)
    rest = right - p
    gradient = np.stack(
        [
            slope * (ability @ rest) - (log_slope - prior.log_slope) / prior.sd_log_slope**2,
            rest.sum(axis=0) - (level - prior.level) / prior.sd_level**2,
        ]
    )
    first = slope**2 * (ability**2 @ information) + prior.sd_log_slope**-2
    both = slope * (ability @ information)
    last = information.sum(axis=0) + prior.sd_level**-2
    determinant = first * last - both**2
    step = np.stack(
        [last * gradient[0] - both * gradient[1], first * gradient[1] - both * gradient[0]]
    )
    step = np.clip(step / determinant, -_STEP, _STEP)
    variance = np.stack([last, first, -both]) / determinant
    limited = np.clip(log_slope + step[0], -_MOST_LOG_SLOPE, _MOST_LOG_SLOPE)
    return limited, level + step[1], variance


def _moments(margin: Array, asked: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return the probabilities, and p(1 - p); both 0 where nothing was asked."""
    p = np.where(asked, _logistic(margin), 0.0)
    return p, p * (1.0 - p)


def _logistic(margin: Array) -> Array:
    from scipy.special import expit

    return np.asarray(expit(margin))


def _deviation(centred: Array, variance: Array) -> float:
    return max(float(np.sqrt(np.mean(centred**2 + variance))), _LEAST_SD)


def _centred(values: Array) -> Array:
    return np.asarray(values - values.mean())


def _standard(values: Array) -> Array:
    return np.asarray((values - values.mean()) / (float(values.std()) or 1.0))
