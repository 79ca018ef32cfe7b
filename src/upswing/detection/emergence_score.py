"""The emergence score of Schaeffer et al. (BIG-bench's breakthroughness)."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Status = Literal["finite", "+inf", "-inf", "flat", "too_few"]


class EmergenceScore(NamedTuple):
    """Score, what kind of number it is, and whether ties decided its sign."""

    score: float
    status: Status
    tie_sign: bool


def emergence_score(values: npt.ArrayLike) -> float:
    r"""Return the emergence score of a curve.

    .. math::
        \operatorname{sign}(\arg\max_i y_i - \arg\min_i y_i)
        \frac{\max_i y_i - \min_i y_i}{\sqrt{\operatorname{median}_i (y_i - y_{i-1})^2}}

    A straight line over N scales scores N - 1. The score is blind to where the jump is, to the
    number of questions, and to everything about scale but its order.

    Parameters
    ----------
    values
        Scores :math:`y_i` in order of scale, shape (n_scales,). Ties take the first occurrence.

    Returns
    -------
    float
        NaN for fewer than two values; 0 for a constant curve; infinite where more than half of the
        steps are exactly 0.

    References
    ----------
    Schaeffer, Miranda, Koyejo 2023, arXiv:2304.15004, equation 1; Srivastava et al. 2022,
    arXiv:2206.04615, appendix B.

    Examples
    --------
    >>> emergence_score([0, 1, 2, 3])
    3.0
    >>> emergence_score([0.0, 0.0, 0.0, 0.5])
    inf
    """
    y = np.asarray(values, dtype=float)
    if y.ndim != 1:
        raise ValueError("emergence_score takes one curve; emergence_scores takes many")
    return float(emergence_scores(y[None, :])[0])


def emergence_scores(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the emergence score of each row; shape (n_curves, n_scales) -> (n_curves,)."""
    y = np.asarray(values, dtype=float)
    if y.shape[-1] < 2:
        return np.full(y.shape[:-1], np.nan)
    spread = y.max(axis=-1) - y.min(axis=-1)
    squares = np.sort(np.diff(y, axis=-1) ** 2, axis=-1)
    middle = squares.shape[-1] // 2, (squares.shape[-1] - 1) // 2
    step = np.sqrt(0.5 * (squares[..., middle[0]] + squares[..., middle[1]]))
    sign = np.where(y.argmax(axis=-1) > y.argmin(axis=-1), 1.0, -1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        score = sign * spread / step
    return np.where(spread == 0, 0.0, score)


def describe_emergence_score(
    values: npt.ArrayLike, higher_is_better: bool = True
) -> EmergenceScore:
    """Return the oriented score with its status, as tables show it.

    Parameters
    ----------
    values
        Scores in order of scale, shape (n_scales,).
    higher_is_better
        A metric for which lower is better is negated first, so that a positive score is always an
        improvement.

    Examples
    --------
    >>> describe_emergence_score([0.0, 0.0, 0.0, 0.5])
    EmergenceScore(score=inf, status='+inf', tie_sign=False)
    """
    y = np.asarray(values, dtype=float) * (1.0 if higher_is_better else -1.0)
    if len(y) < 3:
        return EmergenceScore(float("nan"), "too_few", False)
    score = emergence_score(y)
    if score == 0:
        return EmergenceScore(0.0, "flat", False)
    backwards = y[::-1]
    last_sign = 1.0 if backwards.argmax() < backwards.argmin() else -1.0
    tie_sign = bool(np.sign(score) != last_sign)
    if np.isinf(score):
        return EmergenceScore(score, "+inf" if score > 0 else "-inf", tie_sign)
    return EmergenceScore(score, "finite", tie_sign)
