"""Where slope, base and noise of an emergence law are most likely, elbows and shifts integrated."""

from __future__ import annotations

import numpy as np

from upswing.laws.emergence.cells import Cells
from upswing.laws.emergence.law import Array
from upswing.laws.emergence.quadrature import Quadrature, log_sum
from upswing.laws.emergence.rows import Indices

_SEARCHED: Indices = np.array([1, 4, 7])
_SWEEPS = 8
_GAIN = 0.5
_OFFSETS = np.arange(-3, 4)
_KEPT = 20.0
_WIDER = 1.2
_IMPOSSIBLE = 1e6


def find_mode(search: Quadrature, cells: Cells) -> tuple[Array, Array]:
    """Return the mode of the nuisance coordinates, and how wide the posterior is around it.

    Parameters
    ----------
    search
        The posterior, with coarse tables.
    cells
        Cells that fill the space of anchors and exponent.
    """
    found = [_climb(search, cells, start) for start in search.starts()]
    psi, step, _ = max(found, key=lambda one: one[2])
    return psi, _WIDER * step


def _climb(search: Quadrature, cells: Cells, start: Array) -> tuple[Array, Array, float]:
    """Move one coordinate after the other; return the place, its widths and its log mass.

    Each goes to the vertex of the parabola through the best of seven values and its neighbours.
    """
    psi, step = start.copy(), search.first_steps()
    at_start = _log_mass(search, cells, psi[None])[:, 0]
    cells = cells.kept(at_start > at_start.max() - _KEPT)
    peak = -np.inf
    for _ in range(_SWEEPS):
        before = peak
        for k in range(len(psi)):
            trial = np.tile(psi, (len(_OFFSETS), 1))
            trial[:, k] += _OFFSETS * step[k]
            value = log_sum(_log_mass(search, cells, trial), axis=0)
            best = int(value.argmax())
            peak = float(value[best])
            value = np.maximum(value, peak - _IMPOSSIBLE)  # a cap below the base has no mass
            inner = int(np.clip(best, 1, len(_OFFSETS) - 2))
            left, middle, right = value[inner - 1 : inner + 2]
            bend = 2.0 * middle - left - right
            if best != inner or not bend > 1e-9:
                psi[k] += _OFFSETS[best] * step[k]
                step[k] *= 1.0 if bend > 1e-9 else 2.0
                continue
            psi[k] += (_OFFSETS[inner] + 0.5 * (right - left) / bend) * step[k]
            step[k] *= float(np.clip(1.0 / np.sqrt(bend), 0.3, 2.0))
        if peak < before + _GAIN:
            break
    return psi, step, peak


def _log_mass(search: Quadrature, cells: Cells, psi: Array) -> Array:
    """Return the log mass of cells and coordinates, (n_cells, n_coordinates), shifts summed."""
    nodes = search.nodes(psi)
    levels = search.levels(nodes, _SEARCHED)
    log = search.combine(cells, levels, search.log_prior(nodes, _SEARCHED))
    log = log.reshape(len(cells), len(_SEARCHED), len(psi)) + cells.log_volume[:, None, None]
    return log_sum(log, axis=1)
