"""Losses to scales and back, along every token rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from tests.laws.loss.worlds import CHINCHILLA

from upswing.errors import InputError
from upswing.laws.loss.law import LossLaw
from upswing.laws.loss.path import TokenRule, loss_at, scale_of

RULES = [TokenRule("constant", 1e12), TokenRule("per-parameter", 20.0), TokenRule("optimal")]
BATCH = CHINCHILLA.batch


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.text)
@pytest.mark.parametrize("unit", ["params", "tokens", "flops"])
@given(loss=st.floats(1.8, 4.0))
def test_the_loss_at_a_scale_is_the_loss_it_was_for(rule, unit, loss):
    if rule.kind == "constant" and unit == "tokens":
        return
    scale = scale_of(BATCH, np.array([loss]), unit, rule)[0]
    if np.isfinite(scale[0]):
        assert loss_at(BATCH, unit, scale, rule)[0, 0] == pytest.approx(loss, rel=1e-10)


def test_the_law_of_one_scale_is_inverted_in_closed_form():
    law = LossLaw(("params",), 1.0, (8.0,), (0.1,))
    assert scale_of(law.batch, np.array([1.8]), "params")[0, 0] == pytest.approx(1e10)
    flops = scale_of(law.batch, np.array([1.8]), "flops", TokenRule("per-parameter", 20.0))
    assert flops[0, 0] == pytest.approx(6 * 20 * 1e20)


def test_no_split_of_compute_beats_the_optimal_path():
    loss = 2.2
    rule = TokenRule("optimal")
    params, tokens, flops = (
        float(scale_of(BATCH, np.array([loss]), unit, rule)[0, 0])
        for unit in ("params", "tokens", "flops")
    )
    assert 6 * params * tokens == pytest.approx(flops)

    def lost(log_params):
        n = np.exp(log_params)
        return float(CHINCHILLA.predict(params=n, tokens=flops / (6 * n)))

    best = minimize_scalar(lost, bracket=(np.log(params) - 1, np.log(params) + 1))
    assert best.fun == pytest.approx(loss, rel=1e-9)
    assert np.exp(best.x) == pytest.approx(params, rel=1e-3)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.text)
def test_what_a_law_cannot_reach_is_infinite(rule):
    low = 1.69 + (410.7 * 1e12**-0.28 if rule.kind == "constant" else 0.0)
    losses = np.array([low - 0.1, low - 1e-9, low + 0.1])
    scale = scale_of(BATCH, losses, "params", rule)[0]
    assert np.isinf(scale).tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("axes", "unit", "rule", "message"),
    [
        (("params",), "flops", None, "does not say flops by itself"),
        (("params", "tokens"), "params", None, "compute-optimal"),
        (("params",), "flops", TokenRule("optimal"), "no compute-optimal path"),
        (("params", "tokens"), "tokens", TokenRule("constant", 1e12), "say nothing of each other"),
        (("tokens",), "params", TokenRule("constant", 1e12), "say nothing of each other"),
    ],
)
def test_a_scale_that_is_not_decided_is_an_error(axes, unit, rule, message):
    law = LossLaw(axes, 1.0, (8.0,) * len(axes), (0.1,) * len(axes))
    with pytest.raises(InputError, match=message):
        scale_of(law.batch, np.array([2.0]), unit, rule)


def test_a_rule_needs_a_positive_amount():
    with pytest.raises(InputError, match="positive amount"):
        TokenRule("constant", 0.0)


def test_a_law_of_one_scale_has_no_least_compute_even_in_that_scale():
    laws = LossLaw(("params",), 1.7, (400.0,), (0.34,)).batch
    with pytest.raises(InputError, match="no compute-optimal path"):
        scale_of(laws, np.array([2.0]), "params", TokenRule("optimal"))
    with pytest.raises(InputError, match="positive amount"):
        TokenRule("constant", float("inf"))
