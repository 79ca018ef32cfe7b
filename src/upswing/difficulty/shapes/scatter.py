"""How models scatter around a smooth curve, family by family."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from upswing.difficulty.shapes.two_lines import spline_basis

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

_LEAST, _MOST = 3, 6


def smoother(x: Array) -> Array:
    """Return the matrix that maps scores to their smooth curve, shape (n_models, n_models).

    The curve is a natural cubic spline with a third as many degrees of freedom as models, at least
    three and at most six, fitted by least squares.

    Parameters
    ----------
    x
        Ascending positions of the models.
    """
    basis = spline_basis(x, min(_MOST, max(_LEAST, len(x) // 3)))
    return np.asarray(basis @ np.linalg.pinv(basis))


def family_residuals(x: Array, y: Array, cluster: Whole) -> Array:
    r"""Return the residuals of each family around the smooth curve of all others.

    A family pulls the curve towards itself, so that its own residuals e are too small;
    :math:`(I - H_{gg})^{-1} e_g`, with the family's block of the smoother H, are those around the
    curve without it. They are the residuals of the cluster jackknife (CR3).

    Parameters
    ----------
    x, y, cluster
        Positions, scores and families of the models in the order of scale, shape (n_models,).
    """
    rest = np.eye(len(x)) - smoother(x)
    residual = rest @ y
    found = residual.copy()
    for member in np.unique(cluster):
        inside = np.flatnonzero(cluster == member)
        found[inside] = np.linalg.lstsq(rest[np.ix_(inside, inside)], residual[inside])[0]
    return found


def random_signs(cluster: Whole, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return -1 or 1 for each model, the same for a family, shape (*shape, n_models)."""
    sign = rng.choice([-1.0, 1.0], size=(*shape, int(cluster.max()) + 1))
    return np.asarray(sign[..., cluster])
