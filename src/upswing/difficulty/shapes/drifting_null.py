r"""The null of the shape tests: what sorting alone makes of models that know nothing.

Models have preferences among the options of a question that drift with scale and have nothing to do
with the right answer. The score (logit) of option k of question q by model i is

.. math:: l_{iqk} = s\,z_{iqk}, \qquad
    \operatorname{cov}(z_{iqk}, z_{jqk}) = \rho\, e^{-\frac12 ((x_i - x_j)/\ell)^2}
    + (1 - \rho)\, 1[i = j],

independent over questions and options, with x = log10 of training compute; the softmax of the
scores is the probability of each option, and option 0 is right. Questions that happen to suit the
sorting models come out as easy; models of other scales like them less. So the easy group is an
inverted U and the hard group a U, with no ability at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from upswing.difficulty.groups.grouping import cut_points
from upswing.difficulty.groups.groups import By
from upswing.errors import InputError

Array = npt.NDArray[np.float64]
Single = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

WORLDS = 500
MOST_QUESTIONS = 3000
"""Questions of a null world at most: with more, only the noise over questions would be smaller."""

_LEVELS = 1 << 16
_NEGLIGIBLE = 1e-7
_AT_A_TIME = 1000


class Drift(NamedTuple):
    """How preferences drift.

    Attributes
    ----------
    length
        :math:`\\ell`, over which they are alike [decades of compute], positive.
    shared
        :math:`\\rho`, share of their variance that models of one scale have in common, in [0, 1].
    scale
        s, their standard deviation [nats], positive.
    """

    length: float
    shared: float
    scale: float = 1.0


SETTINGS = tuple(Drift(length, shared) for length in (0.7, 1.5) for shared in (0.5, 0.9))
"""The settings over which the largest p-value counts."""


class Answers(NamedTuple):
    """Answers in one world.

    Attributes
    ----------
    probability
        Probability of the right option, shape (n_models, n_questions).
    right
        Whether it is the most probable one, same shape.
    """

    probability: Single
    right: Mask

    def gain(self, by: By) -> Single:
        """Return minus the target-conditioned Brier score, or 1 and 0 for right and wrong."""
        if by == "accuracy":
            return self.right.astype(np.float32)
        return -((1.0 - self.probability) ** 2)


@dataclass(frozen=True, eq=False)
class NullGroups:
    """Scores of groups in worlds without ability.

    Attributes
    ----------
    scores
        Mean score of each model on each group, higher is better, shape (n_settings, n_worlds,
        n_groups, n_models): minus the TC Brier score, or accuracy. Groups are in the order of
        sorting: the easiest first for ``brier``, the hardest first for ``accuracy``.
    settings
        What the first axis stands for.
    questions, options
        Of every world.
    """

    scores: Single
    settings: tuple[Drift, ...]
    questions: int
    options: int


def drifting_answers(
    x: npt.ArrayLike,
    drift: Drift,
    questions: int,
    rng: np.random.Generator,
    *,
    options: int = 4,
    margin: npt.ArrayLike = 0.0,
) -> Answers:
    """Return the answers of all models in one world.

    Parameters
    ----------
    x
        log10 of training compute [FLOP], shape (n_models,).
    drift
        How preferences drift.
    questions, options
        How many questions, with how many options each.
    rng
        Source of randomness.
    margin
        What ability adds to the score of the right option [nats], broadcast to (n_models,
        n_questions); 0 for no ability.

    Examples
    --------
    >>> answers = drifting_answers([20, 21, 22], Drift(0.7, 0.9), 4000, np.random.default_rng(0))
    >>> bool(np.all(np.abs(answers.right.mean(axis=1) - 0.25) < 0.02))
    True
    """
    place = _checked(x, [drift], questions, options)
    preferences = _preferences(
        {drift.length: _factor(place, drift.length)}, questions, options, rng
    )
    added = np.broadcast_to(np.asarray(margin, dtype=np.float32), (len(place), questions))
    behind = _behind(preferences, drift)
    behind -= added[:, None, :]
    right = behind.max(axis=1) < 0
    return Answers(1.0 - _wrong(behind), right)


def group_means(gain: Single, sorts: Mask, groups: int, by: By = "brier") -> Single:
    r"""Sort questions by their mean over some models, cut them, and return the means of the groups.

    Parameters
    ----------
    gain
        Score of each answer, higher is better, shape (n_models, n_questions).
    sorts
        Models whose mean sorts, shape (n_models,).
    groups
        G; group g holds places :math:`\lfloor Qg/G \rfloor` on.
    by
        ``brier`` puts the easiest questions first, ``accuracy`` the hardest, as Wu and Lo do.

    Returns
    -------
    ndarray
        Shape (n_groups, n_models). Equals stay in their order.
    """
    questions = gain.shape[1]
    easiness = gain[sorts].mean(axis=0)
    order = np.argsort(easiness if by == "accuracy" else -easiness, kind="stable")
    edges = cut_points(questions, groups)
    sizes = edges[1:] - edges[:-1]
    member = np.zeros((questions, groups), dtype=np.float32)
    member[order, np.repeat(np.arange(groups), sizes)] = np.repeat(1.0 / sizes, sizes)
    return np.asarray((gain @ member).T)


def null_groups(
    x: npt.ArrayLike,
    sorts: npt.ArrayLike,
    groups: int,
    *,
    questions: int,
    options: int = 4,
    by: By = "brier",
    settings: Sequence[Drift] = SETTINGS,
    worlds: int = WORLDS,
    most_questions: int = MOST_QUESTIONS,
    seed: int = 0,
) -> NullGroups:
    """Draw worlds without ability and sort and group their questions as those of the data.

    One world after the other is drawn, and all settings share its random numbers. 500 worlds of 57
    models, 3,000 questions and four settings take about 8 s of one core and 50 MB.

    Parameters
    ----------
    x
        log10 of training compute [FLOP] of the models, shape (n_models,).
    sorts
        Which of them sort the questions, shape (n_models,).
    groups
        Number of groups.
    questions, options
        Of the data; more than ``most_questions`` questions are not drawn.
    by
        What sorts the questions and scores the groups.
    settings, worlds
        Settings of the drift, and worlds for each.
    seed
        Seed of the worlds.

    Raises
    ------
    InputError
        If a number or a shape cannot be, or no model sorts.
    """
    drawn = min(questions, most_questions)
    place = _checked(x, settings, drawn, options)
    who = np.asarray(sorts, dtype=bool)
    if who.shape != place.shape or not who.any():
        raise InputError(f"{int(who.sum())} of {len(place)} models sort the questions")
    if not 1 <= groups <= drawn or worlds < 1:
        raise InputError(
            f"{worlds} worlds of {drawn} questions in {groups} groups cannot be",
            hint="one world, one group and a question per group are the least",
        )
    rng = np.random.default_rng(seed)
    factors = {drift.length: _factor(place, drift.length) for drift in settings}
    scores = np.empty((len(settings), worlds, groups, len(place)), dtype=np.float32)
    gain = np.empty((len(settings), len(place), drawn), dtype=np.float32)
    for world in range(worlds):
        for start in range(0, drawn, _AT_A_TIME):
            part = slice(start, min(start + _AT_A_TIME, drawn))
            preferences = _preferences(factors, part.stop - part.start, options, rng)
            for row, drift in enumerate(settings):
                behind = _behind(preferences, drift)
                if by == "accuracy":
                    gain[row, :, part] = behind.max(axis=1) < 0
                else:
                    wrong = _wrong(behind)
                    np.multiply(wrong, -wrong, out=gain[row, :, part])
        for row in range(len(settings)):
            scores[row, world] = group_means(gain[row], who, groups, by)
    return NullGroups(scores, tuple(settings), drawn, options)


def _checked(x: npt.ArrayLike, settings: Sequence[Drift], questions: int, options: int) -> Array:
    place = np.asarray(x, dtype=float)
    if place.ndim != 1 or not len(place) or not np.isfinite(place).all():
        raise InputError("the null needs log10 of training compute for every model")
    if options < 2 or questions < 1:
        raise InputError(
            f"{questions} questions with {options} options cannot be drawn",
            hint="there are two options or more",
        )
    for drift in settings:
        if drift.length <= 0 or drift.scale <= 0 or not 0.0 <= drift.shared <= 1.0:
            raise InputError(
                f"no such drift: {drift}", hint="length and scale are positive, shared is in [0, 1]"
            )
    return place


def _factor(x: Array, length: float) -> Single:
    """Return a root of the part of the covariance that models share, shape (n_models, rank).

    Smooth curves have a low rank: 8 to 14 for 57 models over four decades.
    """
    near = np.exp(-0.5 * ((x[:, None] - x[None, :]) / length) ** 2)
    values, vectors = np.linalg.eigh(near)
    kept = values > _NEGLIGIBLE * values[-1]
    return np.asarray(vectors[:, kept] * np.sqrt(values[kept]), dtype=np.float32)


class _Preferences(NamedTuple):
    """How far the wrong options are ahead of the right one, before the shares of both parts.

    ``own`` and, by length, ``common`` have the shape (n_models, n_options - 1, n_questions).
    """

    own: Single
    common: dict[float, Single]


def _preferences(
    factors: dict[float, Single], questions: int, options: int, rng: np.random.Generator
) -> _Preferences:
    models = len(next(iter(factors.values())))
    rank = max(factor.shape[1] for factor in factors.values())
    score = _normal((models + rank, options, questions), rng)
    ahead = score[:, 1:] - score[:, :1]
    drawn = ahead[models:].reshape(rank, -1)
    common = {
        length: (factor @ drawn[: factor.shape[1]]).reshape(models, options - 1, questions)
        for length, factor in factors.items()
    }
    return _Preferences(ahead[:models], common)


def _behind(preferences: _Preferences, drift: Drift) -> Single:
    """Return how far the right option is behind each wrong one [nats]."""
    score = np.float32(drift.scale * np.sqrt(drift.shared)) * preferences.common[drift.length]
    score += np.float32(drift.scale * np.sqrt(1.0 - drift.shared)) * preferences.own
    return np.asarray(score)


def _wrong(behind: Single) -> Single:
    """Return the probability of all wrong options, shape (n_models, n_questions); use it up."""
    np.exp(behind, out=behind)
    odds = behind[:, 0]
    for option in range(1, behind.shape[1]):
        odds += behind[:, option]
    return np.asarray(odds / (odds + 1.0))


def _normal(shape: tuple[int, ...], rng: np.random.Generator) -> Single:
    """Draw standard normal numbers from 65,536 equally likely levels.

    Looking them up takes a quarter of the time of drawing them; variance and kurtosis are right to
    four digits, and every score is a sum of several.
    """
    level = rng.integers(0, _LEVELS, size=shape, dtype=np.uint16)
    return np.take(_levels(), level)


@cache
def _levels() -> Single:
    from scipy.special import ndtri

    levels = ndtri((np.arange(_LEVELS) + 0.5) / _LEVELS)
    return np.asarray(levels / levels.std(), dtype=np.float32)
