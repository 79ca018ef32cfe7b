"""What is taken for granted of an emergence law before the data are seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from upswing.laws.emergence.law import Array, EmergenceForm


@dataclass(frozen=True)
class EmergencePrior:
    r"""Priors of the posterior.

    The anchors are flat from :data:`~upswing.laws.emergence.objective.BELOW` under the lowest loss
    to :data:`~upswing.laws.emergence.objective.ABOVE` over the highest, with E(D_min) not above
    E(D_max). Slope (or cap) and bases are flat. The exponent is uniform in its square root between
    0.25 and 8. This prior matters: given the anchors the exponent alone decides how far the elbow
    still moves on the way to D0, and data tell little of it. In simulations a uniform exponent
    gave intervals that were too high where the truth was 0.5, and one uniform on a log scale
    intervals that were too low where it was 5.

    Attributes
    ----------
    subset_sd
        Scale of the half-normal prior on the standard deviation of the elbow between subsets of
        examples of one size [nats/token].
    run_sd
        The same between runs that differ in their seed only [nats/token].
    noise
        Scale of the half-Cauchy prior on the noise beyond that of the questions, as a share of the
        range of the scores.
    few_shot_base
        Standard deviation of :math:`\Delta` around 0, in the same unit.
    steepest
        Shortest way from the lowest to the highest score [nats/token], for intervals that take
        scores for independent.
    """

    subset_sd: float = 0.05
    run_sd: float = 0.1
    noise: float = 0.05
    few_shot_base: float = 0.1
    steepest: float = 0.05


def exponent_scale(form: EmergenceForm) -> tuple[float, float]:
    """Return the ends of the scale on which the exponent is uniform."""
    low, high = form.alphas
    return (low, high) if form.shape == "power law" else (float(low**0.5), float(high**0.5))


def exponent(place: Array, form: EmergenceForm) -> Array:
    """Return the exponent at places on that scale."""
    return place if form.shape == "power law" else np.asarray(place**2)
