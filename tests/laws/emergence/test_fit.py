"""The maximum of the likelihood: exact recovery, the global optimum, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laws.emergence.worlds import rows_of
from upswing.laws.emergence.evidence import emerging_amounts
from upswing.laws.emergence.fit import fit_emergence, improve
from upswing.laws.emergence.law import EmergenceForm
from upswing.laws.emergence.objective import Objective

FORMS = [
    EmergenceForm(),
    EmergenceForm(cap=True),
    EmergenceForm(floors=True),
    EmergenceForm(cap=True, floors=True),
    EmergenceForm("power law"),
]


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0, 3.0, 5.0])
def test_without_noise_the_elbow_is_recovered(alpha):
    found = fit_emergence(rows_of(alpha=alpha, noise=0.0))
    assert found.forecast == pytest.approx(1.95, abs=1e-5)
    assert found.curves.slope == pytest.approx(0.6, abs=1e-4)
    assert found.curves.base == pytest.approx(0.25, abs=1e-5)
    assert found.curves.elbows.alpha == pytest.approx(alpha, rel=1e-3)


def test_a_power_law_is_recovered():
    rows = rows_of(alpha=0.3, shape="power law", noise=0.0)
    found = fit_emergence(rows, EmergenceForm("power law"))
    assert found.forecast == pytest.approx(1.95, abs=1e-4)
    assert found.theta[2] == pytest.approx(0.3, abs=1e-3)


def test_a_cap_is_recovered_and_without_one_the_elbow_is_wrong():
    rows = rows_of(cap=0.35, noise=0.0)
    found = fit_emergence(rows, EmergenceForm(cap=True))
    assert found.forecast == pytest.approx(1.95, abs=1e-4)
    assert found.curves.cap == pytest.approx(0.35, abs=1e-5)
    assert found.curves.slope_at(256) == pytest.approx(0.6, abs=1e-3)
    assert fit_emergence(rows).forecast < 1.85  # the specification, section 11.10: bias -.17


def test_floors_are_recovered_and_without_them_the_elbow_is_wrong():
    rows = rows_of(floor_rise=0.2, noise=0.0)
    found = fit_emergence(rows, EmergenceForm(floors=True))
    assert found.forecast == pytest.approx(1.95, abs=1e-4)
    bases = [found.curves.bases[d] for d in (256.0, 8192.0)]
    assert bases == pytest.approx([0.25, 0.45], abs=1e-4)
    assert abs(fit_emergence(rows).forecast - 1.95) > 0.05


def test_prompted_models_have_a_base_of_their_own():
    rows = rows_of(gap=None, prompted="all", delta=-0.05, noise=0.0)
    found = fit_emergence(rows)
    assert found.forecast == pytest.approx(1.95, abs=1e-5)
    assert found.curves.few_shot_base == pytest.approx(0.2, abs=1e-5)


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_no_search_finds_less_than_differential_evolution(seed, form):
    from scipy.optimize import differential_evolution

    noisy = rows_of(seed, noise=0.02, cap=0.35 if form.cap else None, gap=0.06 * (seed == 2))
    objective = Objective(noisy, form)
    oracle = differential_evolution(
        lambda theta: objective.rss(objective.box.clip(theta.T)),
        list(zip(objective.box.low, objective.box.high, strict=True)),
        seed=1,
        tol=1e-12,
        popsize=20,
        vectorized=True,
        updating="deferred",
    )
    assert fit_emergence(noisy, form).rss <= oracle.fun + 1e-6


def test_the_fit_is_not_stuck_where_all_elbows_are_outside_the_data():
    """From below all losses no step leads out; the grid does not start there only."""
    rows = rows_of()
    objective = Objective(rows, EmergenceForm())
    dead = np.array([[1.5, 1.6, 2.0]])
    assert improve(objective, dead) == pytest.approx(dead)
    assert objective.rss(dead)[0] > 10 * fit_emergence(rows).rss


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_steps_never_go_uphill(seed):
    rng = np.random.default_rng(seed)
    objective = Objective(rows_of(1), EmergenceForm(cap=bool(seed % 2)))
    start = objective.box.clip(
        rng.uniform(objective.box.low, objective.box.high, (5, 3 + seed % 2))
    )
    assert np.all(objective.rss(improve(objective, start, steps=4)) <= objective.rss(start) + 1e-12)


def test_most_forecasts_from_before_emergence_are_within_a_tenth_of_a_nat():
    errors = [abs(fit_emergence(rows_of(seed)).forecast - 1.95) for seed in range(10)]
    assert np.mean(np.array(errors) <= 0.1) >= 0.8


def test_amounts_that_emerge_are_told_from_those_that_do_not():
    rows = rows_of(3, gap=0.12)
    evidence = emerging_amounts(rows, fit_emergence(rows))
    assert not evidence.emerges[0]
    assert evidence.emerges[-3:].all()
    assert not evidence.reason


def test_noise_does_not_emerge():
    refused = 0
    for seed in range(10):
        rows = rows_of(seed, slope=0.0)
        refused += bool(emerging_amounts(rows, fit_emergence(rows)).reason)
    assert refused >= 9


def test_one_amount_that_emerges_is_not_enough():
    rows = rows_of(amounts=(64, 128, 8192), noise=0.003)
    evidence = emerging_amounts(rows, fit_emergence(rows))
    assert list(evidence.emerges) == [True, True, True]
    few = rows.where((rows.amount == 8192) | (rows.loss > 2.15))
    evidence = emerging_amounts(few, fit_emergence(few))
    assert list(evidence.emerges) == [False, False, True]
    assert evidence.reason.startswith("only D = 8192 emerges")


def test_without_a_model_at_the_base_there_is_no_corner_to_see():
    rows = rows_of(highest=2.6, elbow=2.4, gap=None)
    evidence = emerging_amounts(rows, fit_emergence(rows))
    assert evidence.emerges.all()
    assert evidence.reason.endswith("add weaker models")


def test_criterion_prefers_a_cap_only_where_scores_saturate():
    plain, capped = EmergenceForm(), EmergenceForm(cap=True)
    saturated, free = rows_of(0, cap=0.35), rows_of(0)
    assert fit_emergence(saturated, capped).bic < fit_emergence(saturated, plain).bic - 20
    assert fit_emergence(free, capped).bic > fit_emergence(free, plain).bic - 6
