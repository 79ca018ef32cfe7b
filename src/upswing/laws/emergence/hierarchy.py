r"""Posterior of the emergence law when subsets of examples differ: grid quadrature.

A finetuning subset may be lucky. Its elbow is that of the law plus a shift,

.. math:: E_{D,j} = E(D) + s_{D,j}, \qquad s_{D,j} \sim N(0, \tau^2),

common to all models finetuned on it; where runs were repeated with other seeds, each run has a
shift of its own besides, with standard deviation :math:`\omega`. Scores vary around their curve by
the binomial variance of their questions plus a variance that is fitted. Intervals that take the
scores of one subset for independent are too narrow: six subsets are six pieces of evidence,
however many models were finetuned on each.

The shifts are integrated exactly (:mod:`upswing.laws.emergence.tables`). Slope, base and noise are
integrated on a lattice around their mode, tau on a fixed grid, and the anchors and the exponent on
cells that are refined where the posterior is. Nothing is sampled.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from upswing.laws.emergence.cells import Cells, first_cells, refined
from upswing.laws.emergence.fit import EmergenceMle
from upswing.laws.emergence.law import Array
from upswing.laws.emergence.mode import find_mode
from upswing.laws.emergence.objective import Objective
from upswing.laws.emergence.posterior import EmergencePosterior
from upswing.laws.emergence.prior import EmergencePrior, exponent
from upswing.laws.emergence.quadrature import SUBSET_SDS, Quadrature, has_repeats, log_sum
from upswing.laws.emergence.rows import EmergenceRows, Indices, Mask
from upswing.laws.emergence.tables import Nuisance

_POINTS, _POINTS_RUNS = (120, 320), (160, 200)
_SPACING = 1.4
_RADIUS = {2: 3.0, 3: 3.0, 4: 2.9, 5: 2.5}
_ADAPTED = 6
_FAR = 0.6
_STENCIL = 1.5
_FEW, _MANY = 100, 1000
_SAMPLE = 300
_NEGLIGIBLE = 8.0


@dataclass(frozen=True, eq=False)
class _Region:
    """Where slope, base and noise are likely: a centre, axes as columns, and shifts that matter."""

    centre: Array
    axes: Array
    sds: Indices

    def stencil(self, quadrature: Quadrature) -> Nuisance:
        """Return the centre, and then two points along each axis."""
        steps = _STENCIL * self.axes.T
        return quadrature.nodes(self.centre + np.concatenate([0.0 * steps[:1], steps, -steps]))

    def lattice(self) -> Array:
        """Return the points of a cubic lattice in a ball, in units of the axes."""
        dimensions = len(self.centre)
        axis = _SPACING * np.arange(-2, 3)
        points = np.array(list(itertools.product(axis, repeat=dimensions)))
        return np.asarray(points[(points**2).sum(axis=1) <= _RADIUS[dimensions] ** 2])


def hierarchical_posterior(
    rows: EmergenceRows, mle: EmergenceMle, prior: EmergencePrior | None = None
) -> EmergencePosterior:
    """Return the posterior of E(D0) with random shifts per subset and per run.

    Parameters
    ----------
    rows
        The data.
    mle
        The most likely law, from which the search starts.
    prior
        The priors.

    Returns
    -------
    EmergencePosterior
        With the posterior means of ``subset_sd``, ``run_sd``, ``noise`` and ``top`` (slope or cap).
    """
    prior = prior or EmergencePrior()
    # Shifts per run smooth the tables, and make them dear.
    few, many = _POINTS_RUNS if has_repeats(rows) else _POINTS
    coarse = Quadrature(rows, mle, prior, few)
    everywhere = first_cells(mle, Objective(rows, mle.form).box, ramp=False)
    region = _adapted(coarse, everywhere)
    fine = Quadrature(rows, mle, prior, many)
    cells, nodes, mass = _integrated(fine, everywhere, region, _MANY)
    by_pair = mass.sum(axis=0).reshape(len(region.sds), -1)
    by_sd, by_node = by_pair.sum(axis=1), by_pair.sum(axis=0)
    means = {
        "subset_sd": float(by_sd @ SUBSET_SDS[region.sds]),
        "run_sd": float(by_node @ nodes.run_sd),
        "noise": float(by_node @ nodes.noise),
        "top": float(by_node @ nodes.top),
    }
    theta = cells.centre[:, :3].copy()
    theta[:, 2] = exponent(theta[:, 2], mle.form)
    return EmergencePosterior(fine.elbows(cells)[:, -1], mass.sum(axis=1), theta, means)


def _adapted(coarse: Quadrature, everywhere: Cells) -> _Region:
    """Find where the nuisance parameters are likely, and turn the axes to their correlations."""
    centre, width = find_mode(coarse, everywhere)
    region = _Region(centre, np.diag(width), np.arange(len(SUBSET_SDS)))
    for _ in range(_ADAPTED):
        _, _, mass = _integrated(coarse, everywhere, region, _FEW)
        by_pair = mass.sum(axis=0).reshape(len(region.sds), -1)
        by_sd, by_node = by_pair.sum(axis=1), by_pair.sum(axis=0)
        lattice = region.lattice()
        mean = by_node @ lattice
        covariance = (lattice - mean).T @ (by_node[:, None] * (lattice - mean))
        # the ball cuts off tails, the more the more dimensions: compare to a normal in the ball
        normal = np.exp(-0.5 * (lattice**2).sum(axis=1))
        unit = float(normal @ lattice[:, 0] ** 2 / normal.sum())
        variance, turn = np.linalg.eigh(covariance / unit)
        # what fills the ball may be wider than the ball
        wide = variance > 0.5 * (1.0 + float(np.mean(lattice[:, 0] ** 2)) / unit)
        settled = bool(np.all(np.abs(mean) < _FAR) and not wide.any())
        scale = np.sqrt(np.clip(variance, 0.1, None) * np.where(wide, 1.5, 1.0))
        region = _Region(
            region.centre + region.axes @ mean,
            region.axes @ (turn * scale),
            region.sds[np.log(np.maximum(by_sd, 1e-300) / by_sd.max()) > -_NEGLIGIBLE],
        )
        if settled:
            break
    return region


def _integrated(
    quadrature: Quadrature, everywhere: Cells, region: _Region, enough: int
) -> tuple[Cells, Nuisance, Array]:
    """Return refined cells, nodes, and the mass of each cell and combination of shift and node."""
    stencil = region.stencil(quadrature)
    levels = quadrature.levels(stencil, region.sds)
    log_prior = quadrature.log_prior(stencil, region.sds)
    at_centre = slice(None, None, len(stencil))
    central = quadrature.combine(everywhere, levels[:, :, at_centre], log_prior[at_centre])
    central += everywhere.log_volume[:, None]
    heaviest = np.argsort(-central.max(axis=1))[:_SAMPLE]
    heavy = _heavy(quadrature, everywhere.kept(heaviest), levels, log_prior)
    levels, log_prior = levels[:, :, heavy], log_prior[heavy]
    cells, _ = refined(
        everywhere,
        lambda some: log_sum(quadrature.combine(some, levels, log_prior), axis=1),
        enough,
    )
    nodes = quadrature.nodes(region.centre + region.lattice() @ region.axes.T)
    levels = quadrature.levels(nodes, region.sds, cells)
    log_prior = quadrature.log_prior(nodes, region.sds)
    sample = cells.kept(np.arange(0, len(cells), max(1, len(cells) // _SAMPLE)))
    heavy = _heavy(quadrature, sample, levels, log_prior)
    log = quadrature.combine(cells, levels[:, :, heavy], log_prior[heavy])
    log += cells.log_volume[:, None]
    mass = np.zeros((len(cells), len(heavy)))
    mass[:, heavy] = np.exp(log - log.max())
    return cells, nodes, mass / mass.sum()


def _heavy(quadrature: Quadrature, cells: Cells, levels: Array, log_prior: Array) -> Mask:
    """Tell which combinations of shift and node have mass."""
    log = quadrature.combine(cells, levels, log_prior) + cells.log_volume[:, None]
    weight = log_sum(log, axis=0)
    return np.asarray(weight > weight.max() - _NEGLIGIBLE)
