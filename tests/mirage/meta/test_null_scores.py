"""What chance gives: recovery of known rates, and worlds in which it is not enough."""

from __future__ import annotations

import numpy as np
import pytest

from upswing import Curve
from upswing.detection.emergence_score import emergence_scores
from upswing.mirage.meta.analysis import meta_analysis
from upswing.mirage.meta.null_scores import null_scores
from upswing.simulate import flat_world, simulate_curve, smooth_world, step_world

SIZES = np.geomspace(2.1e6, 1.37e11, 12)


def curves_of(world, count, n, seed=0, x=SIZES):
    rng = np.random.default_rng(seed)
    return [simulate_curve(world, x, n, rng, task=f"t{i}") for i in range(count)]


def expected(curves, null, cutoff=100.0):
    table = meta_analysis(curves, draws=150).expected
    return table.filter(by="all", null=null, cutoff=cutoff).to_dicts()[0]


def test_flat_curves_are_as_many_as_flat_curves_give() -> None:
    """A flat curve at .002 with 200 questions is infinite with a positive sign 40 % of the time."""
    level, n = 0.002, 200
    draws = np.random.default_rng(1).binomial(n, level, (20_000, 12)) / n
    truth = np.isposinf(emergence_scores(draws)).mean()
    assert truth == pytest.approx(0.40, abs=0.01)
    row = expected(curves_of(flat_world(level, 0.0), 300, n), "flat")
    assert row["expected_infinite"] / row["curves"] == pytest.approx(truth, abs=0.08)
    assert row["p_value"] > 0.02


def test_smooth_curves_are_as_many_as_smooth_curves_give() -> None:
    """The curve a = -.3, c = 3e9, L = 3: 64 %, 6 % and 0 % infinite at 50, 200, 1000 questions."""
    for n, share in ((50, 0.64), (200, 0.06), (1000, 0.0)):
        row = expected(curves_of(smooth_world(0.3, 3e9, length=3), 100, n), "smooth")
        assert row["observed_infinite"] / 100 == pytest.approx(share, abs=0.15)
        assert row["expected_infinite"] / 100 == pytest.approx(share, abs=0.15)


@pytest.mark.parametrize(("onset", "chance", "cutoff"), [(1e10, 0.0, 100.0), (1e9, 0.25, 50.0)])
def test_jumps_are_more_than_smooth_curves_give(onset: float, chance: float, cutoff: float) -> None:
    row = expected(curves_of(step_world(onset, 0.9, chance), 40, 5000), "smooth", cutoff)
    assert row["observed"] == 40
    assert row["p_value"] < 0.01


def test_below_100_a_jump_from_zero_looks_like_a_smooth_curve() -> None:
    """A long answer is at 0 for many sizes too: the score alone cannot tell."""
    row = expected(curves_of(step_world(1e10, 0.6, 0.0), 40, 1000), "smooth", 20.0)
    assert row["observed"] == 40
    assert row["p_value"] == 1.0
    assert row["expected_infinite"] < 1 < row["observed_infinite"]


def test_a_curve_at_zero_is_drawn_at_zero() -> None:
    found = null_scores(curves_of(flat_world(0.0, 0.0), 1, 50), np.random.default_rng(0))
    assert all((scores == 0).all() for scores in found.scores.values())


def test_only_curves_whose_noise_is_known_are_drawn() -> None:
    x, y = [1e7, 1e8, 1e9, 1e10], [0.1, 0.2, 0.3, 0.4]
    curves = [
        Curve(x, y, axis="params", n=100),
        Curve(x, y, axis="params"),  # no questions
        Curve(x, y, axis="params", proportion=False, n=100),  # no standard error
        Curve(x, y, axis="params", proportion=False, stderr=0.01, n=100),
        Curve(x, y, axis="params", n=100, clustered=True, stderr=0.01),
        Curve(x, y, axis="params", highest=None, proportion=False, stderr=0.01),
        Curve(x[:2], y[:2], axis="params", n=100),
    ]
    found = null_scores(curves, np.random.default_rng(0))
    assert found.curves.tolist() == [0, 3, 4]
    assert found.draws == 1000
    assert found.scores["smooth"].shape == (3, 1000)
    # a rise of .3 against an error of .01 is not lost, and noise without grid is never infinite
    assert np.isfinite(found.scores["smooth"][1]).all()
    assert np.median(found.scores["smooth"][1]) > np.median(found.scores["flat"][1])


def test_lower_is_better_and_falling_curves() -> None:
    """A share that falls is an improvement where lower is better."""
    y = np.array([0.9, 0.9, 0.9, 0.9, 0.9, 0.2])
    better = Curve(np.geomspace(1e7, 1e12, 6), y, axis="params", n=50, higher_is_better=False)
    worse = Curve(np.geomspace(1e7, 1e12, 6), y, axis="params", n=50)
    found = null_scores([better, worse], np.random.default_rng(0), draws=500)
    up, down = found.scores["smooth"]
    assert (up > 0).mean() > 0.95
    assert (down > 0).mean() == pytest.approx(0.5, abs=0.1)


def test_the_loss_axis_has_a_smooth_form_too() -> None:
    y = np.array([0.0, 0.0, 0.1, 0.5, 0.9])
    curve = Curve([5.0, 4.0, 3.5, 3.0, 2.0], y, axis="loss", n=100)
    found = null_scores([curve], np.random.default_rng(0))
    assert (found.scores["smooth"] > 0).mean() > 0.95
