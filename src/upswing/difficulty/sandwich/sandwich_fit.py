r"""The steps of Slice-and-Sandwich, and the two forecasts that they make up.

The link of Brier score and accuracy (:func:`.link.fit_link`); a polynomial of the easy and one of
the hard group over log10 compute (:func:`.polynomial.fit_polynomial`); their average
(:func:`average`); back to accuracy (:meth:`.link.Link.accuracy`); a constant that makes the means
of training models agree (:func:`calibration_shift`); and, if asked for, the clip at 1
(:func:`clip_above`). The variant *hard-lift* puts the hard group's polynomial, moved to the mean of
the task (:func:`lift`), in place of the average.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from upswing.difficulty.groups.groups import Array, Mask
from upswing.difficulty.sandwich.link import Link, fit_link
from upswing.difficulty.sandwich.polynomial import Polynomial, fit_polynomial
from upswing.difficulty.sandwich.sandwich_data import SandwichData

EASY_DEGREE = 5
HARD_DEGREE = 2


def average(easy: Array, hard: Array) -> Array:
    """Return the mean of the two groups' forecasts: the task as a whole, without its middle."""
    return (easy + hard) / 2.0


def lift(hard: Array, score: Array, train: Mask) -> float:
    """Return what moves the hard group's forecast to the mean score of the training models.

    Parameters
    ----------
    hard, score
        Forecast of the hard group, and score of the task, of each model.
    train
        Models below the threshold.
    """
    return float(score[train].mean() - hard[train].mean())


def calibration_shift(accuracy: Array, predicted: Array, train: Mask) -> float:
    """Return what to add to predictions so that their mean over training models is the true one."""
    return float(accuracy[train].mean() - predicted[train].mean())


def clip_above(accuracy: Array) -> Array:
    """Return accuracies of at most 1, as the published flag does: nothing bounds them below."""
    return np.minimum(accuracy, 1.0)


@dataclass(frozen=True, eq=False)
class SandwichFit:
    """The forecast from the easiest and the hardest group.

    Attributes
    ----------
    link
        Brier score over accuracy.
    easy, hard
        Polynomials of minus the TC Brier score over log10 compute [1e21 FLOP].
    shift
        What calibration adds to the accuracy; 0 where it was left out.
    """

    link: Link
    easy: Polynomial
    hard: Polynomial
    shift: float

    def score(self, x: Array) -> Array:
        """Return minus the TC Brier score of the task at x."""
        return average(self.easy(x), self.hard(x))

    def accuracy(self, x: Array) -> Array:
        """Return the accuracy at x."""
        return self.link.accuracy(self.score(x)) + self.shift


@dataclass(frozen=True, eq=False)
class HardLiftFit:
    """The forecast from the hardest group alone.

    Attributes
    ----------
    link
        Brier score over accuracy.
    hard
        Polynomial of minus the TC Brier score over log10 compute [1e21 FLOP].
    raised
        What lifts it to the task.
    shift
        What calibration adds to the accuracy.
    """

    link: Link
    hard: Polynomial
    raised: float
    shift: float

    def score(self, x: Array) -> Array:
        """Return minus the TC Brier score of the task at x."""
        return self.hard(x) + self.raised

    def accuracy(self, x: Array) -> Array:
        """Return the accuracy at x."""
        return self.link.accuracy(self.score(x)) + self.shift


def fit_sandwich(
    data: SandwichData,
    easy_degree: int = EASY_DEGREE,
    hard_degree: int = HARD_DEGREE,
    *,
    calibrate: bool = True,
) -> SandwichFit:
    """Fit the forecast from the easiest and the hardest group to the training models.

    Parameters
    ----------
    data
        What to fit.
    easy_degree, hard_degree
        Degrees of the polynomials.
    calibrate
        Whether the last step, the shift, is done; the published threshold study leaves it out.

    Raises
    ------
    InputError
        If there are too few training models, or their accuracy does not vary.
    """
    x, train = data.x, data.train
    link = fit_link(data.accuracy[train], data.score[train])
    easy = fit_polynomial(x[train], data.easy[train], easy_degree)
    hard = fit_polynomial(x[train], data.hard[train], hard_degree)
    raw = SandwichFit(link, easy, hard, 0.0)
    if not calibrate:
        return raw
    return SandwichFit(link, easy, hard, calibration_shift(data.accuracy, raw.accuracy(x), train))


def fit_hard_lift(data: SandwichData, degree: int = HARD_DEGREE) -> HardLiftFit:
    """Fit the forecast from the hardest group alone.

    Raises
    ------
    InputError
        As in :func:`fit_sandwich`.
    """
    x, train = data.x, data.train
    link = fit_link(data.accuracy[train], data.score[train])
    hard = fit_polynomial(x[train], data.hard[train], degree)
    raised = lift(hard(x), data.score, train)
    raw = HardLiftFit(link, hard, raised, 0.0)
    return HardLiftFit(link, hard, raised, calibration_shift(data.accuracy, raw.accuracy(x), train))
