"""Which amounts of data emerge on the models at hand, and whether that is enough for a law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from upswing.laws.emergence.fit import EmergenceMle
from upswing.laws.emergence.law import Array
from upswing.laws.emergence.objective import ABOVE, without_rise
from upswing.laws.emergence.rows import EmergenceRows, Mask, block_sums, regressors, solve
from upswing.laws.emergence.tables import question_variance

STRONG = 16.0
"""How much less the squared residuals of a hinge must be than those of the base, in units of the
noise, for an amount of data to count as emerged: chi-squared of three parameters exceeds it once in
a thousand."""

FEWEST_AT_BASE = 2
"""Fewest different losses at which the smallest amount of data does nothing. With fewer the base
and the elbows cannot be told apart: a line has no corner."""

_ELBOWS = 120


@dataclass(frozen=True, eq=False)
class AmountEvidence:
    """What the scores say of each amount of data.

    Attributes
    ----------
    amounts
        Amounts of data [examples], ascending, shape (n_amounts,).
    strength
        By how much a hinge fits better than the base, in units of the noise.
    emerges
        Whether that is more than :data:`STRONG`.
    at_base
        Different losses that lie above the fitted elbow of the smallest amount.
    floors
        Whether every amount has a base of its own, so that only a rise with falling loss counts.
    """

    amounts: Array
    strength: Array
    emerges: Mask
    at_base: int
    floors: bool = False

    @property
    def reason(self) -> str:
        """Why no law can be fitted; empty where one can."""
        if self.at_base < FEWEST_AT_BASE:
            return (
                f"models of {self.at_base} different losses are still at the base after finetuning "
                f"on the smallest amount of data; {FEWEST_AT_BASE} are needed to see the base: "
                "add weaker models"
            )
        found = [f"{d:g}" for d in self.amounts[self.emerges]]
        if len(found) >= 2:
            return ""
        who = f"only D = {found[0]}" if found else "no amount of data"
        what = (
            "rises above what weak models learn from the examples alone,"
            if self.floors
            else "emerges"
        )
        return (
            f"{who} {what} on any model used; two are needed to see how the elbow moves with the "
            "data"
        )


def hinge_strength(
    loss: Array, value: Array, base: float | None = None
) -> tuple[float, float, int]:
    """Compare a hinge with a flat line.

    Parameters
    ----------
    loss, value
        One curve, shape (n,).
    base
        Height of the flat line; the mean of the scores if None.

    Returns
    -------
    float, float, int
        Squared residuals of the line and of the hinge, and the degrees of freedom of the latter.
    """
    onto = np.ones((len(loss), 1))
    flat = without_rise(value, onto)
    elbows = np.linspace(loss.min(), loss.max() + ABOVE, _ELBOWS)
    sums = block_sums(*regressors(elbows[:, None] - loss, None), value, onto)
    hinge = min(float(solve(sums, *flat, False).rss.min()), float(flat[0]))
    line = float(flat[0]) if base is None else float(np.sum((value - base) ** 2))
    return line, hinge, max(len(loss) - 3, 0)


def emerging_amounts(rows: EmergenceRows, mle: EmergenceMle | None) -> AmountEvidence:
    """Tell which amounts of data emerge on some model.

    Each amount gets a hinge of its own, so that a bad fit of the law cannot hide or feign a rise.

    Parameters
    ----------
    rows
        The data.
    mle
        The most likely law, for the common base; None where there are fewer than two amounts.
    """
    tuned = rows.finetuned
    base = None if mle is None or mle.form.floors else mle.curves.base
    found = [
        hinge_strength(tuned.loss[tuned.level == k], tuned.value[tuned.level == k], base)
        for k in range(len(rows.amounts))
    ]
    line, hinge, freedom = (np.array(part, dtype=float) for part in zip(*found, strict=True))
    noise = hinge.sum() / max(freedom.sum(), 1.0)
    fitted = tuned.value if mle is None else mle.fitted[~rows.few_shot]
    noise = max(noise, float(question_variance(tuned, fitted).mean()), 1e-12)
    strength = np.maximum(line - hinge, 0.0) / noise
    losses = np.unique(tuned.loss)
    at_base = losses if mle is None else losses[losses > mle.curves.elbows.lowest]
    floors = mle is not None and mle.form.floors
    return AmountEvidence(rows.amounts, strength, strength > STRONG, len(at_base), floors)
