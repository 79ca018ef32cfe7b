"""Two lines, constrained likelihood ratio, arms, and the words that follow."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression

from upswing.difficulty.shapes.arms import SIGNS, arm_lines, arms
from upswing.difficulty.shapes.curve_shape import curve_shape
from upswing.difficulty.shapes.shape_likelihood import (
    constrained_fit,
    likelihood_ratio_p,
    prefix_rss,
)
from upswing.difficulty.shapes.shape_tests import shape_test
from upswing.difficulty.shapes.two_lines import clusters, fit_line, spline_basis, two_lines
from upswing.errors import InputError
from upswing.simulate import World, flat_world, simulate_curve, step_world, u_shaped_world

X = np.linspace(20.0, 24.0, 48)
FAMILY = np.arange(48) % 12
SHAPES = {
    "rising": 0.1 * (X - 20),
    "falling": -0.1 * (X - 20),
    "u-shaped": 0.1 * np.abs(X - 22),
    "inverted-u": -0.1 * np.abs(X - 22),
    "u-then-rise": 0.1 * np.abs(X - 21.5),
    "inverted-u-then-rise": 0.2 * np.sin(1.5 * np.pi * (X - 20) / 2.4),
}

columns = st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=9).map(np.array)


def noise(seed: int, sd: float = 0.02) -> np.ndarray:
    """Deviations of families and of models."""
    rng = np.random.default_rng(seed)
    return sd * (rng.standard_normal(12)[FAMILY] + rng.standard_normal(len(X))) / np.sqrt(2)


# --- lines


def test_a_line_and_its_cluster_jackknife() -> None:
    y = 0.3 * X + noise(0)
    line = fit_line(X, y, FAMILY)
    slope, level = np.polyfit(X, y, 1)
    assert line.slope == pytest.approx(slope)
    assert line.first == pytest.approx(level + slope * X[0])
    assert line.last == pytest.approx(level + slope * X[-1])
    others = [np.flatnonzero(~np.isin(FAMILY, g)) for g in range(12)]
    without = np.array([np.polyfit(X[kept], y[kept], 1) for kept in others])
    assert line.stderr == pytest.approx(
        np.sqrt(11 / 12 * np.sum((without[:, 0] - slope) ** 2)), rel=1e-9
    )
    ends = without @ np.array([X[0], 1.0])
    assert line.first_stderr == pytest.approx(
        np.sqrt(11 / 12 * np.sum((ends - line.first) ** 2)), rel=1e-9
    )
    assert line.degrees == 11


def test_a_line_through_one_family_proves_nothing() -> None:
    line = fit_line(X[:4], X[:4], np.zeros(4, dtype=int))
    assert line.p_value(1) == 1.0
    assert line.slope == pytest.approx(1.0)


def test_families_are_numbered_and_one_family_is_no_cluster() -> None:
    assert clusters(["b", "a", "b"], 3).tolist() == [1, 0, 1]
    assert clusters(["a", "a", "a"], 3).tolist() == [0, 1, 2]
    assert clusters(None, 2).tolist() == [0, 1]


def test_a_natural_spline_is_straight_outside_its_knots() -> None:
    x = np.linspace(0, 1, 101)
    basis = spline_basis(x, 4)
    assert basis.shape == (101, 4)
    assert np.linalg.matrix_rank(basis) == 4
    ends = np.diff(basis, 2, axis=0)[[0, -1]]
    assert np.abs(ends[:, 2:]).max() < 0.05 * np.abs(np.diff(basis, 2, axis=0)[:, 2:]).max()


def test_the_turn_of_two_lines_is_near_the_true_one() -> None:
    test = two_lines(X, np.abs(X - 21.5) + noise(1), FAMILY, 1)
    assert test.p_value < 1e-4
    assert abs(X[test.turn] - 21.5) < 0.4
    assert two_lines(X, np.abs(X - 21.5) + noise(1), FAMILY, -1).p_value > 0.5


def test_two_lines_reject_a_bend_without_a_turn() -> None:
    """A quadratic term is significant here; there is no fall."""
    y = np.sqrt(X - 19.9) + noise(2)
    assert np.polyfit(X, y, 2)[0] < 0
    assert two_lines(X, y, FAMILY, -1).p_value > 0.2


# --- constrained curves


@settings(max_examples=60, deadline=None)
@given(columns)
def test_growing_parts_are_pooled_as_by_scipy(y: np.ndarray) -> None:
    found = prefix_rss(y[None, :])[0]
    for t in range(len(y)):
        fitted = isotonic_regression(y[: t + 1]).x
        assert found[t] == pytest.approx(np.sum((y[: t + 1] - fitted) ** 2), abs=1e-9)
    starts = np.arange(len(y))
    later = prefix_rss(np.tile(y, (len(y), 1)), starts)
    for start in starts:
        assert later[start, :start].tolist() == [0.0] * start
        fitted = isotonic_regression(y[start:]).x
        assert later[start, -1] == pytest.approx(np.sum((y[start:] - fitted) ** 2), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(columns, st.sampled_from(["rising", "u-shaped", "inverted-u", "inverted-u-then-rise"]))
def test_the_constrained_curve_is_the_best_of_all(y: np.ndarray, shape: str) -> None:
    signs = SIGNS[shape]
    least = np.inf
    for inner in combinations(sorted(list(range(len(y) + 1)) * len(signs)), len(signs) - 1):
        edges = (0, *inner, len(y))
        parts = [
            isotonic_regression(y[i:j], increasing=sign > 0).x
            for i, j, sign in zip(edges[:-1], edges[1:], signs, strict=True)
            if j > i
        ]
        least = min(least, float(np.sum((y - np.concatenate(parts)) ** 2)))
    fitted = constrained_fit(y, shape)
    assert np.sum((y - fitted) ** 2) == pytest.approx(least, abs=1e-9)


def test_likelihood_ratio() -> None:
    rng = np.random.default_rng(0)

    def p(y: np.ndarray, shape: str, draws: int = 199) -> float:
        return likelihood_ratio_p(X, y, FAMILY, shape, rng, draws)

    assert p(SHAPES["rising"], "u-shaped") == 1.0
    assert p(SHAPES["u-shaped"], "u-shaped") == 1 / 200
    assert p(SHAPES["rising"] + noise(3), "u-shaped") > 0.05
    assert p(SHAPES["inverted-u-then-rise"] + noise(4), "inverted-u-then-rise", 99) == 0.01
    assert p(SHAPES["u-shaped"] + noise(5), "inverted-u-then-rise", 99) > 0.05


# --- arms


def test_arms_of_a_polygon() -> None:
    y = np.interp(X, [20, 21, 23, 24], [0.0, 1.0, 0.2, 0.7])
    found = arms(arm_lines(X), y[None, :], "inverted-u-then-rise")
    assert found is not None
    assert found.sizes[0] == pytest.approx([1.0, 0.75, 0.5], abs=0.07)
    assert X[found.turns[0]] == pytest.approx([21, 23], abs=0.2)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_the_arms_are_as_large_as_they_can_be(seed: int) -> None:
    y = np.random.default_rng(seed).standard_normal(10)
    x = np.arange(10.0)
    found = arms(arm_lines(x), y[None, :], "u-then-rise")
    assert found is not None

    def change(i: int, j: int) -> float:
        return float(np.polyfit(x[i:j], y[i:j], 1)[0] * (j - 1 - i))

    every = {k: (-change(0, k), change(k, 10)) for k in range(3, 8)}
    best = max(every, key=lambda k: sum(every[k]))
    assert found.turns[0].tolist() == [best]
    assert found.sizes[0, :2] == pytest.approx(every[best])
    ends = [np.poly1d(np.polyfit(x[part], y[part], 1)) for part in (slice(best), slice(best, 10))]
    assert found.sizes[0, 2] == pytest.approx(ends[1](9.0) - ends[0](0.0))


def test_too_few_models_have_no_arms() -> None:
    assert arms(arm_lines(np.arange(5.0)), np.zeros((1, 5)), "u-shaped") is None
    assert arms(arm_lines(np.zeros(9)), np.zeros((1, 9)), "rising") is None


# --- words


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_found(shape: str) -> None:
    test = shape_test(X, SHAPES[shape] + noise(6), FAMILY)
    assert test.shape == shape
    assert test.p_value == test.p_values[shape] <= 0.05
    assert len(test.lines) == len(test.turns) + 1 == len(SIGNS[shape])


def test_noise_is_flat_and_p_values_are_doubled() -> None:
    test = shape_test(X, noise(11), FAMILY)
    assert test.shape == "flat"
    assert test.p_value > 0.05
    u = shape_test(X, SHAPES["u-shaped"] + noise(6), FAMILY)
    assert u.p_likelihood is not None
    assert u.p_two_lines is not None
    assert u.p_value == pytest.approx(2 * max(u.p_likelihood, u.p_two_lines))


def test_order_of_models_and_names_of_families_do_not_count() -> None:
    y = SHAPES["u-then-rise"] + noise(8)
    shuffle = np.random.default_rng(0).permutation(len(X))
    names = np.array([f"family {11 - g}" for g in FAMILY])
    one, other = shape_test(X, y, FAMILY), shape_test(X[shuffle], y[shuffle], names[shuffle])
    assert (one.shape, one.turns) == (other.shape, other.turns)
    assert one.p_two_lines == pytest.approx(other.p_two_lines)


def test_upside_down() -> None:
    y = SHAPES["u-shaped"] + noise(9)
    assert shape_test(X, -y, FAMILY).shape == "inverted-u"
    assert shape_test(X, -y, FAMILY).p_two_lines == pytest.approx(
        shape_test(X, y, FAMILY).p_two_lines
    )


def test_a_u_that_one_family_makes_is_none() -> None:
    """Models of one family are no independent points, however clear the fall."""
    family = np.where(X < 22, 0, FAMILY + 1)
    y = SHAPES["u-shaped"] + noise(10)
    assert shape_test(X, y, FAMILY).shape == "u-shaped"
    assert "u" not in shape_test(X, y, family).shape.split("-")


def test_size_on_curves_without_a_turn() -> None:
    rng = np.random.default_rng(0)
    called = 0
    for trial in range(80):
        hinge = 0.3 * np.maximum(X - 22.5, 0)
        y = hinge + 0.03 * (rng.standard_normal(12)[FAMILY] + rng.standard_normal(len(X)))
        called += len(shape_test(X, y, FAMILY, draws=99, seed=trial).turns) > 0
    assert called <= 9  # 4 are expected at most; P(more than 9) is .007


@pytest.mark.parametrize(("x", "y"), [([1, 2], [1, 2, 3]), ([1, np.nan], [1, 2]), ([], [])])
def test_bad_curves(x: list[float], y: list[float]) -> None:
    with pytest.raises(InputError):
        shape_test(x, y)


def test_very_few_models_are_flat() -> None:
    assert shape_test([1.0, 2.0, 3.0], [0.1, 0.0, 0.3]).shape == "flat"


# --- single curves


@pytest.mark.parametrize(("sign", "word"), [(1, "u-shaped"), (-1, "inverted-u")])
def test_a_clear_turn_of_a_single_curve(sign: int, word: str) -> None:
    x = np.arange(9.0)
    y = 0.5 + sign * 0.015 * (x - 4) ** 2
    found = curve_shape(x, y, np.full(9, 0.01))
    assert (found.shape, found.turn) == (word, 4.0)
    assert found.p_value < 0.01
    assert curve_shape(x, y, np.full(9, 0.4)).shape == "no turn"


def test_a_single_curve_needs_five_scales() -> None:
    assert curve_shape([1, 2, 3, 4], [0.9, 0.1, 0.1, 0.9]) == ("no turn", 1.0, None, 0.0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.5, 20), st.floats(-50, 50))
def test_scale_and_order_of_x_do_not_count(seed: int, unit: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    y, error = rng.uniform(0.1, 0.9, 8), rng.uniform(0.01, 0.1, 8)
    x = np.arange(8.0)
    order = rng.permutation(8)
    one = curve_shape(x, y, error)
    other = curve_shape((unit * x + shift)[order], y[order], error[order])
    assert (one.shape, one.p_value) == (other.shape, other.p_value)
    mirrored = curve_shape(x, 1 - y, error)
    assert mirrored.p_value == pytest.approx(one.p_value, abs=1e-12)


def test_between_model_noise_is_seen() -> None:
    """The same curve with more scatter than its questions explain is no U."""
    x = np.arange(10.0)
    y = 0.4 + 0.006 * (x - 5) ** 2
    rough = y + 0.08 * np.array([1, -1] * 5)
    error = np.full(10, 0.005)
    assert curve_shape(x, y, error).shape == "u-shaped"
    assert curve_shape(x, rough, error).shape == "no turn"
    assert curve_shape(x, rough, error).tau > curve_shape(x, y, error).tau


def test_errors_of_single_curves() -> None:
    with pytest.raises(InputError, match="two scales are equal"):
        curve_shape([1, 1, 2, 3, 4], [0.1] * 5)
    with pytest.raises(InputError, match="stderr"):
        curve_shape([1, 2, 3, 4, 5], [0.1] * 5, [0.1] * 4)
    assert curve_shape(np.arange(6), np.full(6, 0.3), np.full(6, np.nan)).shape == "no turn"


@pytest.mark.parametrize("scales", [6, 12])
def test_size_and_power_on_single_curves(scales: int) -> None:
    hinge = World("smooth", lambda x: 0.25 + 0.4 * np.maximum(np.log10(x) - 10, 0.0), 0.25)
    x = np.geomspace(1e8, 1e11, scales)
    rng = np.random.default_rng(scales)

    def share(world: World, trials: int = 100) -> float:
        called = 0
        for _ in range(trials):
            curve = simulate_curve(world, x, 1000, rng, 0.2)
            error = np.sqrt((curve.y * (1 - curve.y) + 0.001) / 1000)
            called += curve_shape(np.log10(x), curve.y, error).shape != "no turn"
        return called / trials

    for world in (flat_world(0.25, 0.25), hinge, step_world(1e10, 0.7, 0.25)):
        assert share(world) <= 0.09  # nominal 5 %
    if scales == 12:
        assert share(u_shaped_world(10**9.5, 0.2, 0.25, 0.6)) > 0.8
