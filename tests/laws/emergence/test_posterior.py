"""The posterior for independent scores against Markov chains."""

from __future__ import annotations

import numpy as np
import pytest

from laws.emergence.worlds import rows_of
from upswing.laws.emergence.fit import fit_emergence
from upswing.laws.emergence.identify import alpha_profile, correlations
from upswing.laws.emergence.law import EmergenceForm
from upswing.laws.emergence.objective import Objective
from upswing.laws.emergence.posterior import PERCENTILES, EmergencePosterior, independent_posterior

SHARES = np.array(PERCENTILES)


def chain(rows, mle, steps=1500, walkers=40):
    """Sample anchors, exponent, slope, base and noise; return forecasts."""
    emcee = pytest.importorskip("emcee")
    rng = np.random.default_rng(0)
    objective = Objective(rows, mle.form)
    steepest = np.ptp(rows.value) / 0.05

    def log_density(x):
        low, high, root, slope, base, log_sigma = x.T
        inside = (root >= 0.5) & (root <= np.sqrt(8.0)) & (low <= high)
        inside &= (low >= objective.box.low[0]) & (high <= objective.box.high[0])
        inside &= (slope > 0) & (slope < steepest)
        theta = np.column_stack([low, high, np.clip(root, 0.5, None) ** 2])
        p, q = objective.regressors(theta)
        squares = np.sum((rows.value - base[:, None] * p - slope[:, None] * q) ** 2, axis=1)
        value = -len(rows) * log_sigma - 0.5 * squares * np.exp(-2 * log_sigma)
        return np.where(inside, value, -np.inf)

    curves = mle.curves
    centre = [*mle.theta[:2], mle.theta[2] ** 0.5, curves.slope, curves.base, np.log(mle.sigma)]
    spread = np.array([0.005, 0.005, 0.05, 0.01, 0.001, 0.05])
    start = centre + spread * rng.standard_normal((walkers, 6))
    start[:, 2] = np.clip(start[:, 2], 0.51, 2.8)
    sampler = emcee.EnsembleSampler(walkers, 6, log_density, vectorize=True)
    sampler.random_state = np.random.RandomState(0).get_state()
    sampler.run_mcmc(start, steps)
    samples = sampler.get_chain(discard=steps // 3, flat=True)
    return objective.forecast(np.column_stack([samples[:, :2], samples[:, 2] ** 2]))


@pytest.mark.parametrize("gap", [0.0, 0.06])
def test_percentiles_are_those_of_a_chain(gap):
    rows = rows_of(3, gap=gap, draws=2)
    mle = fit_emergence(rows)
    ours = independent_posterior(rows, mle).quantile(SHARES)
    theirs = np.quantile(chain(rows, mle), SHARES)
    assert ours == pytest.approx(theirs, abs=0.08 * (theirs[-1] - theirs[0]))


def test_quantiles_and_probabilities_are_inverse():
    rows = rows_of()
    posterior = independent_posterior(rows, fit_emergence(rows))
    assert posterior.weight.sum() == pytest.approx(1.0)
    assert posterior.cdf(posterior.quantile(SHARES)) == pytest.approx(SHARES, abs=0.01)
    assert posterior.cdf(-9.0) == 0.0
    assert posterior.cdf(9.0) == pytest.approx(1.0)
    assert posterior.quantile(0.05) < posterior.mean < posterior.quantile(0.95)


def test_more_data_narrow_the_posterior_around_the_truth():
    widths = []
    for draws in (1, 8):
        rows = rows_of(2, draws=draws)
        low, high = independent_posterior(rows, fit_emergence(rows)).quantile(
            np.array([0.05, 0.95])
        )
        assert low < 1.95 < high
        widths.append(high - low)
    assert widths[1] < 0.5 * widths[0]


@pytest.mark.parametrize("form", [EmergenceForm(cap=True), EmergenceForm(floors=True)], ids=str)
def test_variants_hold_the_truth(form):
    rows = rows_of(1, cap=0.35 if form.cap else None, floor_rise=0.1 * form.floors)
    low, high = independent_posterior(rows, fit_emergence(rows, form)).quantile(
        np.array([0.05, 0.95])
    )
    assert low < 1.95 < high
    assert high - low < 0.5


def test_without_noise_the_posterior_is_at_the_truth():
    rows = rows_of(noise=0.0)
    posterior = independent_posterior(rows, fit_emergence(rows))
    assert posterior.quantile(SHARES) == pytest.approx(1.95, abs=0.02)


def test_published_parameters_are_hardly_told_apart():
    """The specification, section 11.6."""
    rows = rows_of(2)
    mle = fit_emergence(rows)
    found = correlations(rows, mle, independent_posterior(rows, mle))
    assert found["ln k, alpha"] < -0.99
    assert found["c, forecast"] > 0.9


def test_correlation_of_a_constant_is_zero():
    flat = EmergencePosterior(np.zeros(3), np.full(3, 1 / 3), np.zeros((3, 3)))
    assert flat.correlation(np.ones(3), np.arange(3.0)) == 0.0


def test_the_profile_of_the_exponent_has_its_minimum_at_the_fit():
    rows = rows_of(2)
    mle = fit_emergence(rows)
    profile = alpha_profile(rows, mle)
    best = profile.deviance.argmin()
    assert profile.alpha[best] == pytest.approx(mle.theta[2], rel=0.15)
    assert profile.deviance[best] == pytest.approx(0.0, abs=1e-6)
    assert profile.interval[0] < 2.0 < profile.interval[1]
    assert profile.bounded == (True, True)
    assert np.all(np.diff(profile.forecast) > -0.02)  # a larger exponent, a higher elbow


def test_far_from_the_elbow_the_exponent_is_open():
    rows = rows_of(2, gap=0.12)
    profile = alpha_profile(rows, fit_emergence(rows))
    assert not all(profile.bounded)
    assert profile.forecasts[1] - profile.forecasts[0] > 0.3
