r"""What a fitted loss law minimises: Huber loss or squares, of log or raw residuals.

The usual choice is the Huber loss of :math:`\ln \hat L - \ln L` with :math:`\delta = 10^{-3}`,

.. math:: \rho(r) = \tfrac12 r^2 \text{ for } |r| \le \delta, \quad
          \delta (|r| - \tfrac12 \delta) \text{ beyond},

summed over the models. (Hoffmann et al. averaged it and stopped too early for that reason; see
Besiroglu et al.) With so small a delta it is close to the sum of absolute residuals.

References: Hoffmann et al. 2022, arXiv:2203.15556, approach 3; Besiroglu et al. 2024,
arXiv:2404.10102; Huber 1964, doi:10.1214/aoms/1177703732.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from upswing.errors import InputError

Array = npt.NDArray[np.float64]

RESIDUALS = ("log", "raw")
"""Of the logarithm of the loss, or of the loss itself [nats/token]."""


@dataclass(frozen=True)
class LossCriterion:
    """What is summed over the models.

    Attributes
    ----------
    residual
        ``log``: :math:`\\ln \\hat L - \\ln L`; ``raw``: :math:`\\hat L - L` [nats/token].
    delta
        Where the Huber loss turns from squares to absolute values, in the unit of the residual;
        None for least squares.

    Examples
    --------
    >>> LossCriterion(delta=1.0).cost(np.array([0.5, 3.0])).tolist()
    [0.125, 2.5]
    """

    residual: Literal["log", "raw"] = "log"
    delta: float | None = 1e-3

    def __post_init__(self) -> None:
        """Check the values."""
        if self.residual not in RESIDUALS:
            raise InputError(
                f"no residual {self.residual!r}", hint=f"there are {', '.join(RESIDUALS)}"
            )
        if self.delta is not None and not self.delta > 0:
            raise InputError(f"delta is {self.delta:g}", hint="it must be positive, or None")

    @property
    def name(self) -> str:
        """Words for tables and notes."""
        what = f"{self.residual} residuals"
        return (
            f"squares of {what}" if self.delta is None else f"Huber loss of {what} ({self.delta:g})"
        )

    def cost(self, residual: Array) -> Array:
        """Return the cost of each residual."""
        if self.delta is None:
            return 0.5 * residual**2
        size = np.abs(residual)
        inner = np.minimum(size, self.delta)
        return np.asarray(inner * (size - 0.5 * inner))

    def slope(self, residual: Array) -> Array:
        """Return the derivative of the cost."""
        if self.delta is None:
            return residual
        return np.clip(residual, -self.delta, self.delta)

    def curvature(self, residual: Array) -> Array:
        """Return the second derivative of the cost."""
        if self.delta is None:
            return np.ones_like(residual)
        return (np.abs(residual) <= self.delta).astype(float)

    def weight(self, residual: Array) -> Array:
        """Return the weight that makes squares equal the cost to first order, at most 1."""
        if self.delta is None:
            return np.ones_like(residual)
        return np.asarray(self.delta / np.maximum(np.abs(residual), self.delta))
