from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from upswing.mirage.questions_needed import (
    critical_count,
    p_no_success,
    power_above_chance,
    questions_for_a_success,
    questions_for_power,
    questions_needed,
    questions_needed_of_curve,
    smallest_value,
)


def test_steps_of_a_score() -> None:
    assert smallest_value(250) == pytest.approx(0.004)
    assert smallest_value([10, 20], length=5).tolist() == pytest.approx([0.02, 0.01])


@given(st.floats(1e-5, 0.9), st.floats(0.01, 0.5))
def test_a_success_is_seen_with_one_question_more_and_not_with_one_less(a: float, miss: float):
    n = float(questions_for_a_success(a, miss))
    assert p_no_success(a, n) <= miss * (1 + 1e-9)
    assert n == 1 or p_no_success(a, n - 1) > miss * (1 - 1e-9)


@pytest.mark.parametrize(("p", "length"), [(0.9, 5), (0.5, 3), (0.2, 4)])
def test_about_three_over_p_to_the_length(p: float, length: int) -> None:
    assert questions_for_a_success(p**length) == pytest.approx(3 / p**length, rel=0.02, abs=2)


@settings(max_examples=40)
@given(st.integers(1, 400), st.floats(0.001, 0.9), st.floats(0.001, 0.2))
def test_the_critical_count_is_the_least_significant_one(n: int, chance: float, alpha: float):
    count = int(critical_count(n, chance, alpha))
    assert count > n or binom.sf(count - 1, n, chance) <= alpha
    assert count == 1 or binom.sf(count - 2, n, chance) > alpha


@settings(max_examples=40)
@given(st.integers(1, 500), st.floats(0, 1), st.sampled_from([0.0, 0.1, 0.25, 0.5]))
def test_power_is_that_of_the_binomial(n: int, accuracy: float, chance: float) -> None:
    least = 1 if chance == 0 else int(binom.isf(0.05, n, chance)) + 1
    assert power_above_chance(accuracy, n, chance) == pytest.approx(
        binom.sf(least - 1, n, accuracy), abs=1e-9
    )


@pytest.mark.parametrize("chance", [0.001, 0.02, 0.25, 0.5])
@pytest.mark.parametrize("gain", [0.02, 0.05, 0.3])
def test_the_fewest_questions_with_the_power(chance: float, gain: float) -> None:
    """Against every n one by one."""
    n = np.arange(1, 6000)
    least = binom.isf(0.05, n, chance) + 1
    power = binom.sf(least - 1, n, chance + gain)
    assert questions_for_power(chance + gain, chance) == n[np.argmax(power >= 0.8)]


def test_arrays_and_what_is_at_chance() -> None:
    needed = questions_needed([0.25, 0.2, 0.5, 0.3], 0.25)
    assert np.isnan(needed[:2]).all()
    assert needed[2:].tolist() == [26.0, 494.0]
    mixed = questions_needed(np.array([0.01, 0.5]), np.array([0.0, 0.25]))
    assert mixed.tolist() == [299.0, 26.0]
    assert np.isnan(questions_needed(1e-9))  # three thousand million questions are no answer
    assert questions_for_power(1.0, 0.25) == 3.0


def test_the_base_of_a_fit_is_not_counted() -> None:
    base, rise = 0.02, 0.05
    smooth = base + (1 - base) * rise
    assert questions_needed(smooth, 0.0, base) == questions_needed(rise)
    assert np.isnan(questions_needed(base, 0.0, base))
    above_chance = 0.25 + 0.75 * rise
    assert questions_needed(0.28 + 0.72 * rise, 0.25, 0.28) == questions_needed(above_chance, 0.25)


def test_the_scale_that_counts() -> None:
    smooth = [0.001, 0.02, 0.6]
    assert questions_needed_of_curve(smooth, onset=2) == 149
    assert questions_needed_of_curve(smooth) == questions_needed_of_curve(smooth, onset=1) == 2995
    assert questions_needed_of_curve(smooth, onset=0) == 2995
    assert questions_needed_of_curve([0.0, 0.1], onset=1) is None


def test_the_number_is_enough_in_simulation() -> None:
    rng = np.random.default_rng(0)
    n = questions_needed_of_curve([0.3], 0.25)
    assert n is not None
    right = rng.binomial(n, 0.3, size=20_000)
    found = (right >= critical_count(n, 0.25)).mean()
    assert found == pytest.approx(0.8, abs=3 * np.sqrt(0.8 * 0.2 / 20_000) + 0.005)
