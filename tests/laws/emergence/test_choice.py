"""Caps and floors are fitted where the scores call for them, and lucky subsets do not."""

from __future__ import annotations

import numpy as np
import pytest

from laws.emergence.worlds import rows_of
from upswing.laws.emergence.choice import EVIDENCE, most_likely_form
from upswing.laws.emergence.fit import fit_emergence
from upswing.laws.emergence.floors import floors_gain
from upswing.laws.emergence.law import EmergenceForm
from upswing.laws.emergence.rows import EmergenceRows


def test_floors_are_found_and_mend_the_elbow():
    rows = rows_of(3, floor_rise=0.1, draws=2)
    found = most_likely_form(rows)
    assert found.form == EmergenceForm(floors=True)
    assert found.forecast == pytest.approx(1.95, abs=0.1)
    assert abs(most_likely_form(rows, floors=False).forecast - 1.95) > 0.15
    assert found.curves.bases[8192.0] - found.curves.bases[256.0] == pytest.approx(0.1, abs=0.03)


def test_floors_and_a_cap_are_found_together():
    found = most_likely_form(rows_of(1, floor_rise=0.1, draws=2, cap=0.4, noise=0.005))
    assert found.form == EmergenceForm(cap=True, floors=True)


@pytest.mark.parametrize(("cap", "worlds"), [(False, 8), (True, 4)])
def test_lucky_subsets_are_not_taken_for_floors(cap, worlds):
    """To a fit of the law they look the same; with free elbows they do not."""
    fooled, chosen = 0, 0
    for seed in range(worlds):
        rows = rows_of(seed, subset_sd=0.05, cap=0.4 if cap else None)
        plain, floors = (
            fit_emergence(rows, EmergenceForm(cap=cap, floors=own)) for own in (False, True)
        )
        fooled += floors.bic < plain.bic - EVIDENCE
        chosen += floors_gain(rows, cap) > EVIDENCE
    assert fooled >= worlds // 4
    assert chosen == 0


def test_what_is_asked_for_is_fitted():
    rows = rows_of(3, floor_rise=0.1)
    for cap in (False, True):
        for floors in (False, True):
            found = most_likely_form(rows, cap=cap, floors=floors)
            assert found.form == EmergenceForm(cap=cap, floors=floors)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("cap", [False, True])
def test_floors_never_fit_worse_than_one_base(seed, cap):
    """They hold it as a special case, so they lose at most what their parameters cost."""
    rows = rows_of(seed, subset_sd=0.05, draws=2)
    assert floors_gain(rows, cap) >= -5 * np.log(len(rows)) - 1e-6


def test_no_base_is_above_the_cap_and_a_base_that_no_model_shows_is_not_told():
    loss = np.tile(np.array([2.2, 2.1, 2.0, 1.9, 1.8]), 3)
    amount = np.repeat([64.0, 512.0, 4096.0], 5)
    rng = np.random.default_rng(0)
    elbow = np.repeat([2.0, 2.15, 3.0], 5)  # every model is beyond the ramp of the last amount
    value = 0.25 + 0.5 * np.clip((elbow - loss) / 0.2, 0.0, 1.0) + 0.01 * rng.standard_normal(15)
    rows = EmergenceRows(
        loss,
        amount,
        np.zeros(15, dtype=bool),
        np.zeros(15, dtype=np.int64),
        np.tile(np.arange(5), 3),
        value,
        np.full(15, np.nan),
    )
    curves = fit_emergence(rows, EmergenceForm(cap=True, floors=True)).curves
    assert curves.cap is not None
    assert set(curves.bases) <= {64.0, 512.0}
    assert all(base <= curves.cap + 1e-12 for base in curves.bases.values())
    assert curves.cap == pytest.approx(0.75, abs=0.02)
