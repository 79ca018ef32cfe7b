"""Continuous metrics as progress from 0 to 1."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswing import Curve
from upswing.metrics.registry import all_metrics, known_metric
from upswing.mirage.progress import TELLING, is_continuous, progress

X = [1e8, 1e9, 1e10]


def test_a_metric_of_loss_becomes_the_probability_per_token():
    loss = np.array([2.0, 1.0, 0.5])
    perplexity = Curve(X, np.exp(loss), metric="token_perplexity", lowest=1, highest=None)
    logprob = Curve(X, -loss, metric="target_logprob_per_token", lowest=None, highest=0)
    assert progress(perplexity).y == pytest.approx(np.exp(-loss))
    assert progress(logprob).y == pytest.approx(np.exp(-loss))


@pytest.mark.parametrize(
    ("metric", "of_loss"),
    [
        ("target_logprob_per_token", lambda loss: -loss),
        ("cross_entropy", lambda loss: loss),
        ("bits_per_byte", lambda loss: loss / np.log(2)),
        ("token_perplexity", np.exp),
    ],
)
def test_standard_errors_follow_by_the_delta_method(metric, of_loss):
    loss, error = np.array([2.0, 1.0, 0.5]), 1e-4
    value = of_loss(loss)
    stderr = np.abs(of_loss(loss + error) - value)
    known = known_metric(metric)
    curve = Curve(X, value, metric=metric, stderr=stderr, lowest=known.minimum, highest=None)
    moved = np.exp(-loss) - np.exp(-(loss + error))
    assert np.asarray(progress(curve).stderr) == pytest.approx(moved, rel=1e-3)


def test_lower_is_better_is_turned_round_with_its_chance():
    brier = Curve(
        X,
        [1.5, 1.0, 0.5],
        metric="brier_score",
        lowest=0,
        highest=2,
        higher_is_better=False,
        chance=1.5,
        stderr=0.2,
    )
    mapped = progress(brier)
    assert mapped.y.tolist() == [0.25, 0.5, 0.75]
    assert mapped.chance == 0.25
    assert mapped.stderr.tolist() == pytest.approx([0.1] * 3)
    assert mapped.higher_is_better


def test_an_unbounded_metric_has_no_scale():
    assert progress(Curve(X, [1.0, 2.0, 3.0], metric="logprob_margin", highest=None)) is None


@given(st.lists(st.floats(0, 1), min_size=2, max_size=8))
def test_a_proportion_is_its_own_progress(values):
    x = np.geomspace(1, 10, len(values))
    assert progress(Curve(x, values)).y.tolist() == pytest.approx(values)


def test_the_metrics_that_decide_are_continuous_and_have_a_scale():
    assert all(is_continuous(name) for name in TELLING)
    for name in TELLING:
        metric = known_metric(name)
        best = 1.0 if name.endswith("perplexity") else 0.5
        value = -0.5 if metric.maximum == 0 else best
        lowest, highest = metric.minimum, metric.maximum
        assert progress(Curve([1], [value], metric=name, lowest=lowest, highest=highest))


def test_the_order_puts_linear_metrics_of_the_answers_first():
    shapes = {metric.name: metric.shape for metric in all_metrics()}
    assert shapes[TELLING[0]] == "linear"
    assert TELLING.index("character_edit_distance_norm") < TELLING.index("bleu")
