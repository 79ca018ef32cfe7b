r"""The emergence law: finetuning moves the elbow at which an ability leaves chance.

The score of a model with pretraining loss :math:`L` [nats/token], finetuned on :math:`D` examples:

.. math:: y(L, D) = B + A \max(0, E(D) - L), \qquad E(D) = k (\ln D)^\alpha + C

One slope :math:`A` and one base :math:`B` hold for all D. Prompted models follow the same curve
with :math:`D = D_0` and the base :math:`B + \Delta`; :math:`E(D_0)` is the forecast.

:math:`k`, :math:`\alpha` and :math:`C` are correlated to three digits, so the elbow is written by
its values at the smallest and the largest amount of data and by :math:`\alpha`, which alone decides
the extrapolation once these two are known:

.. math:: E(D) = E_{lo} + (E_{hi} - E_{lo}) \frac{g(D) - g(D_{min})}{g(D_{max}) - g(D_{min})},
          \qquad g(D) = (\ln D)^\alpha

Three variants: a *power law*, :math:`g(D) = D^\alpha`; a *cap* :math:`c` that the score reaches
after a ramp of :math:`R` nats; and *floors*, a base per D, for tasks that weak models learn from
the examples alone. A floor takes its share of the rise, as guessing does:
:math:`y = B_D + (c - B_D) \min(1, \max(0, E(D) - L)/R)`.

Reference: Snell et al. 2024, arXiv:2411.16035. The equations are inferred from its symbols and
captions; cap, floors and anchors are ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from upswing.errors import InputError

Array = npt.NDArray[np.float64]
Shape = Literal["log power law", "power law"]

SHAPES: dict[str, tuple[float, float]] = {"log power law": (0.25, 8.0), "power law": (-1.0, 1.0)}
"""The exponents that are looked at, by shape of the law."""

_TINY = 1e-9


@dataclass(frozen=True)
class EmergenceForm:
    """Which variant of the law.

    Attributes
    ----------
    shape
        ``log power law`` or ``power law``.
    cap
        Whether scores end at a cap, reached after a ramp.
    floors
        Whether every amount of data has a base of its own.
    """

    shape: Shape = "log power law"
    cap: bool = False
    floors: bool = False

    def __post_init__(self) -> None:
        """Check the shape."""
        if self.shape not in SHAPES:
            raise InputError(f"no shape {self.shape!r}", hint=f"there are {', '.join(SHAPES)}")

    @property
    def alphas(self) -> tuple[float, float]:
        """Smallest and largest exponent."""
        return SHAPES[self.shape]


def lowest_amount(d0: float) -> float:
    """Return the amount of data that stands for ``d0`` solved examples in a prompt.

    The law has no value at no examples; a prompt without any stands where its logarithm is 0, so
    that E(D0) = C.

    Examples
    --------
    >>> lowest_amount(0), lowest_amount(5)
    (1.0, 5.0)
    """
    return max(float(d0), 1.0)


def growth(amount: npt.ArrayLike, alpha: npt.ArrayLike, shape: Shape) -> Array:
    """Return g(D) up to a factor and a constant; alpha (...,) and D (m,) give (..., m)."""
    u = np.log(np.asarray(amount, dtype=float))
    a = np.asarray(alpha, dtype=float)[..., None]
    if shape == "log power law":
        return np.asarray(u**a)
    safe = np.where(np.abs(a) < _TINY, 1.0, a)
    return np.asarray(np.where(np.abs(a) < _TINY, u, np.expm1(safe * u) / safe))


def position(
    amount: npt.ArrayLike, alpha: npt.ArrayLike, d_min: float, d_max: float, shape: Shape
) -> Array:
    """Return how far on the way from the elbow at ``d_min`` to that at ``d_max`` each D is.

    It is 0 at ``d_min``, 1 at ``d_max`` and negative below ``d_min``.

    Examples
    --------
    >>> position([5, 256, 8192], 2.0, 256, 8192, "log power law").round(3)
    array([-0.558,  0.   ,  1.   ])
    """
    ends = growth([d_min, d_max], alpha, shape)
    low, high = ends[..., :1], ends[..., 1:]
    return np.asarray((growth(amount, alpha, shape) - low) / (high - low))


def published_parameters(
    lowest: npt.ArrayLike,
    highest: npt.ArrayLike,
    alpha: npt.ArrayLike,
    d_min: float,
    d_max: float,
    shape: Shape,
) -> tuple[Array, Array]:
    """Return k and C of E(D) = k g(D) + C from the elbows at two amounts of data.

    g(D) is (ln D)^alpha, or D^alpha in a power law (ln D for alpha = 0).

    Examples
    --------
    >>> k, c = published_parameters(2.06, 2.25, 2.0, 256, 8192, "log power law")
    >>> round(float(k), 5), round(float(c), 3)
    (0.00377, 1.944)
    """
    u, a = np.log(np.array([d_min, d_max])), np.asarray(alpha, dtype=float)[..., None]
    power = np.where(np.abs(a) < _TINY, u, np.exp(a * u))
    g = u**a if shape == "log power law" else power
    k = (np.asarray(highest, dtype=float) - lowest) / (g[..., 1] - g[..., 0])
    return np.asarray(k), np.asarray(lowest - k * g[..., 0])


@dataclass(frozen=True)
class ElbowLaw:
    """How the elbow moves with the amount of data.

    Attributes
    ----------
    lowest, highest
        Elbows at ``d_min`` and ``d_max`` [nats/token].
    alpha
        Exponent.
    d_min, d_max
        Smallest and largest amount of finetuning data [examples].
    shape
        ``log power law`` or ``power law``.
    """

    lowest: float
    highest: float
    alpha: float
    d_min: float
    d_max: float
    shape: Shape = "log power law"

    def elbow(self, amount: npt.ArrayLike) -> Array:
        """Return E(D) [nats/token] for amounts [examples], shape (m,).

        Examples
        --------
        >>> law = ElbowLaw(2.06, 2.25, 2.0, 256, 8192)
        >>> law.elbow([5, 256, 8192]).round(3)
        array([1.954, 2.06 , 2.25 ])
        """
        share = position(amount, self.alpha, self.d_min, self.d_max, self.shape)
        return np.asarray(self.lowest + (self.highest - self.lowest) * share)

    @property
    def published(self) -> tuple[float, float]:
        """Factor k and constant C [nats/token] of the law as published."""
        k, c = published_parameters(
            self.lowest, self.highest, self.alpha, self.d_min, self.d_max, self.shape
        )
        return float(k), float(c)


@dataclass(frozen=True)
class EmergenceCurves:
    """One fitted fan of curves: score over loss for every amount of data.

    Attributes
    ----------
    elbows
        The law of the elbow.
    slope
        A [score per nat]; None with a cap, where it depends on the base.
    bases
        Base by amount of data; key 0 where all amounts share one. With floors, amounts at whose
        base no model is are absent.
    few_shot_base
        Base of prompted models, :math:`B + \\Delta`; None where no prompted score was fitted.
    cap, ramp
        Highest score, and the nats after the elbow at which it is reached; None without a cap.
    """

    elbows: ElbowLaw
    slope: float | None
    bases: dict[float, float]
    few_shot_base: float | None = None
    cap: float | None = None
    ramp: float | None = None

    @property
    def base(self) -> float:
        """Base of the smallest amount of data."""
        return self.bases[min(self.bases)]

    def score(self, loss: npt.ArrayLike, amount: float, few_shot: bool = False) -> Array:
        """Return the scores of models with these losses.

        Parameters
        ----------
        loss
            Pretraining loss [nats/token], shape (n,).
        amount
            Finetuning examples; D0 for prompted models.
        few_shot
            Whether the models are prompted, not finetuned.

        Examples
        --------
        >>> law = ElbowLaw(2.06, 2.25, 2.0, 256, 8192)
        >>> EmergenceCurves(law, 0.6, {0.0: 0.25}).score([2.3, 2.05], 8192).round(2)
        array([0.25, 0.37])
        """
        beyond = np.maximum(self.elbows.elbow([amount]) - np.asarray(loss, dtype=float), 0.0)
        base = self._base(amount, few_shot)
        if self.cap is not None and self.ramp is not None:
            return np.asarray(base + (self.cap - base) * np.minimum(beyond / self.ramp, 1.0))
        return np.asarray(base + (self.slope or 0.0) * beyond)

    def slope_at(self, amount: float, few_shot: bool = False) -> float:
        """Return how fast scores rise after the elbow [score per nat]."""
        if self.cap is not None and self.ramp is not None:
            return (self.cap - self._base(amount, few_shot)) / self.ramp
        return float(self.slope or 0.0)

    def _base(self, amount: float, few_shot: bool) -> float:
        if few_shot and self.few_shot_base is not None:
            return self.few_shot_base
        nearest = min(self.bases, key=lambda d: abs(math.log(max(d, 1.0) / max(amount, 1.0))))
        return self.bases[nearest]
