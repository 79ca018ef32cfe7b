"""Grids over anchors and exponent that are refined where the posterior is."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from upswing.laws.emergence.fit import EmergenceMle
from upswing.laws.emergence.law import Array
from upswing.laws.emergence.objective import Box
from upswing.laws.emergence.prior import exponent_scale

_ELBOWS = {3: 36, 4: 20}
_EXPONENTS = {3: 16, 4: 10}
_RAMPS = 10
_NEAR = 0.03
_DEPTH = 8
_KEPT = (1e-9, 1e-7, 1e-5, 1e-4)
_ENOUGH = 1200
_MOST = 60_000


@dataclass(frozen=True, eq=False)
class Cells:
    """Boxes in the space of the law's parameters.

    Attributes
    ----------
    centre, width
        Shape (n_cells, n_parameters): elbow at D_min, elbow at D_max, the exponent on the scale on
        which it is uniform, and, where it is gridded too, the logarithm of the ramp.
    """

    centre: Array
    width: Array

    def __len__(self) -> int:
        return len(self.centre)

    @property
    def log_volume(self) -> Array:
        """Logarithm of their volume, which is their prior mass, shape (n_cells,)."""
        return np.asarray(np.log(self.width).sum(axis=1))

    def kept(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Cells:
        """Return some of them."""
        return Cells(self.centre[chosen], self.width[chosen])

    def halved(self) -> Cells:
        """Return each one cut in half along every axis, without elbows that fall with D."""
        sides = np.array(list(itertools.product((-0.25, 0.25), repeat=self.centre.shape[1])))
        centre = (self.centre[:, None] + sides * self.width[:, None]).reshape(-1, sides.shape[1])
        width = np.repeat(self.width / 2.0, len(sides), axis=0)
        return Cells(centre, width).possible()

    def possible(self) -> Cells:
        """Return those whose elbow does not fall with the amount of data."""
        return self.kept(self.centre[:, 1] >= self.centre[:, 0])


def first_cells(mle: EmergenceMle, box: Box, ramp: bool = True) -> Cells:
    """Return cells that fill the box, small near the most likely anchors.

    Parameters
    ----------
    mle
        The most likely law.
    box
        Where anchors and ramp may lie.
    ramp
        Whether the ramp of a cap is one of the axes.
    """
    dimensions = 4 if mle.form.cap and ramp else 3
    count = _ELBOWS[dimensions]
    edges = [_dense(box.low[k], box.high[k], float(mle.theta[k]), count) for k in range(2)]
    edges.append(np.linspace(*exponent_scale(mle.form), _EXPONENTS[dimensions] + 1))
    if dimensions == 4:
        edges.append(np.linspace(np.log(box.low[3]), np.log(box.high[3]), _RAMPS + 1))
    centres = np.meshgrid(*(0.5 * (edge[1:] + edge[:-1]) for edge in edges), indexing="ij")
    widths = np.meshgrid(*(np.diff(edge) for edge in edges), indexing="ij")
    return Cells(
        np.stack([axis.ravel() for axis in centres], axis=1),
        np.stack([axis.ravel() for axis in widths], axis=1),
    ).possible()


def refined(
    cells: Cells, log_density: Callable[[Cells], Array], enough: int = _ENOUGH
) -> tuple[Cells, Array]:
    """Halve the cells that matter until many of them share the mass.

    Parameters
    ----------
    cells
        Cells that fill the space.
    log_density
        Log posterior density at the centres, up to a constant.
    enough
        Effective number of cells at which to stop.

    Returns
    -------
    Cells, Array
        The cells that are not negligible, and their log mass up to a constant.
    """
    log_mass = log_density(cells) + cells.log_volume
    for depth in range(_DEPTH):
        # Early cells are large: one with a low centre may hold a peak.
        keep = _heavy(log_mass, _KEPT[min(depth, len(_KEPT) - 1)])
        if _effective(log_mass) > enough or keep.sum() * 2 ** cells.centre.shape[1] > _MOST:
            break
        cells = cells.kept(keep).halved()
        log_mass = log_density(cells) + cells.log_volume
    keep = _heavy(log_mass, _KEPT[-1])
    return cells.kept(keep), log_mass[keep]


def _heavy(log_mass: Array, light: float) -> npt.NDArray[np.bool_]:
    """Tell which cells hold all mass but the share ``light``, lightest left out."""
    mass = np.exp(log_mass - log_mass.max())
    order = np.argsort(mass)
    keep = np.ones(len(mass), dtype=bool)
    keep[order[np.cumsum(mass[order]) < light * mass.sum()]] = False
    return keep


def _effective(log_mass: Array) -> float:
    mass = np.exp(log_mass - log_mass.max())
    return float(mass.sum() ** 2 / (mass**2).sum())


def _dense(low: float, high: float, near: float, count: int) -> Array:
    """Return cell edges from low to high that lie close together near one value."""
    near = float(np.clip(near, low, high))
    ends = np.arcsinh((np.array([low, high]) - near) / _NEAR)
    edges = near + _NEAR * np.sinh(np.linspace(ends[0], ends[1], count + 1))
    edges[0], edges[-1] = low, high
    return np.asarray(edges)
