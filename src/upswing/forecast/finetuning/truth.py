"""Where prompted models truly left chance, as far as their scores tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from upswing.laws.emergence.evidence import STRONG, hinge_strength
from upswing.laws.emergence.rows import EmergenceRows
from upswing.laws.emergence.tables import question_variance
from upswing.laws.hinge_elbow import FEWEST, fit_hinge_elbow


@dataclass(frozen=True)
class ElbowTruth:
    """A true elbow.

    Attributes
    ----------
    elbow
        Pretraining loss at which prompted models leave chance [nats/token].
    q05, q95, sd
        Its own uncertainty [nats/token]; None where it was given.
    source
        ``given``, or ``prompted scores``.
    """

    elbow: float
    q05: float | None
    q95: float | None
    sd: float | None
    source: str


def elbow_truth(rows: EmergenceRows, cap: bool = False) -> ElbowTruth | None:
    """Return the elbow of the prompted models among ``rows``.

    Returns None where there are too few of them, or where they do not clearly rise.

    Parameters
    ----------
    rows
        The data, models beyond emergence included.
    cap
        Whether scores end at a cap.
    """
    prompted = rows.prompted
    if len(prompted) < FEWEST or len(np.unique(prompted.loss)) < FEWEST:
        return None
    line, hinge, freedom = hinge_strength(prompted.loss, prompted.value)
    known = float(question_variance(prompted, prompted.value).mean())
    noise = max(hinge / max(freedom, 1), known, 1e-12)
    found = fit_hinge_elbow(prompted.loss, prompted.value, cap)
    if found is None or (line - hinge) / noise <= STRONG:
        return None
    low, high = found.quantile(np.array([0.05, 0.95]))
    return ElbowTruth(found.elbow, float(low), float(high), found.sd, "prompted scores")


def still_random(rows: EmergenceRows, cap: bool = False) -> float:
    """Return the loss of the best checkpoint that is still random when prompted [nats/token].

    Where the prompted scores rise, it is the last checkpoint before their elbow. Where they do not,
    or there are none, every checkpoint is random: that is what a forecast is for.
    """
    inside = elbow_truth(rows, cap)
    if inside is None:
        return float(rows.loss.min())
    before = rows.loss[rows.loss > inside.elbow]
    return float(before.min() if len(before) else rows.loss.max())
