r"""How probable is the shape of a group where sorting alone made it?

The statistic is the size of each arm of the shape (:mod:`upswing.difficulty.shapes.arms`). A shape
is
beyond sorting only where every one of its arms is: a group whose fall is as large as that of worlds
without ability and whose rise is larger is no U, however clear the rise.

The models of the null worlds differ by their questions only; real ones also differ in many other
ways. So each null curve gets the scatter of the observed one
(:mod:`upswing.difficulty.shapes.scatter`),
with a random sign per family, shrunk by the scatter that the null has already.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from upswing.difficulty.shapes.arms import ArmLines, Shape, arms
from upswing.difficulty.shapes.scatter import family_residuals, random_signs, smoother

Array = npt.NDArray[np.float64]
Single = npt.NDArray[np.float32]
Whole = npt.NDArray[np.int64]


class NullTest(NamedTuple):
    """An observed shape against worlds without ability.

    Attributes
    ----------
    p_value
        The largest over arms and settings of the share of null worlds (the observed one counted
        among them) whose arm is at least as large.
    setting
        Number of the setting with that share.
    arms
        Observed size of each arm, in units of the score; for a U-then-rise the last is the end
        minus the beginning.
    p_arms
        For each arm the largest share over settings.
    turns
        Places among the models at which each arm but the first begins: where the arms are largest
        together, which need not be the turns of the two-lines test.
    """

    p_value: float
    setting: int
    arms: tuple[float, ...]
    p_arms: tuple[float, ...]
    turns: tuple[int, ...]


def null_test(
    x: Array,
    y: Array,
    cluster: Whole,
    null: Single,
    shape: Shape,
    lines: ArmLines,
    rng: np.random.Generator,
) -> NullTest:
    """Return the p-value of a shape under the null.

    Parameters
    ----------
    x, y, cluster
        Positions, scores and families of the models in the order of scale, shape (n_models,).
    null
        Scores of the same group in null worlds, shape (n_settings, n_worlds, n_models).
    shape
        The observed shape; ``flat`` has no arms and the p-value 1.
    lines
        Of the models, by :func:`~upswing.difficulty.shapes.arms.arm_lines`.
    rng
        Source of the random signs.
    """
    observed = arms(lines, y[None, :], shape) if shape != "flat" else None
    if observed is None:
        return NullTest(1.0, 0, (), (), ())
    settings, worlds, models = null.shape
    curves = with_scatter(x, y, cluster, null.astype(float), rng).reshape(-1, models)
    drawn = arms(lines, curves, shape)
    assert drawn is not None  # the same models allow the same arms
    as_large = (drawn.sizes >= observed.sizes).reshape(settings, worlds, -1)
    share = (1 + as_large.sum(axis=1)) / (worlds + 1)
    setting, _ = np.unravel_index(share.argmax(), share.shape)
    return NullTest(
        float(share.max()),
        int(setting),
        tuple(float(size) for size in observed.sizes[0]),
        tuple(float(p) for p in share.max(axis=0)),
        tuple(int(turn) for turn in observed.turns[0]),
    )


def with_scatter(
    x: Array, y: Array, cluster: Whole, null: Array, rng: np.random.Generator
) -> Array:
    """Return null curves with the scatter of the observed one between models.

    Parameters
    ----------
    x, y, cluster
        The observed curve.
    null
        Shape (n_settings, n_worlds, n_models).
    """
    rest = np.eye(len(x)) - smoother(x)
    total = float(np.sum((rest @ y) ** 2))
    own = np.mean(np.sum((null @ rest) ** 2, axis=2), axis=1)
    missing = np.clip(1.0 - own / total, 0.0, 1.0) if total > 0 else np.zeros(len(own))
    drawn = random_signs(cluster, null.shape[:2], rng) * family_residuals(x, y, cluster)
    return np.asarray(null + np.sqrt(missing)[:, None, None] * drawn)
