r"""The objective of a loss law and its derivatives, for many candidates at once.

With logarithms :math:`u_k` of the scales, centred at their means, the law is

.. math:: \ln \hat L = \ln \sum_k e^{z_k}, \quad z_k = c_k - a_k u_k, \quad z_0 = e,

one term per scale and, where there is an irreducible loss, one constant. Each :math:`z_k` is linear
in the parameters, so with the shares :math:`p_k = e^{z_k} / \hat L` the gradient of
:math:`\ln \hat L` over z is p and its Hessian :math:`\mathrm{diag}(p) - p p^\top`. The Hessian of
the objective is then a sum over pairs of terms of :math:`M_{kl}` times products of 1 and u: a few
matrix products for all candidates together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from upswing.laws.loss.criterion import Array, LossCriterion
from upswing.laws.loss.law import Axis, LossLaws

_NOTHING = 1e-6


@dataclass(frozen=True, eq=False)
class Derivatives:
    """Cost, gradient and Hessian of candidates: shapes (n,), (n, p) and (n, p, p)."""

    cost: Array
    gradient: Array
    hessian: Array


class LossObjective:
    """The objective over parameters ``(c_1 .. c_K, a_1 .. a_K[, e])``.

    Parameters
    ----------
    log_scale
        Natural logarithms of the scales, shape (n_points, K).
    loss
        Losses [nats/token], shape (n_points,).
    constant
        Whether there is an irreducible loss.
    criterion
        What is summed.
    """

    def __init__(
        self, log_scale: Array, loss: Array, constant: bool, criterion: LossCriterion
    ) -> None:
        self.centre = log_scale.mean(axis=0)
        self.u = log_scale - self.centre
        self.loss = loss
        self.log_loss = np.log(loss)
        self.constant = constant
        self.criterion = criterion
        self.terms = log_scale.shape[1]
        self.parameters = 2 * self.terms + constant
        self._columns = [self._of_term(k) for k in range(self.terms + constant)]
        self._products = [
            [
                (left[:, None] * right[None]).reshape(-1, len(loss)).T
                for _, right in self._columns[k:]
            ]
            for k, (_, left) in enumerate(self._columns)
        ]

    def under(self, criterion: LossCriterion) -> LossObjective:
        """Return the objective of the same points under another criterion."""
        return LossObjective(self.u + self.centre, self.loss, self.constant, criterion)

    def without_constant(self) -> LossObjective:
        """Return the objective of a law without irreducible loss."""
        return LossObjective(self.u + self.centre, self.loss, False, self.criterion)

    def laws(self, theta: Array, axes: tuple[Axis, ...]) -> LossLaws:
        """Return the laws that candidates stand for; an irreducible loss near 0 is 0."""
        k = self.terms
        exponent = theta[:, k : 2 * k]
        irreducible = np.exp(theta[:, 2 * k]) if self.constant else np.zeros(len(theta))
        irreducible = np.where(irreducible < _NOTHING * self.loss.min(), 0.0, irreducible)
        return LossLaws(axes, irreducible, theta[:, :k] + exponent * self.centre, exponent)

    def gradients(self, theta: Array) -> tuple[Array, Array]:
        """Return the derivatives of the fitted values of one candidate, and the fitted losses.

        The values are logarithms or losses, as the residuals are. Shapes (n_points, p) and
        (n_points,).
        """
        share, fitted = self._shares(theta[None])
        out = np.empty((len(self.loss), self.parameters))
        for k in range(len(share)):
            index, columns = self._columns[k]
            out[:, index] = (share[k, 0] * columns).T
        losses = np.exp(fitted[0])
        return (out if self.criterion.residual == "log" else out * losses[:, None]), losses

    def logits(self, theta: Array) -> Array:
        """Return the logarithm of each term, shape (K[+1], n_candidates, n_points)."""
        k = self.terms
        powers = [theta[:, i, None] - theta[:, k + i, None] * self.u[:, i] for i in range(k)]
        if self.constant:
            powers.append(np.broadcast_to(theta[:, 2 * k, None], powers[0].shape))
        return np.stack(powers)

    def _shares(self, theta: Array) -> tuple[Array, Array]:
        """Return the shares of the terms and the logarithm of the fitted loss."""
        z = self.logits(theta)
        highest = z.max(axis=0)
        z -= highest
        np.exp(z, out=z)
        total = z.sum(axis=0)
        z /= total
        return z, np.log(total) + highest

    def residual(self, theta: Array) -> Array:
        """Return residuals, shape (n_candidates, n_points)."""
        _, fitted = self._shares(theta)
        if self.criterion.residual == "log":
            return np.asarray(fitted - self.log_loss)
        return np.asarray(np.exp(np.minimum(fitted, 500.0)) - self.loss)

    def cost(self, theta: Array, weight: Array | None = None) -> Array:
        """Return the objective of candidates, shape (n_candidates,)."""
        cost = self.criterion.cost(self.residual(theta))
        return np.asarray((cost if weight is None else cost * weight).sum(axis=1))

    def derivatives(self, theta: Array, weight: Array | None = None) -> Derivatives:
        """Return the objective of candidates with its gradient and Hessian.

        Parameters
        ----------
        theta
            Shape (n_candidates, p).
        weight
            Weights of the points for each candidate, shape (n_candidates, n_points).
        """
        share, fitted = self._shares(theta)
        log = self.criterion.residual == "log"
        predicted = np.exp(np.minimum(fitted, 500.0))
        residual = fitted - self.log_loss if log else predicted - self.loss
        cost = self.criterion.cost(residual)
        slope, bend = self.criterion.slope(residual), self.criterion.curvature(residual)
        if not log:
            slope = slope * predicted
            bend = bend * predicted**2 + slope
        if weight is not None:
            cost, slope, bend = cost * weight, slope * weight, bend * weight
        gradient = np.empty((len(theta), self.parameters))
        hessian = np.zeros((len(theta), self.parameters, self.parameters))
        bend = bend - slope
        for k, (first, left) in enumerate(self._columns):
            pull = slope * share[k]
            gradient[:, first] = pull @ left.T
            crossed = bend * share[k]
            for other, products in enumerate(self._products[k], start=k):
                second = self._columns[other][0]
                mixed = crossed * share[other]
                if other == k:
                    mixed += pull
                block = (mixed @ products).reshape(-1, len(first), len(second))
                hessian[:, first[:, None], second] = block
                hessian[:, second[:, None], first] = block.transpose(0, 2, 1)
        return Derivatives(cost.sum(axis=1), gradient, hessian)

    def _of_term(self, term: int) -> tuple[npt.NDArray[np.int64], Array]:
        """Return which parameters a term has, and the derivatives of its logarithm over them."""
        k = self.terms
        ones = np.ones(len(self.loss))
        if term == k:
            return np.array([2 * k]), ones[None]
        return np.array([term, k + term]), np.stack([ones, -self.u[:, term]])
