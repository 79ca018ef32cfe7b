"""The true elbow and its own uncertainty."""

from __future__ import annotations

import numpy as np
import pytest

from upswing.laws.hinge_elbow import fit_hinge_elbow
from upswing.simulate.finetuning import LOSSES

LOSS = np.sort(np.array(LOSSES).ravel())


def few_shot(sd, seed, cap=np.inf):
    rise = np.minimum(0.25 + 0.6 * np.maximum(1.95 - LOSS, 0.0), cap)
    return rise + sd * np.random.default_rng(seed).standard_normal(len(LOSS))


@pytest.mark.parametrize("cap", [False, True])
def test_without_noise_the_elbow_is_exact(cap):
    found = fit_hinge_elbow(LOSS, few_shot(0.0, 0, cap=0.29 if cap else np.inf), cap)
    assert found is not None
    assert found.elbow == pytest.approx(1.95, abs=1e-3)
    assert found.slope == pytest.approx(0.6, abs=0.02)
    assert found.base == pytest.approx(0.25, abs=1e-4)
    assert found.cap == (pytest.approx(0.29, abs=1e-3) if cap else None)


def test_errors_are_those_of_the_specification():
    """Section 11.12: median .010 nats at a noise of .01, .025 at .02."""
    median = {}
    for sd in (0.01, 0.02):
        errors = [abs(fit_hinge_elbow(LOSS, few_shot(sd, seed)).elbow - 1.95) for seed in range(60)]
        median[sd] = np.median(errors)
    assert median == pytest.approx({0.01: 0.010, 0.02: 0.025}, rel=0.4)


def test_its_interval_holds_the_truth_about_as_often_as_it_says():
    inside = 0
    for seed in range(100):
        low, high = fit_hinge_elbow(LOSS, few_shot(0.01, seed)).quantile(np.array([0.05, 0.95]))
        inside += low <= 1.95 <= high
    assert 81 <= inside <= 97


def test_the_grid_finds_what_a_brute_force_search_finds():
    value = few_shot(0.02, 4)
    best = np.inf
    for elbow in np.linspace(LOSS.min(), LOSS.max(), 4001):
        x = np.column_stack([np.ones(len(LOSS)), np.maximum(elbow - LOSS, 0.0)])
        coefficients, *_ = np.linalg.lstsq(x, value, rcond=None)
        if coefficients[1] > 0:
            best = min(best, float(np.sum((value - x @ coefficients) ** 2)))
    found = fit_hinge_elbow(LOSS, value)
    assert found.sigma**2 * (len(LOSS) - 3) <= best + 1e-9


def test_nothing_rises_from_too_few_scores_or_a_fall():
    assert fit_hinge_elbow(LOSS[:4], few_shot(0.0, 0)[:4]) is None
    assert fit_hinge_elbow(LOSS, 0.3 + 0.1 * LOSS) is None
    assert fit_hinge_elbow(np.full(6, 2.0), np.arange(6.0)) is None
