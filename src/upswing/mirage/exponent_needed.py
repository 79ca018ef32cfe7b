r"""``exponent_needed``: how steep a power law of loss would have to be to make a jump.

Exact match of L tokens under a power law is :math:`A = p^L = \exp(-L (x/c)^{-a})`. L and c only
shift the curve along :math:`\ln x`, so two scales fix the exponent, whatever L and c are:

.. math:: a = -\frac{\ln(-\ln A_2) - \ln(-\ln A_1)}{\ln x_2 - \ln x_1}

A is accuracy above chance on a scale from 0 (chance) to 1 (the best score),
:math:`A = (y - \text{chance}) / (1 - \text{chance})`; with a chance level of 0 it is the accuracy.

A jump that needs a much larger exponent than the scales before it is not this law's doing. Losses
of language models fall with exponents below .5 per natural log of parameters or tokens.

Reference: Schaeffer et al. 2023, arXiv:2304.15004, section 2 (the law; the two-point estimate is
ours).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from upswing.detection.evidence import Evidence

Array = npt.NDArray[np.float64]
Status = Literal["finite", "+inf", "-inf", "undefined", "too_few", "loss_axis", "unknown"]

DRAWS = 4000


class Exponent(NamedTuple):
    """Exponent between two scales, positive where the score rises.

    Attributes
    ----------
    value
        Exponent per natural log of the axis; None unless the status is ``finite``.
    low, high
        Interval over questions; None where it is open on that side.
    x_from, x_to
        The two scales, in the axis's unit; None where there are none.
    status
        ``finite``; ``+inf`` and ``-inf`` where a score is at chance (or perfect), which a power law
        reaches only at infinity; ``undefined`` where both are; ``too_few`` without two scales;
        ``loss_axis`` where x is loss, of which the law is no function; ``unknown`` where chance,
        range or number of questions is not known.
    """

    value: float | None
    low: float | None
    high: float | None
    x_from: float | None
    x_to: float | None
    status: Status


class ExponentNeeded(NamedTuple):
    """Exponents across the jump and before it.

    Attributes
    ----------
    jump
        From the last scale before the onset to the onset; without an onset (or where it is the
        first scale) across the largest rise between neighbouring scales.
    before
        From the weakest scale to the last one before the jump.
    at_onset
        Whether the jump is the one at the onset.
    """

    jump: Exponent
    before: Exponent
    at_onset: bool


def exponent_needed_of(evidence: Evidence, draws: int = DRAWS, seed: int = 0) -> ExponentNeeded:
    """Return :func:`exponent_needed` of a curve that was examined.

    Clustered questions, and metrics that are no proportions, enter with the number of independent
    questions that has their standard error.
    """
    gain, curve = evidence.gain, evidence.curve
    if gain is None:
        return _nothing("unknown")
    return exponent_needed(
        curve.x,
        gain.y,
        gain.n,
        chance=gain.chance,
        axis=curve.axis,
        onset=evidence.onset,
        draws=draws,
        seed=seed,
    )


def exponent_needed(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    n: npt.ArrayLike,
    *,
    chance: float = 0.0,
    axis: str = "params",
    onset: int | None = None,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> ExponentNeeded:
    r"""Return the exponents that :math:`p^L` needs across a jump and before it.

    Intervals are quantiles over draws of each score from
    :math:`\mathrm{Beta}(ny + 1/2,\; n(1-y) + 1/2)`, Jeffreys' interval of a proportion: unlike a
    binomial bootstrap it gives a score of exactly 0 or 1 its uncertainty too. Where the score
    itself is at chance or perfect the exponent is infinite and that side of the interval stays
    open; a draw in which both scores are there counts against both sides.

    Parameters
    ----------
    x
        Scale, ascending, shape (n_scales,).
    y
        Scores from 0 (worst) to 1 (best), shape (n_scales,).
    n
        Questions behind each, one number or shape (n_scales,).
    chance
        Score of a model that knows nothing, below 1.
    axis
        ``params``, ``tokens``, ``flops`` or ``loss``.
    onset
        Index of the onset; None without one.
    level
        Probability of the interval.
    draws, seed
        Number and seed of the draws.

    Examples
    --------
    >>> x = np.array([1e8, 1e9, 2e9])
    >>> found = exponent_needed(x, np.exp(-3 * (x / 1e9) ** -0.4), 10_000, onset=2)
    >>> round(found.jump.value, 6), round(found.before.value, 6)
    (0.4, 0.4)
    """
    scale, score = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if axis == "loss":
        return _nothing("loss_axis")
    if len(scale) < 2:
        return _nothing("too_few")
    count = np.broadcast_to(np.asarray(n, dtype=float), score.shape)
    at_onset = onset is not None and onset > 0
    after = onset if onset is not None and onset > 0 else 1 + int(np.argmax(np.diff(score)))
    ends = np.array([0, after - 1, after])
    right = score[ends] * count[ends]
    rng = np.random.default_rng(seed)
    drawn = rng.beta(right + 0.5, count[ends] - right + 0.5, size=(draws, 3))
    positions = _log_loss(np.vstack([score[ends], drawn]), chance)
    before = _between(positions[:, 0], positions[:, 1], scale[0], scale[after - 1], level)
    jump = _between(positions[:, 1], positions[:, 2], scale[after - 1], scale[after], level)
    return ExponentNeeded(jump, before, at_onset)


def _log_loss(score: Array, chance: float) -> Array:
    """Return ln(-ln A): +inf at chance and below, -inf at the best score."""
    above = np.clip((score - chance) / (1.0 - chance), 0.0, 1.0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(-np.log(above)))


def _between(first: Array, second: Array, x_from: float, x_to: float, level: float) -> Exponent:
    """Return the exponent between two scales; the first row is as observed, the rest are draws."""
    if not 0 < x_from < x_to:
        return Exponent(None, None, None, None, None, "too_few")
    with np.errstate(invalid="ignore"):
        exponents = (first - second) / np.log(x_to / x_from)
    value, drawn = float(exponents[0]), exponents[1:]
    tail = (1.0 - level) / 2.0
    undefined = np.isnan(drawn)
    lowest, highest = (np.where(undefined, end, drawn) for end in (-np.inf, np.inf))
    low = float(np.quantile(lowest, tail, method="inverted_cdf"))
    high = float(np.quantile(highest, 1.0 - tail, method="inverted_cdf"))
    status: Status = "finite"
    if not np.isfinite(value):
        status = "undefined" if np.isnan(value) else "+inf" if value > 0 else "-inf"
    return Exponent(
        value if status == "finite" else None,
        low if np.isfinite(low) and status in ("finite", "+inf") else None,
        high if np.isfinite(high) and status in ("finite", "-inf") else None,
        float(x_from),
        float(x_to),
        status,
    )


def _nothing(status: Status) -> ExponentNeeded:
    empty = Exponent(None, None, None, None, None, status)
    return ExponentNeeded(empty, empty, False)
