"""Do easy and hard questions cancel? Where their smooth curves go opposite ways, and the whole."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from upswing.difficulty.shapes.scatter import smoother
from upswing.difficulty.shapes.task_shapes import LEAST_MODELS

Array = npt.NDArray[np.float64]

SURE = 2.0
"""Standard errors that a change along a smooth curve has to exceed."""


class Opposite(NamedTuple):
    """A stretch of scale over which easy and hard questions go opposite ways.

    Attributes
    ----------
    low, high
        log10 of training compute at its ends.
    easy, hard, whole
        Change of the smooth curve of the easiest group, of the hardest, and of all questions along
        it, in units of the score.
    """

    low: float
    high: float
    easy: float
    hard: float
    whole: float

    @property
    def size(self) -> float:
        """The smaller of both changes."""
        return min(abs(self.easy), abs(self.hard))

    @property
    def cancels(self) -> bool:
        """Whether all questions together move by less than half of either group."""
        return abs(self.whole) < 0.5 * self.size


def opposite_movement(x: Array, easy: Array, hard: Array, whole: Array) -> Opposite | None:
    """Return the stretch over which easy and hard questions go farthest in opposite directions.

    Curves are the splines of the shape tests. A change counts where it exceeds two standard errors
    of its spline; of all pairs of models that one is taken whose smaller change is largest.

    Parameters
    ----------
    x
        log10 of training compute, shape (n_models,).
    easy, hard, whole
        Scores, higher is better, shape (n_models,).

    Returns
    -------
    Opposite or None
        None where they nowhere do so for sure, or with fewer than six models.

    Examples
    --------
    >>> x = np.linspace(0, 3, 30)
    >>> noise = 0.01 * np.random.default_rng(0).standard_normal((3, 30))
    >>> found = opposite_movement(x, noise[0] - 0.1 * x, noise[1] + 0.1 * x, noise[2])
    >>> round(found.easy, 1), round(found.hard, 1), found.cancels
    (-0.3, 0.3, True)
    """
    if len(np.unique(x)) < LEAST_MODELS:
        return None
    order = np.argsort(x, kind="stable")
    place = x[order]
    smooth = smoother(place)
    degrees = max(len(place) - float(np.trace(smooth)), 1.0)
    first, last = np.triu_indices(len(place), k=1)
    spread = np.sqrt(np.sum((smooth[last] - smooth[first]) ** 2, axis=1))
    changes, sure = [], np.ones(len(first), dtype=bool)
    for scores in (easy[order], hard[order]):
        fitted = smooth @ scores
        noise = np.sqrt(np.sum((scores - fitted) ** 2) / degrees)
        change = fitted[last] - fitted[first]
        sure &= np.abs(change) > SURE * noise * spread
        changes.append(change)
    sure &= changes[0] * changes[1] < 0
    if not sure.any():
        return None
    size = np.where(sure, np.minimum(np.abs(changes[0]), np.abs(changes[1])), -1.0)
    best = int(size.argmax())
    i, j = first[best], last[best]
    of_all = smooth @ whole[order]
    return Opposite(
        float(place[i]),
        float(place[j]),
        float(changes[0][best]),
        float(changes[1][best]),
        float(of_all[j] - of_all[i]),
    )
