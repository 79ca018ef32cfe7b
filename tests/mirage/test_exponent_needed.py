from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from upswing import Curve, read
from upswing.curves.build import build_curves
from upswing.detection.evidence import Settings, examine
from upswing.mirage.exponent_needed import exponent_needed, exponent_needed_of

X = np.geomspace(1e8, 1e11, 7)


@given(
    st.floats(0.05, 3.0), st.floats(8.0, 11.0), st.integers(1, 8), st.sampled_from([0.0, 0.25, 0.5])
)
def test_the_exponent_of_a_power_law_whatever_length_and_scale(a, log10_c, length, chance):
    power = np.exp(-length * (X / 10**log10_c) ** -a)
    y = chance + (1.0 - chance) * power
    assume(power[0] > 1e-9 and power[3] < 1 - 1e-9)
    found = exponent_needed(X, y, 1000, chance=chance, onset=3, draws=50)
    assert found.jump.value == pytest.approx(a, rel=1e-4)
    assert found.before.value == pytest.approx(a, rel=1e-4)
    assert (found.before.x_from, found.before.x_to) == (X[0], X[2])
    assert (found.jump.x_from, found.jump.x_to) == (X[2], X[3])
    assert found.at_onset


def test_the_interval_covers():
    truth, x = np.array([0.02, 0.05, 0.6]), np.array([1e8, 1e9, 2e9])
    exact = exponent_needed(x, truth, 1, onset=2, draws=1)
    rng = np.random.default_rng(5)
    trials, inside = 400, np.zeros(2)
    for i in range(trials):
        y = rng.binomial(300, truth) / 300
        found = exponent_needed(x, y, 300, onset=2, draws=400, seed=i)
        for k, (one, true) in enumerate(
            ((found.jump, exact.jump.value), (found.before, exact.before.value))
        ):
            low = -np.inf if one.low is None else one.low
            high = np.inf if one.high is None else one.high
            inside[k] += low <= true <= high
    assert (inside / trials > 0.95 - 3 * np.sqrt(0.95 * 0.05 / trials)).all()
    assert (inside / trials < 1.0).all()


def test_a_score_of_zero_leaves_one_end_open():
    found = exponent_needed(X[:3], [0.0, 0.0, 0.5], 200, onset=2)
    assert (found.jump.status, found.jump.value, found.jump.high) == ("+inf", None, None)
    # 0 of 200 is below .0123 with probability .975 (Jeffreys), so the exponent is at least that of
    # a rise from there
    rise = exponent_needed(X[:3], [0.0, 0.0123, 0.5], 10**9, onset=2).jump.value
    assert found.jump.low == pytest.approx(rise, rel=0.05)
    assert found.before == (None, None, None, X[0], X[1], "undefined")
    perfect = exponent_needed(X[:3], [0.1, 0.2, 1.0], 200, onset=2).jump
    assert (perfect.status, perfect.high) == ("+inf", None)
    assert perfect.low is not None
    fallen = exponent_needed(X[:3], [0.2, 0.0, 0.9], 200, onset=2).before
    assert (fallen.status, fallen.low) == ("-inf", None)
    assert fallen.high is not None
    assert fallen.high < 0


def test_a_rise_from_chance_may_need_any_exponent():
    at_chance = exponent_needed(X[:3], [0.25, 0.26, 0.6], 50, chance=0.25, onset=2)
    assert at_chance.jump.status == "finite"
    assert at_chance.jump.high is None  # many draws put the smaller model below chance
    assert at_chance.before.status == "+inf"


def test_without_an_onset_the_largest_rise_is_the_jump():
    y = [0.1, 0.1, 0.3, 0.35, 0.4, 0.4, 0.41]
    found = exponent_needed(X, y, 1000)
    assert (found.jump.x_from, found.jump.x_to, found.at_onset) == (X[1], X[2], False)
    first = exponent_needed(X, y, 1000, onset=0)
    assert (first.jump, first.at_onset) == (found.jump, False)


def test_what_cannot_be_said():
    assert exponent_needed([3.0, 2.5, 2.0], [0, 0, 1], 10, axis="loss").jump.status == "loss_axis"
    assert exponent_needed([1e8], [0.1], 10).before.status == "too_few"
    early = exponent_needed(X[:3], [0.1, 0.7, 0.8], 100)
    assert early.before.status == "too_few"
    assert early.jump.status == "finite"
    zero = exponent_needed([0.0, 1e8, 1e9], [0.1, 0.2, 0.6], 100)
    assert (zero.before.status, zero.jump.status) == ("too_few", "finite")
    unknown = Curve(x=X, y=np.full(7, 0.5), n=10, chance=None)
    (evidence,) = examine([unknown], Settings(stages=(19,)))
    assert exponent_needed_of(evidence).jump.status == "unknown"


def test_the_same_seed_gives_the_same_interval():
    y = np.linspace(0.1, 0.6, 7)
    assert exponent_needed(X, y, 100) == exponent_needed(X, y, 100)
    assert exponent_needed(X, y, 100).jump.low != exponent_needed(X, y, 100, seed=1).jump.low


@pytest.mark.data
def test_pythia_addition(eleuther: Path) -> None:
    """The figures of the issue: 3.06 across 1.4B to 2.8B, .141 from 160M to 1.4B."""
    tables = read(eleuther / "pythia@a19eecb" / "evals" / "csv")
    curves, _ = build_curves(tables, "params", task="num_reasoning_arithmetic_addition", n_shot=16)
    (evidence,) = examine(curves, Settings(stages=(19,)))
    found = exponent_needed_of(evidence)
    assert found.jump.value == pytest.approx(3.06, abs=0.005)
    assert found.before.value == pytest.approx(0.141, abs=0.0005)
    assert found.at_onset
    assert found.jump.low is not None
    assert found.before.high is not None
    assert found.jump.low > 2
    assert found.before.high < 0.5
