r"""Continuous metrics on one scale: progress from nothing (0) to perfect (1).

A continuous metric says how far a model has come also where no answer is right yet. To be laid
beside exact match or a grade it is mapped to [0, 1]: a bounded metric by its range, and a metric of
loss by the probability per token (or byte) that it stands for, :math:`p = e^{-\ell}` with the loss
:math:`\ell` in nats. Perplexity is an exponential of a loss that falls smoothly, so it looks sharp
by itself; its reciprocal is that probability.

Reference: Schaeffer et al. 2023, arXiv:2304.15004, section 2; the mapping is our choice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from upswing.curves.curve import Curve
from upswing.metrics.registry import known_metric

Array = npt.NDArray[np.float64]
_Map = Callable[[Array], Array]


def _reciprocal(perplexity: Array) -> Array:
    """Return 1 / perplexity, which is at least 1 by definition."""
    return np.asarray(1.0 / np.maximum(perplexity, 1.0))


_PROBABILITY: dict[str, tuple[_Map, float]] = {
    "target_logprob_per_token": (np.exp, 1.0),
    "target_logprob_per_byte": (np.exp, 1.0),
    "log_target_probability_norm": (np.exp, 1.0),
    "cross_entropy": (lambda loss: np.exp(-loss), -1.0),
    "bits_per_byte": (lambda bits: np.exp2(-bits), -float(np.log(2.0))),
    "token_perplexity": (_reciprocal, 0.0),
    "byte_perplexity": (_reciprocal, 0.0),
    "perplexity": (_reciprocal, 0.0),
    "word_perplexity": (_reciprocal, 0.0),
}
"""From a metric of loss to a probability p, and the slope d ln p / d metric where it is constant
(0 for perplexities, whose slope is -p)."""

TELLING = (
    "character_edit_distance_norm",
    "token_edit_distance_norm",
    "target_probability",
    "tc_brier",
    "brier_score",
    "calibration_multiple_choice_brier_score",
    "absolute_confidence_brier",
    "target_logprob_per_token",
    "target_logprob_per_byte",
    "bits_per_byte",
    "log_target_probability_norm",
    "target_probability_norm",
    "cross_entropy",
    "probability_margin",
    "bleu",
    "chrf",
    "rougeL",
    "rouge1",
    "f1",
    "mc2",
    "token_perplexity",
    "byte_perplexity",
    "perplexity",
    "word_perplexity",
)
"""Continuous metrics in the order in which they decide: first those of the answers themselves that
are linear in the error per token, then the probability of the right option, then likelihoods, then
partial credit that is bent. Only the first that a curve has decides, so that nobody looks until
something fits."""


def is_continuous(metric: str) -> bool:
    """Tell whether a single answer gets partial credit under a metric.

    >>> is_continuous("brier_score"), is_continuous("exact_match"), is_continuous("mine")
    (True, False, False)
    """
    known = known_metric(metric)
    return known is not None and known.continuous


def is_likelihood(metric: str) -> bool:
    """Tell whether progress under a metric is the probability per token (or byte) of its loss."""
    return canonical(metric) in _PROBABILITY


def canonical(metric: str) -> str:
    """Return the name that Upswing uses for a metric; its own where it is not known."""
    known = known_metric(metric)
    return metric if known is None else known.name


def progress(curve: Curve) -> Curve | None:
    """Return a continuous curve mapped to [0, 1], higher is better; None where it has no scale.

    Parameters
    ----------
    curve
        A curve under any metric.

    Returns
    -------
    Curve or None
        The same points and labels. Standard errors follow by the delta method. The chance level is
        mapped too where it is known.

    Examples
    --------
    >>> curve = Curve([1e8, 1e9], [2.0, 1.0], metric="bits_per_byte", lowest=0, highest=None,
    ...               higher_is_better=False)
    >>> progress(curve).y.tolist()
    [0.25, 0.5]
    """
    name = canonical(curve.metric)
    error = np.asarray(curve.stderr)
    chance = curve.chance
    if name in _PROBABILITY:
        to_probability, slope = _PROBABILITY[name]
        y = to_probability(curve.y)
        stderr = error * y * (np.abs(slope) if slope else y)
        level = None if chance is None else float(to_probability(np.asarray(chance)))
    elif curve.lowest is not None and curve.highest is not None:
        width = curve.highest - curve.lowest
        worst = curve.lowest if curve.higher_is_better else curve.highest
        y = np.abs(curve.y - worst) / width
        stderr = error / width
        level = None if chance is None else abs(chance - worst) / width
    else:
        return None
    return replace(
        curve,
        y=np.clip(y, 0.0, 1.0),
        stderr=stderr,
        chance=level,
        lowest=0.0,
        highest=1.0,
        higher_is_better=True,
    )
