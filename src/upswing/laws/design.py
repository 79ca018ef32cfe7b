"""The points at which curves are fitted, and how steep a smooth curve may be there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

EPSILON = 1e-4
"""Fitted values stay this far from 0 and 1, so that no single answer has likelihood zero."""

LOWEST_BASE = 5 * EPSILON
"""Bases are at least this; one that lies there means 0."""

STEEPEST = {"params": 0.5, "tokens": 0.5, "flops": 0.25}
"""Largest exponent |a| of a smooth power law, per natural log of the axis; on compute, where the
growth of parameters with compute is unknown, see :func:`steepest_on_compute`."""

GENTLEST = 1.0 / 8.0
"""Smallest slope of a smooth form, as a share of the steepest."""

NARROWEST_LOSS_RISE = 0.5
"""On the loss axis a smooth logistic takes at least this long from 10 % to 90 % [nats/token]."""

_GUMBEL_WIDTH = float(np.log(np.log(10.0) / np.log(10.0 / 9.0)))
_LOGISTIC_WIDTH = 2.0 * float(np.log(9.0))


@dataclass(frozen=True)
class Design:
    """Scales, chance level and steepness bound of one or many curves with the same points.

    Attributes
    ----------
    u
        Position of each point, ascending, shape (n_scales,): natural log of params, tokens or FLOP,
        or minus the loss.
    chance, delta
        Chance level, and how far from it the flat part of a curve may lie.
    power_slope
        Largest exponent |a| of :math:`p^L`; None on the loss axis, which has no such form.
    logistic_slope
        Largest slope of the logistic: that at which its rise from 10 % to 90 % takes as long as
        that of the steepest power law.
    gentlest
        Smallest slope of the smooth forms, as a share of the largest.
    lowest_base
        Lowest level of the flat part; None for chance - delta.
    """

    u: tuple[float, ...]
    chance: float
    delta: float
    power_slope: float | None
    logistic_slope: float
    gentlest: float = GENTLEST
    lowest_base: float | None = None

    @property
    def points(self) -> Array:
        """The positions as an array."""
        return np.asarray(self.u)

    def bases(self, count: int) -> Array:
        """Return levels for the flat part, by default within delta of chance, denser toward 0."""
        lowest = self.chance - self.delta if self.lowest_base is None else self.lowest_base
        low = max(lowest, LOWEST_BASE)
        high = min(self.chance + self.delta, 1.0 - EPSILON)
        return np.asarray(np.linspace(np.sqrt(low), np.sqrt(high), count) ** 2)


def steepest_on_compute(params_slope: float) -> float:
    """Return the bound per log of compute that agrees with the one per log of parameters.

    Compute grows as parameters where all models saw the same tokens, and as their square where
    tokens grow with parameters; a curve over compute should get the same verdict in both cases.

    Parameters
    ----------
    params_slope
        d ln N / d ln C within the family.

    Examples
    --------
    >>> steepest_on_compute(1.0), steepest_on_compute(0.5)
    (0.5, 0.25)
    """
    bound = STEEPEST["params"] * params_slope
    return float(np.clip(bound, STEEPEST["flops"], STEEPEST["params"]))


def make_design(
    x: npt.ArrayLike, axis: str, chance: float, delta: float, steepest: float | None = None
) -> Design:
    """Return the design of a curve.

    Parameters
    ----------
    x
        Scale in the axis's unit, shape (n_scales,), from weak to strong.
    axis
        ``flops``, ``params``, ``tokens`` or ``loss``.
    chance, delta
        On the scale of gains, see :mod:`upswing.detection.gain`.
    steepest
        Bound on |a| that replaces the default, for instance that of the task's own continuous
        metric.
    """
    scale = np.asarray(x, dtype=float)
    if axis == "loss":
        u = -scale
        power = None
        logistic = _LOGISTIC_WIDTH / NARROWEST_LOSS_RISE
    else:
        with np.errstate(divide="ignore"):
            u = np.log(scale)
        power = STEEPEST[axis] if steepest is None else steepest
        logistic = power * _LOGISTIC_WIDTH / _GUMBEL_WIDTH
    return Design(tuple(float(v) for v in u), float(chance), float(delta), power, logistic)


def from_zero(values: Array, base: float) -> tuple[Array, float]:
    """Return a smooth curve and its base, which is 0 where it lies at the lowest base.

    A base of 5e-4 is nothing to a fit; but a thousand questions would find successes there that the
    curve does not mean.

    >>> from_zero(np.array([LOWEST_BASE, 0.5]), LOWEST_BASE)[0].round(3).tolist()
    [0.0, 0.5]
    """
    if base > LOWEST_BASE * (1.0 + 1e-9):
        return values, base
    return np.asarray(np.clip((values - base) / (1.0 - base), 0.0, 1.0)), 0.0


def without_infinities(u: Array) -> Array:
    """Put a point at zero scale, whose logarithm is infinite, one unit left of the others."""
    return np.asarray(np.where(np.isfinite(u), u, u[np.isfinite(u)].min() - 1.0))
