"""What the questions at each scale could show, if a smooth curve were true.

Reference: Schaeffer et al. 2023, arXiv:2304.15004, section 2.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from upswing.errors import InputError
from upswing.mirage.questions_needed import (
    ALPHA,
    p_no_success,
    power_above_chance,
    questions_needed,
    smallest_value,
)


def resolution_table(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    n: npt.ArrayLike,
    smooth: npt.ArrayLike,
    chance: float = 0.0,
    base: float | None = None,
    alpha: float = ALPHA,
) -> pl.DataFrame:
    """Return per scale what its questions can show if a smooth curve were true.

    Parameters
    ----------
    x
        Scale, shape (n_scales,).
    y, smooth
        Observed scores and values of the smooth curve, from 0 (worst) to 1 (best).
    n
        Questions, one number or shape (n_scales,).
    chance
        Score of a model that knows nothing.
    base
        Flat part of the smooth curve, see :func:`questions_needed`.
    alpha
        Level of the one-sided test of chance.

    Returns
    -------
    polars.DataFrame
        ``x``, ``value``, ``n``, ``chance``, ``smallest_value``, ``smooth``, ``p_no_success`` and
        ``power`` under the smooth curve, and ``questions_needed`` (null where it is at chance).
    """
    scale, score, curve = (np.asarray(v, dtype=float) for v in (x, y, smooth))
    if not scale.shape == score.shape == curve.shape or scale.ndim != 1:
        raise InputError("x, y and smooth must be as long as each other")
    count = np.broadcast_to(np.asarray(n, dtype=float), scale.shape)
    return pl.DataFrame(
        {
            "x": scale,
            "value": score,
            "n": count,
            "chance": np.full(scale.shape, chance),
            "smallest_value": smallest_value(count),
            "smooth": curve,
            "p_no_success": p_no_success(curve, count),
            "power": power_above_chance(curve, count, chance, alpha),
            "questions_needed": pl.Series(questions_needed(curve, chance, base)).fill_nan(None),
        }
    ).cast({"questions_needed": pl.Int64})
