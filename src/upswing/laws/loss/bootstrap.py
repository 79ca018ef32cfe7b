"""Bootstrap of a loss law: refits of resampled models, all resamples together.

A resample counts every model a random number of times; checkpoints of one model stay together.

Reference: Efron 1979, doi:10.1214/aos/1176344552.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from upswing.laws.loss.criterion import Array
from upswing.laws.loss.law import LossLaws
from upswing.laws.loss.newton import minimise
from upswing.laws.loss.objective import LossObjective
from upswing.laws.loss.points import LossPoints
from upswing.laws.loss.search import descend

Mask = npt.NDArray[np.bool_]

FEWEST_MODELS = 4
"""Fewest models that are resampled whole; with fewer, points are."""

_STEPS = 100
_BLOCK = 300_000


def bootstrap_loss(
    points: LossPoints,
    objective: LossObjective,
    theta: Array,
    rng: np.random.Generator,
    resamples: int = 1000,
) -> LossLaws:
    """Refit the law to resampled models.

    Parameters
    ----------
    points
        The data.
    objective
        The objective on them.
    theta
        The parameters that fit all of them, from which every refit starts.
    rng
        Source of randomness.
    resamples
        How many are drawn.

    Returns
    -------
    LossLaws
        Those resamples that could be fitted: at least as many different scales as such a law needs,
        and a loss that falls with every scale.
    """
    whole = int(points.model.max()) + 1 >= FEWEST_MODELS
    unit = points.model if whole else np.arange(len(points))
    units = int(unit.max()) + 1
    counts = rng.multinomial(units, np.full(units, 1.0 / units), size=resamples)
    weight = counts[:, unit].astype(float)
    weight = weight[_decided(points, weight > 0, 2 + objective.constant)]
    parts = []
    step = max(1, _BLOCK // len(points))
    for i in range(0, len(weight), step):
        here = weight[i : i + step]
        moved, _ = descend(objective, np.tile(theta, (len(here), 1)), here)
        parts.append(minimise(objective, moved, here, _STEPS)[0])
    found = np.concatenate(parts) if parts else np.empty((0, objective.parameters))
    laws = objective.laws(found, points.axes)
    return laws.where(np.asarray((laws.exponent > 0.0).all(axis=1)))


def _decided(points: LossPoints, drawn: Mask, needed: int) -> Mask:
    """Tell which resamples hold enough different values of every scale."""
    enough = np.ones(len(drawn), dtype=bool)
    for values in points.scales.values():
        level = np.unique(np.round(np.log(values), 2), return_inverse=True)[1]
        onto = (level[:, None] == np.arange(level.max() + 1)).astype(float)
        enough &= ((drawn @ onto) > 0).sum(axis=1) >= needed
    return enough
