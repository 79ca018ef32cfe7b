"""Polynomial, link, baseline: closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from upswing.difficulty.sandwich.baseline import fit_baseline, shifted_logit
from upswing.difficulty.sandwich.forecast_errors import (
    correlations,
    forecast_errors,
    trivial_forecasts,
)
from upswing.difficulty.sandwich.link import Link, fit_link
from upswing.difficulty.sandwich.polynomial import condition_number, fit_polynomial, possible_degree
from upswing.errors import InputError

X = np.linspace(-0.9, 2.9, 30)


def test_a_polynomial_is_found_again_by_column():
    true = np.array([[0.2, -1.0], [0.1, 0.5], [-0.3, 0.0], [0.05, 0.25]])
    fitted = fit_polynomial(X, np.vander(X, 4, increasing=True) @ true, 3)
    assert fitted.coefficients == pytest.approx(true, abs=1e-12)
    assert fitted.residual_sd == pytest.approx([0.0, 0.0], abs=1e-12)
    assert fitted(np.array([10.0])) == pytest.approx(np.array([[0.2 + 1 - 30 + 50, -1 + 5 + 250]]))


def test_least_squares_against_numpy_at_a_high_degree():
    y = np.sin(3 * X)
    expected = np.polyfit(X, y, 10)[::-1]
    fitted = fit_polynomial(X, y, 10)
    assert fitted.coefficients == pytest.approx(expected, rel=1e-8)
    residuals = y - np.polyval(expected[::-1], X)
    assert fitted.residual_sd == pytest.approx(np.std(residuals), rel=1e-6)
    assert fitted.r2 == pytest.approx(1 - residuals.var() / y.var(), rel=1e-6)


def test_too_few_models():
    with pytest.raises(InputError, match=r"degree 3 needs 4 models of different compute.* are 3"):
        fit_polynomial(np.array([0.0, 1.0, 1.0, 2.0]), np.zeros(4), 3)
    assert possible_degree(np.array([0.0, 1.0]), 5) == 1
    assert condition_number(np.array([-1.0, 1.0]), 1) == pytest.approx(1.0)


def test_link_there_and_back():
    link = fit_link(np.array([0.2, 0.3, 0.7]), np.array([-0.8, -0.7, -0.3]))
    assert (link.intercept, link.slope, link.r2) == pytest.approx((-1.0, 1.0, 1.0))
    accuracy = np.array([0.1, 0.9])
    assert link.accuracy(link.score(accuracy)) == pytest.approx(accuracy)
    assert Link(-1.0, 0.5, 1.0).accuracy(np.array([-0.5])).tolist() == [1.0]


@pytest.mark.parametrize("accuracy", [[0.25, 0.25, 0.25], [0.3]])
def test_no_link_where_accuracy_does_not_vary(accuracy):
    with pytest.raises(InputError, match="does not vary"):
        fit_link(np.array(accuracy), np.arange(float(len(accuracy))))


def test_baseline_is_a_line_through_logits():
    """With the epsilon in numerator and denominator, and chance models at -13.8."""
    assert shifted_logit(np.array([0.0]))[0] == pytest.approx(np.log(1e-6 / (1 + 1e-6)))
    assert shifted_logit(np.array([2.0]))[0] == pytest.approx(np.log((1 + 1e-6) / 1e-6))
    x = np.array([0.0, 1.0, 2.0])
    accuracy = 0.25 + np.array([0.2, 0.5, 0.8])
    logits = np.log((accuracy - 0.25 + 1e-6) / (1.25 - accuracy + 1e-6))
    slope, intercept = np.polyfit(x, logits, 1)
    fitted = fit_baseline(x, accuracy, 0.25)
    assert (fitted.slope, fitted.intercept) == pytest.approx((slope, intercept))
    assert fitted(np.array([50.0, -800.0])) == pytest.approx([1.25, 0.25])  # beyond what can be


def test_errors_and_trivial_forecasts():
    accuracy = np.array([0.2, 0.3, 0.5, 0.9])
    train = np.array([True, True, False, False])
    trivial = trivial_forecasts(accuracy, train, 0.25)
    assert {name: values[0] for name, values in trivial.items()} == pytest.approx(
        {"train_mean": 0.25, "last_model": 0.3, "chance": 0.25}
    )
    rows = forecast_errors(accuracy, trivial, ~train).rows()
    assert rows[0] == ("train_mean", pytest.approx((0.25**2 + 0.65**2) / 2), pytest.approx(0.45), 2)
    nothing = forecast_errors(accuracy, trivial, np.zeros(4, dtype=bool))
    assert nothing["mse"].to_list() == [None] * 3


def test_correlations():
    one, other = np.array([1.0, 2.0, 3.0, 3.0, 0.0]), np.array([1.0, 2.0, 2.0, 9.0, 4.0])
    assert correlations(one, other) == pytest.approx(
        {
            "pearson": stats.pearsonr(one, other).statistic,
            "spearman": stats.spearmanr(one, other).statistic,
            "kendall": stats.kendalltau(one, other).statistic,
        }
    )
    assert set(correlations(np.ones(3), np.arange(3.0)).values()) == {None}
