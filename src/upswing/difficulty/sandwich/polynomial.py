"""Least-squares polynomials, of one group or of many at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from upswing.difficulty.groups.groups import Array
from upswing.errors import InputError


@dataclass(frozen=True, eq=False)
class Polynomial:
    r"""A fitted polynomial :math:`\hat y = \sum_k c_k x^k`, or one per column of y.

    Attributes
    ----------
    coefficients
        :math:`c_0` to :math:`c_d`, shape (degree + 1,) or (degree + 1, n_columns).
    residual_sd
        Root of the mean squared residual, one number or shape (n_columns,).
    r2
        Share of the variance that is explained, likewise; NaN where y does not vary.
    """

    coefficients: Array
    residual_sd: Array
    r2: Array

    @property
    def degree(self) -> int:
        """Highest power."""
        return len(self.coefficients) - 1

    def __call__(self, x: npt.ArrayLike) -> Array:
        """Return the values at x, shape (n,) or (n, n_columns)."""
        return np.asarray(
            np.vander(np.asarray(x), len(self.coefficients), increasing=True) @ (self.coefficients)
        )


def fit_polynomial(x: Array, y: Array, degree: int) -> Polynomial:
    """Fit a polynomial by ordinary least squares.

    Parameters
    ----------
    x
        Shape (n,).
    y
        Shape (n,), or (n, n_columns) for several at once.
    degree
        Highest power, at least 0.

    Raises
    ------
    InputError
        If the degree is negative, or there are not more different x than it.

    Examples
    --------
    >>> x = np.array([0.0, 1.0, 2.0, 3.0])
    >>> fit_polynomial(x, 1.0 + 2.0 * x**2, 2).coefficients.round(9).tolist()
    [1.0, 0.0, 2.0]
    """
    if degree < 0:
        raise InputError(f"a polynomial has no degree {degree}", hint="choose 0 or more")
    different = len(np.unique(x))
    if different <= degree:
        raise InputError(
            f"a polynomial of degree {degree} needs {degree + 1} models of different compute, and "
            f"there are {different}",
            hint="choose a lower degree or a higher threshold, or take checkpoints as points",
        )
    powers = np.vander(x, degree + 1, increasing=True)
    size = np.sqrt((powers**2).sum(axis=0))
    scaled = np.linalg.lstsq(powers / size, y, rcond=None)[0]
    coefficients = (scaled.T / size).T
    residuals = y - powers @ coefficients
    total = ((y - y.mean(axis=0)) ** 2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = 1.0 - (residuals**2).sum(axis=0) / total
    return Polynomial(
        coefficients,
        np.sqrt((residuals**2).mean(axis=0)),
        np.asarray(r2),
    )


def possible_degree(x: Array, wanted: int) -> int:
    """Return a degree that leaves a residual: the one wanted, or less where there are few x.

    >>> possible_degree(np.array([1.0, 2.0, 3.0, 4.0]), 5), possible_degree(np.arange(9.0), 5)
    (2, 5)
    """
    return max(1, min(wanted, len(np.unique(x)) - 2))


def condition_number(x: Array, degree: int) -> float:
    """Return the condition number of the powers of x: how far rounding and noise are amplified."""
    return float(np.linalg.cond(np.vander(x, degree + 1, increasing=True)))
