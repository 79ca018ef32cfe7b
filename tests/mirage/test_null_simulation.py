from __future__ import annotations

import numpy as np
import pytest

from upswing import Curve
from upswing.detection.evidence import examine
from upswing.errors import InputError
from upswing.mirage.null_simulation import null_simulation, smooth_fits
from upswing.simulate import simulate_curve, smooth_world

X = np.geomspace(2.1e6, 1.37e11, 12)


def test_the_smooth_fit_is_the_curve_that_was_drawn() -> None:
    world = smooth_world(0.3, 3e9, 3)
    curve = Curve(x=X, y=world.truth(X), n=100_000, chance=0.0, axis="params")
    best, other = smooth_fits(curve)
    assert best.form == "power law p^L"
    assert best.loglik >= other.loglik
    assert np.abs(best.values - curve.y).max() < 0.01
    assert best.base == 0.0  # and not the grid's .0005


def test_the_share_infinite_is_that_of_the_issue() -> None:
    """a = -.3, c = 3e9, L = 3: 64 %, 6 % and 0 % are infinite with 50, 200 and 1000 questions."""
    world = smooth_world(0.3, 3e9, 3)
    curve = Curve(x=X, y=world.truth(X), n=50, chance=0.0, axis="params")
    table = null_simulation(curve, sizes=(200, 1000), draws=4000).table
    shares = table.filter(form="power law p^L")["share_infinite"].to_list()
    assert shares[0] == pytest.approx(0.64, abs=0.04)
    assert shares[1] == pytest.approx(0.06, abs=0.02)
    assert shares[2] < 0.005


def test_few_questions_settle_nothing_and_more_would() -> None:
    y = [0, 0, 0, 0, 0, 0, 0.25, 0.75, 1]
    curve = Curve(x=np.geomspace(1e7, 1e11, 9), y=y, n=8, chance=0.0, axis="params")
    found = null_simulation(curve, draws=2000)
    assert found.observed == np.inf
    assert found.p_value > 0.05
    assert found.questions_to_settle is not None
    assert 8 < found.questions_to_settle <= 300
    assert null_simulation(curve, sizes=(), draws=100).questions_to_settle is None


def test_it_is_the_test_of_a_verdict_where_that_rests_on_the_score() -> None:
    y = [0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 7, 12]
    curve = Curve(x=X, y=np.array(y) / 20, n=20, chance=0.0, axis="params")
    (evidence,) = examine([curve])
    found = null_simulation(curve, sizes=(), draws=4000)
    assert found.observed == np.inf
    assert found.p_value == pytest.approx(evidence.p_test_size, abs=0.08)


def test_smooth_curves_are_seldom_called_improbable() -> None:
    rng = np.random.default_rng(1)
    called = 0
    for i in range(40):
        scale = 10 ** rng.uniform(8.5, 10.5)
        curve = simulate_curve(smooth_world(0.4, scale, 3), X, 100, rng, 0.0, task=f"t{i}")
        called += null_simulation(curve, sizes=(), draws=300).p_value <= 0.05
    assert called / 40 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 40)


def test_the_same_seed_gives_the_same_table() -> None:
    y = np.round(np.linspace(0, 0.5, 12) ** 2, 2)
    curve = Curve(x=X, y=y, n=50, chance=0.0, axis="params")
    one, two = (null_simulation(curve, sizes=(30,), draws=200) for _ in range(2))
    assert one.table.equals(two.table)
    assert one.table["n"].to_list() == [None, None, 30, 30]
    assert one.p_value == one.table["p_value"][:2].max()


def test_what_cannot_be_simulated() -> None:
    with pytest.raises(InputError, match="three scales"):
        null_simulation(Curve(x=[1e8, 1e9], y=[0.0, 0.5], n=10, chance=0.0))
    with pytest.raises(InputError, match="chance level"):
        smooth_fits(Curve(x=X, y=np.zeros(12), n=10, chance=None))
