"""Grade and Brier score over questions that differ, against direct integrals and large samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit, ndtr

from upswing.metrics.registry import known_metric
from upswing.mirage.model.metrics import METRICS, lead, multiple_choice_grade, target_brier

P = np.array([1e-4, 0.1, 0.25, 0.5, 0.9, 0.999])
LOSS = -np.log(P)


def test_metrics_are_those_of_the_registry() -> None:
    for metric in METRICS:
        known = known_metric(metric.name)
        if metric.name == "token_probability":
            assert known is None
            continue
        assert known is not None
        assert (metric.shape, metric.higher_is_better) == (known.shape, known.higher_is_better)
        assert (metric.lowest, metric.highest) == (known.minimum, known.maximum)
        assert metric.proportion == known.proportion


@settings(max_examples=8, deadline=None)
@given(spread=st.floats(0.01, 20.0))
def test_two_options_agree_with_their_closed_forms(spread: float) -> None:
    np.testing.assert_allclose(
        multiple_choice_grade(LOSS, 2, spread), ndtr(logit(P) / spread), rtol=1e-8, atol=1e-300
    )
    z = np.linspace(-9, 9, 2001)
    weight = np.exp(-(z**2) / 2)
    direct = expit(-(logit(P)[:, None] + spread * z)) ** 2 @ (weight / weight.sum())
    np.testing.assert_allclose(target_brier(LOSS, 2, spread), direct, rtol=1e-9)


@pytest.mark.parametrize("options", [2, 3, 5, 10])
def test_a_guess_is_right_once_in_k(options: int) -> None:
    guess = np.log(np.array([float(options)]))
    for spread in (0.0, 0.3, 1.0, 5.0):
        np.testing.assert_allclose(multiple_choice_grade(guess, options, spread), 1 / options)


@pytest.mark.parametrize(("options", "spread"), [(3, 0.5), (4, 2.0), (10, 1.0)])
def test_many_options_agree_with_a_large_sample(options: int, spread: float) -> None:
    rng = np.random.default_rng(1)
    questions = 200_000
    noise = spread / np.sqrt(2) * rng.standard_normal((questions, options))
    grade, brier = (multiple_choice_grade, target_brier)
    for i, ahead in enumerate(lead(LOSS, options)):
        right = ahead + noise[:, 0]
        correct = right > noise[:, 1:].max(axis=1)
        wrong = expit(np.log(np.exp(noise[:, 1:]).sum(axis=1)) - right) ** 2
        for sample, form in ((correct.astype(float), grade), (wrong, brier)):
            expected = float(form(LOSS[i : i + 1], options, spread)[0])
            # the expected spread, since a sample without a single hit shows none
            error = max(sample.std(), np.sqrt(expected * (1 - expected)) * (form is grade))
            assert abs(sample.mean() - expected) < 4.5 * error / np.sqrt(questions) + 1e-6


@pytest.mark.parametrize("options", [2, 4])
def test_no_spread_is_the_limit_of_little_spread(options: int) -> None:
    for form in (multiple_choice_grade, target_brier):
        apart = np.abs(P - 1 / options) > 1e-9
        np.testing.assert_allclose(
            form(LOSS, options, 1e-3)[apart], form(LOSS, options, 0.0)[apart], atol=1e-5
        )


def test_a_brier_score_near_zero_keeps_its_digits() -> None:
    np.testing.assert_allclose(target_brier(np.array([1e-9]), 4, 1e-2), 1e-18, rtol=1e-3)
