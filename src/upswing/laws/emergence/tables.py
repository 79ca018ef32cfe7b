r"""Likelihood of one subset's scores as a function of its elbow: the tables of the posterior.

Given slope, base and noise, the scores of one finetuning subset depend on the law through a single
number: the elbow of that subset. So the likelihood is tabulated over elbows once, and

* a random shift of the elbow per subset is a product of the table with a Gaussian kernel;
* a random shift per run has a closed form, since the hinge is straight on each side: with
  :math:`s \sim N(e, \omega^2)`, the base below, the ramp between and the cap above each contribute
  a Gaussian density times a normal probability;
* the likelihood of any law of the elbow is then a sum of table look-ups.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from upswing.laws.emergence.law import Array, EmergenceForm
from upswing.laws.emergence.rows import EmergenceRows, Indices, one_hot, regressors

_TINY = 1e-300
_PER_SD = 0.4


@dataclass(frozen=True, eq=False)
class Nuisance:
    """Candidates of everything but the law of the elbow; each shape (n_nodes,).

    Attributes
    ----------
    top
        Slope A [score per nat], or the cap.
    base
        Base of finetuned models, or, shape (n_nodes, n_amounts), one per amount of data.
    noise
        Standard deviation beyond that of the questions.
    ramp
        Nats from elbow to cap; ignored without a cap.
    run_sd
        Standard deviation of the elbow between runs [nats/token].
    """

    top: Array
    base: Array
    noise: Array
    ramp: Array
    run_sd: Array

    def __len__(self) -> int:
        return len(self.top)

    def with_bases(self, bases: Array) -> Nuisance:
        """Return the same candidates with one base per amount of data, shape (n_amounts,)."""
        return replace(self, base=np.broadcast_to(bases, (len(self), len(bases))))


class ElbowTables:
    """Log-likelihoods over a grid of elbows.

    Parameters
    ----------
    rows
        The data.
    form
        The variant of the law.
    fitted
        Scores by the most likely law, for the variance over questions, shape (n_rows,).
    grid
        Elbows, ascending [nats/token], shape (n_elbows,).
    base_sd
        Prior standard deviation of the base of prompted models around that of finetuned ones.
    """

    def __init__(
        self, rows: EmergenceRows, form: EmergenceForm, fitted: Array, grid: Array, base_sd: float
    ) -> None:
        self.grid = grid
        self._form = form
        self._tuned, self._prompted = rows.finetuned, rows.prompted
        variance = question_variance(rows, fitted)
        self._tuned_variance = variance[~rows.few_shot]
        self._prompted_variance = variance[rows.few_shot]
        self._base_sd = base_sd
        self._losses, model = np.unique(self._tuned.loss, return_inverse=True)
        self._model = model.ravel()
        self._splines: dict[int, tuple[Indices, Array]] = {}
        self._onto = one_hot(self._tuned.subset)
        first = self._onto.argmax(axis=0)
        self.level_of_subset = self._tuned.level[first]
        self.levels = len(rows.amounts)

    @property
    def has_prompted(self) -> bool:
        """Whether prompted models are among the data."""
        return len(self._prompted) > 0

    def subsets(self, nodes: Nuisance) -> Array:
        """Return log-likelihoods of the finetuned models, (n_subsets, n_elbows, n_nodes)."""
        per_level = np.broadcast_to(np.asarray(nodes.base).T, (self.levels, len(nodes)))
        bases = per_level[self.level_of_subset]
        out = np.empty((len(bases), len(self.grid), len(nodes)))
        sharp = np.flatnonzero(nodes.run_sd == 0.0)
        for ramp in np.unique(nodes.ramp[sharp]):
            some = sharp[nodes.ramp[sharp] == ramp]
            out[:, :, some] = self._sharp(nodes, bases[:, some], some, float(ramp))
        for i in np.flatnonzero(nodes.run_sd > 0.0):
            points, onto_grid = self._sparse(float(nodes.run_sd[i]))
            at_points = self._shifted(nodes, bases[:, i], int(i), self.grid[points]) @ self._onto
            out[:, :, i] = (onto_grid @ at_points).T
        return out

    def _sparse(self, run_sd: float) -> tuple[Indices, Array]:
        """Return elbows at which a shift per run must be integrated, and splines onto all others.

        The shift smooths the likelihood over its standard deviation.
        """
        from scipy.interpolate import CubicSpline

        scale = int(np.floor(np.log2(run_sd * _PER_SD)))
        if scale not in self._splines:
            cell = np.floor((self.grid - self.grid[0]) / 2.0**scale)
            points = np.union1d(np.unique(cell, return_index=True)[1], [len(self.grid) - 1])
            spline = CubicSpline(self.grid[points], np.eye(len(points)))
            self._splines[scale] = points, np.asarray(spline(self.grid))
        return self._splines[scale]

    def _sharp(self, nodes: Nuisance, bases: Array, some: Indices, ramp: float) -> Array:
        """Without shifts per run the exponent is quadratic in base and slope: five sums."""
        y = self._tuned.value
        beyond = self.grid[:, None] - self._tuned.loss
        p, q = regressors(beyond, np.array(ramp) if self._form.cap else None)
        pp, pq, qq = p * p, p * q, q * q
        out = np.empty((len(bases), len(self.grid), len(some)))
        for noise in np.unique(nodes.noise[some]):
            here = np.flatnonzero(nodes.noise[some] == noise)
            total = self._tuned_variance + noise**2
            onto = self._onto / total[:, None]
            quadratic = [(matrix @ onto).T[:, :, None] for matrix in (pp, pq, qq)]
            linear = [(matrix @ (onto * y[:, None])).T[:, :, None] for matrix in (p, q)]
            f, t = bases[:, None, here], nodes.top[some][here]
            squares = f * f * quadratic[0] + 2.0 * f * t * quadratic[1] + t * t * quadratic[2]
            squares -= 2.0 * f * linear[0] + 2.0 * t * linear[1]
            constant = (y * y) @ onto + np.log(2.0 * np.pi * total) @ self._onto
            out[:, :, here] = -0.5 * (squares + constant[:, None, None])
        return out

    def _shifted(self, nodes: Nuisance, bases: Array, i: int, elbows: Array) -> Array:
        """Return the log-likelihood of each row with a shift per run, (n_elbows, n_rows)."""
        from scipy.special import ndtr

        variance = self._tuned_variance + nodes.noise[i] ** 2
        run, base = nodes.run_sd[i], bases[self._tuned.subset]
        slope = (nodes.top[i] - base) / nodes.ramp[i] if self._form.cap else nodes.top[i]
        away = elbows[:, None] - self._tuned.loss
        # whether the run's elbow is before or beyond the model depends on the model alone
        apart = elbows[:, None] - self._losses
        miss = self._tuned.value - base
        flat = np.exp(-0.5 * miss**2 / variance) / np.sqrt(variance)
        total = variance + (slope * run) ** 2
        ramp = np.exp(-0.5 * (miss - slope * away) ** 2 / total) / np.sqrt(total)
        # where the run's elbow is, given its score, if it is on the ramp
        spread = run * np.sqrt(variance / total)
        mean = (away * variance + slope * run**2 * miss) / (total * spread)
        density = flat * ndtr(-apart / run)[:, self._model]
        if self._form.cap:
            length, over = nodes.ramp[i], self._tuned.value - nodes.top[i]
            full = np.exp(-0.5 * over**2 / variance) / np.sqrt(variance)
            density += ramp * (ndtr(length / spread - mean) - ndtr(-mean))
            density += full * ndtr((apart - length) / run)[:, self._model]
        else:
            density += ramp * ndtr(mean)
        return np.asarray(np.log(density + _TINY) - 0.5 * np.log(2.0 * np.pi))

    def prompted(self, nodes: Nuisance) -> Array:
        """Return log-likelihoods of the prompted models over E(D0), (n_elbows, n_nodes).

        Their base is integrated: it is normal around that of the finetuned models, or, where every
        amount of data has its own, around that of the smallest.
        """
        away = self.grid[:, None] - self._prompted.loss
        precision = 1.0 / self._base_sd**2
        out = np.empty((len(self.grid), len(nodes)))
        for i in range(len(nodes)):
            expected = np.atleast_1d(nodes.base[i])[0]
            total = self._prompted_variance + nodes.noise[i] ** 2
            p, q = regressors(away, np.asarray(nodes.ramp[i]) if self._form.cap else None)
            rest = self._prompted.value - nodes.top[i] * q
            square = (p * p / total).sum(axis=1) + precision
            linear = (p * rest / total).sum(axis=1) + expected * precision
            constant = np.log(2.0 * np.pi * total).sum() + np.log(square / precision)
            exponent = (rest**2 / total).sum(axis=1) + expected**2 * precision - linear**2 / square
            out[:, i] = -0.5 * (exponent + constant)
        return out


def question_variance(rows: EmergenceRows, fitted: Array) -> Array:
    """Return the binomial variance of each score around its fit; 0 where n is unknown."""
    n = np.where(np.isfinite(rows.questions), rows.questions, 0.0)
    # half an answer right and half a wrong one more, so that no score is without noise
    share = (np.clip(fitted, 0.0, 1.0) * n + 0.5) / (n + 1.0)
    return np.asarray(np.where(n > 0, share * (1.0 - share) / np.maximum(n, 1.0), 0.0))


def shift_kernel(grid: Array, sd: float) -> Array:
    r"""Return K with :math:`(K f)_i = \int f(s) N(s; e_i, sd^2) ds` for f linear between points.

    Outside the grid f is taken to be constant. Exact for any sd; the identity for 0.

    Examples
    --------
    >>> grid = np.linspace(0.0, 1.0, 101)
    >>> round(float((shift_kernel(grid, 0.05) @ grid)[50]), 6)  # the mean of a line is the line
    0.5
    """
    from scipy.special import ndtr

    if sd == 0.0:
        return np.eye(len(grid))
    t = (grid[:, None] - grid[None, :]) / sd
    over = sd * (t * ndtr(t) + np.exp(-0.5 * t * t) / np.sqrt(2.0 * np.pi))  # E max(s - e_j, 0)
    passed = (over[:, :-1] - over[:, 1:]) / np.diff(grid)  # E clip((s - e_j) / step, 0, 1)
    kernel = np.zeros_like(over)
    kernel[:, 0] = 1.0
    kernel[:, :-1] -= passed
    kernel[:, 1:] += passed
    return np.asarray(np.maximum(kernel, 0.0))  # rounding can leave -1e-17
