r"""The two-lines test of a U (Simonsohn 2018), with the models of a family as one cluster.

A quadratic term is no test of a U: it is significant for many monotone curves. Two lines are: one
up to a break point and one from it on; the curve is a U where the first falls and the second rises,
each significantly. The p-value is the larger of the two one-sided ones.

The break point is Simonsohn's "Robin Hood" choice. A smooth curve is fitted; the models whose
fitted value is within one standard error of its most extreme inner value are the flat region. Two
lines meet at the middle of that region; then the break moves within it to the quantile
:math:`|z_2| / (|z_1| + |z_2|)`, which gives models to the line that is less sure. Here the smooth
curve is a natural cubic spline of up to five degrees of freedom, and inner means the middle 80 % of
the models.

Standard errors leave out one family at a time (the cluster jackknife, CR3), with as many degrees of
freedom as families on that line less one: models of one family are no independent points. Where all
models are of one family, each model is a cluster.

References
----------
Simonsohn, Advances in Methods and Practices in Psychological Science 1 (2018),
doi:10.1177/2515245918805755; Bell and McCaffrey, Survey Methodology 28 (2002), on CR3.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

_INNER = 0.1


class Line(NamedTuple):
    """A line through some models.

    Attributes
    ----------
    slope
        Change per unit of x.
    stderr
        Its standard error, families left out one at a time; NaN where that cannot be.
    degrees
        Degrees of freedom of the t-test.
    first, last
        Values of the line at its first and last model.
    first_stderr, last_stderr
        Their standard errors, in the same way.
    """

    slope: float
    stderr: float
    degrees: int
    first: float
    last: float
    first_stderr: float
    last_stderr: float

    def p_value(self, sign: int) -> float:
        """Return the one-sided p-value of a slope in a direction; 1 where no test is possible."""
        from scipy.special import stdtr

        if not self.stderr > 0.0:
            exact = self.stderr == 0.0 and sign * self.slope > 0.0
            return 0.0 if exact else 1.0
        return float(stdtr(self.degrees, -sign * self.slope / self.stderr))


class TwoLines(NamedTuple):
    """The two-lines test in one direction.

    Attributes
    ----------
    p_value
        The larger of the p-values of both slopes; 1 where there are too few models.
    turn
        Position among the models at which the second line begins.
    lines
        Both lines; empty where there are too few models.
    """

    p_value: float
    turn: int
    lines: tuple[Line, ...]


def clusters(family: npt.ArrayLike | None, models: int) -> Whole:
    """Return the family of each model as a number from 0; each its own where there is only one."""
    own = np.arange(models)
    if family is None:
        return own
    _, code = np.unique(np.asarray(family, dtype=str), return_inverse=True)
    return own if code.max(initial=0) == 0 else code.astype(np.int64)


def fit_line(x: Array, y: Array, cluster: Whole) -> Line:
    """Fit a line by least squares, with the cluster jackknife's standard error.

    Parameters
    ----------
    x, y
        Shape (n,).
    cluster
        Cluster of each point, shape (n,).
    """
    slope, level = _least_squares(*_sums(x, y, np.ones((1, len(x)))))
    told = np.concatenate([slope, level + slope * x[0], level + slope * x[-1]])
    members = np.unique(cluster)
    count = len(members)
    if count < 2:
        return Line(told[0], np.nan, 0, told[1], told[2], np.nan, np.nan)
    left = (cluster[None, :] != members[:, None]).astype(float)
    slopes, levels = _least_squares(*_sums(x, y, left))
    without = np.stack([slopes, levels + slopes * x[0], levels + slopes * x[-1]])
    error = np.sqrt((count - 1) / count * np.sum((without - told[:, None]) ** 2, axis=1))
    return Line(told[0], error[0], count - 1, told[1], told[2], error[1], error[2])


def two_lines(x: Array, y: Array, cluster: Whole, sign: int, least: int = 3) -> TwoLines:
    """Test for a U, or for an inverted U.

    Parameters
    ----------
    x, y
        Ascending positions and scores of the models, shape (n,).
    cluster
        Family of each model.
    sign
        1 for a U (falls, then rises), -1 for an inverted U.
    least
        Fewest models of a line.

    Examples
    --------
    >>> x = np.linspace(0, 1, 30)
    >>> two_lines(x, (x - 0.5) ** 2, np.arange(30), 1).p_value < 1e-6
    True
    >>> two_lines(x, np.log(x + 0.01), np.arange(30), -1).p_value > 0.05
    True
    """
    if len(x) < 2 * least:
        return TwoLines(1.0, 0, ())
    flat = _flat_region(x, sign * y)
    middle = _turn(flat, 0.5, len(x), least)
    before, after = _both(x, y, cluster, middle)
    with np.errstate(divide="ignore", invalid="ignore"):  # a group that is all right or all wrong
        one, other = (abs(np.divide(line.slope, line.stderr)) for line in (before, after))
    share = other / (one + other) if np.isfinite(one + other) and one + other > 0 else 0.5
    turn = _turn(flat, share, len(x), least)
    lines = _both(x, y, cluster, turn)
    p = max(lines[0].p_value(-sign), lines[1].p_value(sign))
    return TwoLines(p, turn, lines)


def _both(x: Array, y: Array, cluster: Whole, turn: int) -> tuple[Line, Line]:
    return (
        fit_line(x[:turn], y[:turn], cluster[:turn]),
        fit_line(x[turn:], y[turn:], cluster[turn:]),
    )


def _turn(flat: Whole, share: float, models: int, least: int) -> int:
    """Return where the second line begins: after a quantile of the flat region."""
    place = int(np.quantile(flat, share, method="nearest")) + 1
    return min(max(place, least), models - least)


def _flat_region(x: Array, y: Array) -> Whole:
    """Return the models around the lowest inner value of a smooth curve, within its error."""
    basis = spline_basis(x, min(5, max(3, len(x) // 3)))
    coefficient, *_ = np.linalg.lstsq(basis, y, rcond=None)
    fitted = basis @ coefficient
    degrees = max(len(x) - basis.shape[1], 1)
    inverse = np.linalg.pinv(basis.T @ basis)
    variance = np.sum((y - fitted) ** 2) / degrees * np.einsum("ij,jk,ik->i", basis, inverse, basis)
    margin = int(_INNER * len(x))
    inner = np.arange(margin, len(x) - margin)
    lowest = inner[fitted[inner].argmin()]
    near = fitted[inner] <= fitted[lowest] + np.sqrt(max(variance[lowest], 0.0))
    return np.asarray(inner[near])


def spline_basis(x: Array, degrees: int) -> Array:
    r"""Return a natural cubic spline's basis, shape (n, degrees), with knots at quantiles of x.

    Degrees of 2 give a line. Columns are 1, x and :math:`d_k(x) - d_{K-1}(x)` for knots
    :math:`\kappa_1 \dots \kappa_K`, with
    :math:`d_k = ((x-\kappa_k)_+^3 - (x-\kappa_K)_+^3) / (\kappa_K - \kappa_k)`.
    """
    span = float(np.ptp(x)) or 1.0
    u = (x - x[0]) / span
    knots = np.unique(np.quantile(u, np.linspace(0, 1, max(degrees, 2))))
    columns = [np.ones_like(u), u]
    if len(knots) > 2:
        last = np.maximum(u - knots[-1], 0.0) ** 3
        pieces = [
            (np.maximum(u - knot, 0.0) ** 3 - last) / (knots[-1] - knot) for knot in knots[:-1]
        ]
        columns += [piece - pieces[-1] for piece in pieces[:-1]]
    return np.column_stack(columns)


def _sums(x: Array, y: Array, weight: Array) -> tuple[Array, ...]:
    centred = x - x.mean()
    sums = weight @ np.column_stack([np.ones_like(x), centred, y, centred**2, centred * y])
    return (*sums.T, np.full(len(weight), x.mean()))


def _least_squares(
    n: Array, sx: Array, sy: Array, sxx: Array, sxy: Array, shift: Array
) -> tuple[Array, Array]:
    """Return slopes and intercepts from weighted sums; a slope of 0 where x does not vary."""
    spread = n * sxx - sx**2
    usable = spread > 1e-12 * np.maximum(n * sxx, 1e-300)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(usable, (n * sxy - sx * sy) / spread, 0.0)
        mean = np.where(n > 0, (sy - slope * sx) / n, 0.0)
    return slope, mean - slope * shift
