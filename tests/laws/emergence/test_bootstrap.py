"""The bootstrap against refits one by one."""

from __future__ import annotations

import numpy as np
import pytest

from laws.emergence.worlds import rows_of
from upswing.laws.emergence.bootstrap import UNITS, bootstrap_emergence
from upswing.laws.emergence.fit import fit_emergence
from upswing.laws.emergence.law import EmergenceForm
from upswing.laws.emergence.rows import EmergenceRows

ENDS = np.array([0.05, 0.95])


def refits(rows: EmergenceRows, form: EmergenceForm, unit: str, seed: int, count: int):
    """Refit resampled rows one after the other, drawn as the bootstrap draws them."""
    member = {
        "subset": rows.subset,
        "checkpoint": np.unique(rows.checkpoint, return_inverse=True)[1],
        "row": np.arange(len(rows)),
    }[unit]
    units = member.max() + 1
    draws = np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), size=count)
    found = []
    for weight in draws:
        times = np.where(member >= 0, weight[member], 1)
        resampled = rows.where(np.repeat(np.arange(len(rows)), times))
        anchors = rows.amounts[[0, -1]]
        whole = np.isin(anchors, resampled.amounts).all()
        found.append(fit_emergence(resampled, form).forecast if whole else np.nan)
    return np.array(found)


@pytest.mark.parametrize(("unit", "cap"), [*((unit, False) for unit in UNITS), ("subset", True)])
def test_resamples_are_what_refits_one_by_one_give(unit, cap):
    rows = rows_of(2, draws=2, subset_sd=0.01, cap=0.35 if cap else None)
    form = EmergenceForm(cap=cap)
    mle = fit_emergence(rows, form)
    found = bootstrap_emergence(rows, mle, np.random.default_rng(5), unit, 5).forecast
    slow = refits(rows, form, unit, 5, 5)
    error = np.abs(found - slow)[np.isfinite(slow)]
    assert len(error) >= 3
    # a resample in five may lie in a flat valley, where the last digits take more steps
    assert np.sort(error)[-2] < 0.003


def test_prompted_models_stay_when_subsets_are_drawn():
    rows = rows_of(2, draws=2, prompted="used")
    mle = fit_emergence(rows)
    found = bootstrap_emergence(rows, mle, np.random.default_rng(0), "subset", 50)
    assert len(found.forecast) >= 48
    assert found.quantile(0.05) < mle.forecast < found.quantile(0.95) + 1e-6


def test_subsets_show_what_rows_hide():
    rows = rows_of(3, draws=2, subset_sd=0.03)
    mle = fit_emergence(rows)
    width = {
        unit: np.ptp(
            bootstrap_emergence(rows, mle, np.random.default_rng(0), unit, 200).quantile(ENDS)
        )
        for unit in ("subset", "row")
    }
    assert width["subset"] > 1.5 * width["row"]


def test_the_same_seed_gives_the_same_forecasts():
    rows = rows_of()
    mle = fit_emergence(rows)
    first, second = (
        bootstrap_emergence(rows, mle, np.random.default_rng(7), resamples=20).forecast
        for _ in range(2)
    )
    assert np.array_equal(first, second)
    assert bootstrap_emergence(rows, mle, np.random.default_rng(7), resamples=20).cdf(9.0) == 1.0
