"""Item response models: recovery of known difficulties, and what must hold of every fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from upswing.difficulty.groups.item_response import ItemResponse, fit_item_response
from upswing.errors import InputError


class Drawn:
    """Answers of models to questions of known difficulty; ability has mean 0."""

    def __init__(self, models: int, questions: int, seed: int, spread: float = 0.0) -> None:
        rng = np.random.default_rng(seed)
        ability = rng.normal(0, 1.3, models)
        self.ability = ability - ability.mean()
        self.difficulty = rng.normal(0.4, 1.0, questions)
        self.slope = np.exp(rng.normal(0, spread, questions))
        margin = self.slope * (self.ability[:, None] - self.difficulty)
        self.p = 1 / (1 + np.exp(-margin))
        self.answers = (rng.random(self.p.shape) < self.p).astype(float)


@pytest.mark.parametrize(("models", "questions"), [(60, 1500), (20, 500)])
def test_recovery_with_one_parameter(models: int, questions: int) -> None:
    world = Drawn(models, questions, 0)
    fit = fit_item_response(world.answers)
    assert fit.converged
    assert (fit.discrimination == 1).all()
    error = fit.difficulty - world.difficulty
    assert abs(error.mean()) < 0.05
    assert np.sqrt(np.mean(error**2)) == pytest.approx(
        np.sqrt(np.mean(fit.difficulty_stderr**2)), rel=0.1
    )
    assert np.mean(np.abs(error) < 1.96 * fit.difficulty_stderr) == pytest.approx(0.95, abs=0.02)
    assert fit.ability == pytest.approx(world.ability, abs=5 * fit.ability_stderr.max())
    assert fit.ability.mean() == pytest.approx(0, abs=1e-9)


def test_recovery_with_two_parameters() -> None:
    world = Drawn(60, 1500, 1, spread=0.4)
    fit = fit_item_response(world.answers, 2)
    assert fit.converged
    unit = world.ability.std()
    assert fit.ability.std() == pytest.approx(1.0)
    error = fit.difficulty - world.difficulty / unit
    assert np.mean(np.abs(error) < 1.96 * fit.difficulty_stderr) == pytest.approx(0.95, abs=0.03)
    assert np.corrcoef(fit.difficulty, world.difficulty)[0, 1] > 0.9
    slopes = np.log(fit.discrimination), np.log(world.slope * unit)
    assert np.corrcoef(*slopes)[0, 1] > 0.6
    assert np.mean(slopes[0]) == pytest.approx(np.mean(slopes[1]), abs=0.1)


def test_order_of_difficulty_is_that_of_shares_with_one_parameter() -> None:
    world = Drawn(30, 200, 2)
    fit = fit_item_response(world.answers)
    share = world.answers.mean(axis=0)
    order = np.argsort(fit.difficulty)
    assert (np.diff(share[order]) <= 1e-12).all()


def test_it_is_a_maximum() -> None:
    """With the fitted deviations of the priors, no other optimiser does better."""
    world = Drawn(12, 15, 3)
    fit = fit_item_response(world.answers)
    mean = fit.difficulty.mean()
    variance = np.mean((fit.difficulty - mean) ** 2 + fit.difficulty_stderr**2)
    of_ability = np.mean(fit.ability**2 + fit.ability_stderr**2)

    def loss(parameters: np.ndarray) -> float:
        ability, difficulty = parameters[:12], parameters[12:]
        margin = ability[:, None] - difficulty
        logp = world.answers * margin - np.logaddexp(0, margin)
        priors = np.sum((difficulty - mean) ** 2) / variance + np.sum(ability**2) / of_ability
        return float(-logp.sum() + 0.5 * priors)

    start = np.concatenate([fit.ability, fit.difficulty])
    best = minimize(loss, start, method="BFGS")
    assert loss(start) - best.fun < 1e-3
    assert start == pytest.approx(best.x, abs=0.02)


@pytest.mark.parametrize("parameters", [1, 2])
def test_probabilities_and_gaps(parameters: int) -> None:
    world = Drawn(60, 300, 4, spread=0.3 * (parameters - 1))
    fit = fit_item_response(world.p, parameters)
    assert np.corrcoef(fit.difficulty, world.difficulty)[0, 1] > 0.97
    gaps = world.answers.copy()
    gaps[np.random.default_rng(0).random(gaps.shape) < 0.3] = np.nan
    some, every = (fit_item_response(a, parameters) for a in (gaps, world.answers))
    assert np.corrcoef(some.difficulty, every.difficulty)[0, 1] > 0.9
    assert some.difficulty_stderr.mean() > every.difficulty_stderr.mean()


def test_fitted_probabilities() -> None:
    world = Drawn(60, 400, 5)
    fit = fit_item_response(world.answers)
    assert fit.probability().shape == (60, 400)
    assert np.sqrt(np.mean((fit.probability() - world.p) ** 2)) < 0.06


@settings(max_examples=12, deadline=None)
@given(
    st.integers(2, 6).flatmap(
        lambda n: st.lists(
            st.lists(st.sampled_from([0.0, 1.0, 0.3]), min_size=n, max_size=n),
            min_size=2,
            max_size=6,
        )
    ),
    st.sampled_from([1, 2]),
)
def test_every_small_table_has_a_finite_fit(rows: list[list[float]], parameters: int) -> None:
    fit = fit_item_response(rows, parameters)
    assert isinstance(fit, ItemResponse)
    for values in (fit.difficulty, fit.difficulty_stderr, fit.discrimination, fit.ability):
        assert np.isfinite(values).all()
    assert (fit.discrimination > 0).all()


@pytest.mark.parametrize(
    ("answers", "parameters"),
    [
        ([[0, 1]], 1),
        ([[0, 2], [1, 0]], 1),
        ([[0, np.nan], [1, np.nan]], 1),
        ([0, 1], 1),
        ([[0, 1], [1, 0]], 3),
    ],
)
def test_refusals(answers: list[list[float]], parameters: int) -> None:
    with pytest.raises(InputError):
        fit_item_response(answers, parameters)
