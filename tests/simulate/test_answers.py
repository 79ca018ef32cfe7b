"""The same answers under two metrics."""

from __future__ import annotations

import numpy as np
import pytest

from upswing import UpswingError
from upswing.simulate import flat_world, simulate_answers, smooth_world

X = np.geomspace(1e8, 1e11, 4)


def test_exact_match_is_the_probability_per_token_to_the_length():
    rng = np.random.default_rng(0)
    both = simulate_answers(smooth_world(0.3, 1e9), X, 20_000, 3, rng)
    p = smooth_world(0.3, 1e9).truth(X)
    assert both.exact_match.y == pytest.approx(p**3, abs=0.015)
    assert both.edit_distance.y == pytest.approx(1 - p, abs=0.01)


def test_one_token_makes_both_the_same():
    both = simulate_answers(flat_world(0.4, 0.0), X, 100, 1, np.random.default_rng(0))
    assert both.exact_match.y == pytest.approx(1 - both.edit_distance.y)


def test_the_standard_error_is_over_questions():
    rng = np.random.default_rng(0)
    both = simulate_answers(flat_world(0.5, 0.0), np.full(400, 1e9), 100, 4, rng)
    spread = both.edit_distance.y.std()
    assert np.mean(both.edit_distance.stderr) == pytest.approx(spread, rel=0.15)


@pytest.mark.parametrize(("n", "length"), [(0, 3), (10, 0)])
def test_nothing_asked_is_an_error(n, length):
    with pytest.raises(UpswingError, match="cannot be asked"):
        simulate_answers(flat_world(0.5, 0.0), X, n, length, np.random.default_rng(0))
