"""Curves whose shape, onset and noise one has chosen.

A world is a function of scale; :func:`simulate_curve` asks models of given sizes ``n`` questions
and adds noise between models on the logit scale.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from upswing.curves.curve import Axis, Curve
from upswing.laws import power_exponential

Array = npt.NDArray[np.float64]

Kind = Literal["flat", "smooth", "step", "early rise", "u-shaped", "falling"]


@dataclass(frozen=True)
class World:
    """A true curve.

    Attributes
    ----------
    kind
        What it is; only ``step`` is an emergent ability.
    truth
        Expected score as a function of scale.
    chance
        Chance level.
    onset
        True onset in axis units; None where there is none.
    """

    kind: Kind
    truth: Callable[[Array], Array]
    chance: float
    onset: float | None = None


def smooth_world(
    exponent: float, scale: float, length: int = 1, chance: float = 0.0, kind: Kind = "smooth"
) -> World:
    r"""Return exact match under a power law, :math:`c + (1-c) \exp(-L (x/s)^{-a})`.

    Parameters
    ----------
    exponent
        :math:`a`, positive.
    scale
        :math:`s`, in axis units: where the loss per token is 1 nat.
    length
        :math:`L`, tokens of the answer.
    chance
        :math:`c`.

    Examples
    --------
    >>> world = smooth_world(0.3, 3e9, length=5)
    >>> world.truth(np.array([3e9])).round(4)
    array([0.0067])
    """

    def truth(x: Array) -> Array:
        # L (x/s)^-a = ln 2 at the midpoint of the parametrised form
        midpoint = np.log(scale) + np.log(length / np.log(2.0)) / exponent
        return power_exponential.evaluate(np.log(x), np.array([chance, exponent, midpoint]))

    return World(kind, truth, chance)


def step_world(onset: float, level: float, chance: float = 0.0, ramp: float = 0.0) -> World:
    """Return chance below ``onset``, ``level`` from there on, rising by ``ramp`` per decade."""

    def truth(x: Array) -> Array:
        above = np.minimum(level + ramp * np.log10(np.maximum(x / onset, 1.0)), 1.0)
        return np.where(x < onset, chance, above)

    return World("step", truth, chance, onset)


def flat_world(level: float, chance: float) -> World:
    """Return a constant score."""
    return World("flat", lambda x: np.full_like(x, level), chance)


def u_shaped_world(bottom: float, depth: float, chance: float, width: float = 1.0) -> World:
    """Return a score that dips below ``chance`` by ``depth`` around ``bottom`` and recovers."""

    def truth(x: Array) -> Array:
        distance = np.log10(x / bottom) / width
        return np.clip(chance - depth * np.exp(-0.5 * distance**2), 0.0, 1.0)

    return World("u-shaped", truth, chance)


def falling_world(start: float, per_decade: float, chance: float, smallest: float) -> World:
    """Return a score that falls by ``per_decade`` from ``start`` at scale ``smallest``."""

    def truth(x: Array) -> Array:
        return np.clip(start - per_decade * np.log10(x / smallest), 0.0, 1.0)

    return World("falling", truth, chance)


def simulate_curve(
    world: World,
    x: npt.ArrayLike,
    n: int,
    rng: np.random.Generator,
    between_model_sd: float = 0.0,
    axis: Axis = "params",
    task: str = "simulated",
) -> Curve:
    """Ask models of sizes ``x`` ``n`` questions in a world.

    Parameters
    ----------
    world
        The true curve.
    x
        Scales in axis units, shape (n_scales,).
    n
        Questions.
    rng
        Source of randomness.
    between_model_sd
        Standard deviation between models on the logit scale.
    axis, task
        Labels of the curve.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> simulate_curve(step_world(1e9, 0.8), [1e8, 1e9, 1e10], 100, rng).y
    array([0.  , 0.79, 0.83])
    """
    scale = np.asarray(x, dtype=float)
    p = shifted_odds(np.clip(world.truth(scale), 0.0, 1.0), between_model_sd, rng)
    return Curve(
        x=scale,
        y=rng.binomial(n, p) / n,
        axis=axis,
        n=np.full(len(scale), float(n)),
        chance=world.chance,
        task=task,
        family="simulated",
    )


def shifted_odds(p: Array, sd: float, rng: np.random.Generator) -> Array:
    """Return probabilities whose logits differ by normal noise; unchanged where ``sd`` is 0."""
    if sd <= 0:
        return p
    inner = np.clip(p, 1e-9, 1.0 - 1e-9)
    odds = inner / (1.0 - inner) * np.exp(sd * rng.standard_normal(len(p)))
    return np.asarray(odds / (1.0 + odds))
