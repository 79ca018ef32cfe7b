r"""Exact match under a power law of loss: :math:`p^L`, the smooth curve that looks emergent.

With loss per token :math:`(x/c)^{-a}` an answer of L tokens is right with probability
:math:`\exp(-L (x/c)^{-a})`; L and c only shift the curve along :math:`\ln x`, so it is written by
the point :math:`u_{50}` at which half of the rise is done:

.. math:: \mu(u) = B + (1 - B) \exp\!\left(-\ln 2 \; e^{-a (u - u_{50})}\right), \quad u = \ln x

Reference: Schaeffer et al. 2023, arXiv:2304.15004, section 2.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from upswing.laws.design import Array, Design
from upswing.laws.form import Form, grid_form

NAME = "power law p^L"

_MIDPOINTS = 40
_BASES = 5


def evaluate(u: Array, parameters: Array) -> Array:
    """Return the curve at ``u`` = ln x; parameters (..., 3) give (..., n_scales)."""
    base, exponent, midpoint = (parameters[..., k, None] for k in range(3))
    rate = np.exp(np.clip(-exponent * (u - midpoint), -60.0, 60.0))
    return np.asarray(base + (1.0 - base) * np.exp(-np.log(2.0) * rate))


def form(design: Design) -> Form:
    """Return the family with exponents up to the design's bound.

    Raises
    ------
    ValueError
        On the loss axis, on which p^L is no curve.
    """
    if design.power_slope is None:
        raise ValueError("p^L is no curve in loss")
    return smooth_form(NAME, design, design.power_slope, evaluate)


def smooth_form(
    name: str, design: Design, steepest: float, evaluate: Callable[[Array, Array], Array]
) -> Form:
    """Return a smooth family over base, slope and midpoint; far midpoints for gentle slopes."""
    u = design.points
    low, high = float(u[np.isfinite(u)].min()), float(u.max())
    rows = []
    gentlest = steepest * design.gentlest
    octaves = int(np.ceil(np.log2(steepest / gentlest)))
    for slope in np.geomspace(gentlest, steepest, 1 + octaves):
        reach = 4.0 / slope
        midpoints = np.linspace(low - reach, high + reach, _MIDPOINTS)
        rows.append(np.column_stack([np.full(_MIDPOINTS, slope), midpoints]))
    pairs = np.concatenate(rows)
    bases = design.bases(_BASES)
    parameters = np.column_stack([np.repeat(bases, len(pairs)), np.tile(pairs, (_BASES, 1))])
    farthest = 4.0 / gentlest
    bounds = (
        (float(bases[0]), float(bases[-1])),
        (gentlest, steepest),
        (low - farthest, high + farthest),
    )
    return grid_form(name, design, evaluate, bounds, parameters)
