r"""Whether every amount of finetuning data needs a base of its own.

A subset whose elbow is shifted looks, to least squares, like an amount of data with a floor: both
lift the scores of one amount. They differ where models are far above their elbow, which a shift
leaves at the base and a floor does not. So floors are judged with the law of the elbow set aside:
every subset has an elbow of its own, and what is compared is one base for all against one base per
amount.
"""

from __future__ import annotations

import numpy as np

from upswing.laws.emergence.law import Array, EmergenceForm
from upswing.laws.emergence.objective import ABOVE, Objective, without_rise
from upswing.laws.emergence.rows import (
    EmergenceRows,
    block_sums,
    one_hot,
    regressors,
    solve,
)

_ELBOWS = 160
_RAMPS = 8
_STEPS = 12
_ROUNDS = 2
_REACH = (0.25, 0.5, 1.0)
_LOW, _HIGH = 0.05, 0.95


def floors_gain(rows: EmergenceRows, cap: bool) -> float:
    """Return by how much floors improve the Bayesian information criterion, elbows being free.

    Parameters
    ----------
    rows
        At least two amounts of finetuning data.
    cap
        Whether scores end at a cap.
    """
    tuned = rows.finetuned
    n, levels = len(tuned), len(tuned.amounts)
    box = Objective(tuned, EmergenceForm(cap=True)).box
    ramps = np.geomspace(box.low[3], box.high[3], _RAMPS) if cap else np.array([np.inf])
    pairs = [_free_elbows(tuned, float(ramp)) for ramp in ramps]
    shared, own = (min(column) for column in zip(*pairs, strict=True))
    least = 1e-12 * float(np.sum((tuned.value - tuned.value.mean()) ** 2)) + 1e-300
    gain = n * np.log(max(shared, least) / max(own, least))
    return float(gain - (levels - 1) * np.log(n))


def _free_elbows(tuned: EmergenceRows, ramp: float) -> tuple[float, float]:
    """Return the residual sums of squares with one base and with one per amount.

    Both are searched from several slopes, and each from where the other ended.
    """
    low, high = np.quantile(tuned.value, [_LOW, _HIGH])
    if np.isinf(ramp):
        tops = [(high - low) / (reach * np.ptp(tuned.loss)) for reach in _REACH]
    else:
        tops = [high]
    one, own = _Turns(tuned, ramp, floors=False), _Turns(tuned, ramp, floors=True)
    levels = len(tuned.amounts)
    plain = _best([one.descended(np.array([low]), top) for top in tops])
    raised = _best([own.descended(np.full(levels, low), top) for top in tops])
    for _ in range(_ROUNDS):
        _, bases, top = raised
        back = [one.descended(np.array([base]), top) for base in (bases.min(), bases.mean())]
        plain = _best([plain, *back])
        # last, so that floors never fit worse than the one base that they hold as a special case
        raised = _best([raised, own.descended(np.repeat(plain[1], levels), plain[2])])
    return plain[0], raised[0]


def _best(found: list[tuple[float, Array, float]]) -> tuple[float, Array, float]:
    return min(found, key=lambda one: one[0])


class _Turns:
    """Least squares of bases, slope and one elbow per subset, by turns.

    Parameters
    ----------
    tuned
        Finetuned models.
    ramp
        Nats from elbow to cap; infinite without a cap.
    floors
        Whether every amount has a base of its own.
    """

    def __init__(self, tuned: EmergenceRows, ramp: float, floors: bool) -> None:
        self.value, self.subset = tuned.value, tuned.subset
        self.block = tuned.level if floors else np.zeros(len(tuned), dtype=np.int64)
        self.onto, self.of_subset = one_hot(self.block), one_hot(tuned.subset)
        self.capped = bool(np.isfinite(ramp))
        low, high = float(tuned.loss.min()), float(tuned.loss.max())
        elbows = np.linspace(low - 0.05 * (high - low), high + ABOVE, _ELBOWS)
        beyond = elbows[:, None] - tuned.loss
        self.base, self.rise = regressors(beyond, np.asarray(ramp) if self.capped else None)
        self.flat = without_rise(self.value, self.onto)

    def descended(self, bases: Array, top: float) -> tuple[float, Array, float]:
        """Return the residual sum, bases and slope (or cap) at which the turns end."""
        row, last = np.arange(len(self.value)), np.inf
        for _ in range(_STEPS):
            miss = self.value - bases[self.block] * self.base - top * self.rise
            elbow = (miss**2 @ self.of_subset).argmin(axis=0)[self.subset]
            base, rise = self.base[elbow, row], self.rise[elbow, row]
            sums = block_sums(base[None], rise[None], self.value, self.onto)
            found = solve(sums, *self.flat, self.capped)
            rss, bases, top = float(found.rss[0]), found.bases[0], float(found.top[0])
            if rss > last * (1.0 - 1e-6):
                break
            last = rss
        return min(rss, last), bases, top
