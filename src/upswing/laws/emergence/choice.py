"""Which variant of the emergence law the scores call for: with a cap, with floors."""

from __future__ import annotations

from upswing.laws.emergence.fit import EmergenceMle, fit_emergence
from upswing.laws.emergence.floors import floors_gain
from upswing.laws.emergence.law import EmergenceForm, Shape
from upswing.laws.emergence.rows import EmergenceRows

EVIDENCE = 6.0
"""By how much a cap, or floors, must improve the Bayesian information criterion to be fitted."""


def most_likely_form(
    rows: EmergenceRows,
    shape: Shape = "log power law",
    cap: bool | None = None,
    floors: bool | None = None,
) -> EmergenceMle:
    """Fit the law, with a cap and floors where these are asked for or called for.

    Parameters
    ----------
    rows
        At least two amounts of finetuning data.
    shape
        Shape of the law.
    cap, floors
        Whether they are fitted; None to fit them where they improve the Bayesian information
        criterion by :data:`EVIDENCE`. Floors are judged by
        :func:`~upswing.laws.emergence.floors.floors_gain`, since in a fit of the law itself lucky
        subsets look like floors.
    """
    mle = _with_cap(rows, shape, cap, bool(floors))
    if floors is None and floors_gain(rows, mle.form.cap) > EVIDENCE:
        return _with_cap(rows, shape, cap, True)
    return mle


def _with_cap(rows: EmergenceRows, shape: Shape, cap: bool | None, floors: bool) -> EmergenceMle:
    if cap is not None:
        return fit_emergence(rows, EmergenceForm(shape, cap, floors))
    without, within = (fit_emergence(rows, EmergenceForm(shape, c, floors)) for c in (False, True))
    return within if within.bic < without.bic - EVIDENCE else without
