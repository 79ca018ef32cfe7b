"""Is the jump in a continuous metric of the same outputs too?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from upswing import Curve
from upswing.detection.evidence import Settings, examine
from upswing.mirage.alternative import compare, describe
from upswing.simulate import World, simulate_answers, smooth_world, step_world

X = np.geomspace(1e8, 1e11, 10)
SETTINGS = Settings(stages=(199,))


def compared(world, length=5, n=1000, sd=0.0, x=X, seed=0):
    both = simulate_answers(world, x, n, length, np.random.default_rng(seed), sd)
    evidence = examine([both.exact_match], SETTINGS)[0]
    return evidence, compare(evidence, describe(both.edit_distance, "linear", True), SETTINGS)


def step(before, after, onset=X[5]):
    world = step_world(onset, after, before)
    return World("step", world.truth, 0.0, onset)


def test_a_step_in_the_tokens_is_sharp_in_both():
    evidence, found = compared(step(0.2, 0.9))
    assert evidence.onset == 5
    assert found.outcome == "sharp"
    assert found.p_smooth <= 0.05
    assert found.share.high < 0.1


def test_a_steep_power_law_rises_before_exact_match_does():
    # Exponent 1 is beyond the bound of .5: exact match alone would look emergent.
    evidence, found = compared(smooth_world(1.0, 1e9), length=10)
    assert evidence.p_smooth <= 0.05
    assert found.outcome == "earlier"
    assert found.p_smooth > 0.05
    t = evidence.onset
    p = smooth_world(1.0, 1e9).truth(X)
    assert found.share.value == pytest.approx((p[t - 1] - p[0]) / (p[-1] - p[0]), abs=0.03)
    assert found.share.low < found.share.value < found.share.high


def test_models_that_differ_widen_the_interval():
    _, quiet = compared(smooth_world(1.0, 1e9), length=10)
    _, noisy = compared(smooth_world(1.0, 1e9), length=10, sd=0.4)
    assert noisy.share.high - noisy.share.low > 3 * (quiet.share.high - quiet.share.low)


def test_nothing_before_the_onset_but_one_scale_leaves_it_open_unless_it_is_sharp():
    y = np.array([0.0, 0.3, 0.45, 0.6, 0.7, 0.75, 0.8, 0.84, 0.87, 0.9])
    curve = Curve(X, y, axis="params", n=1000, chance=0.0, metric="exact_match")
    other = Curve(
        X, y**0.5, axis="params", n=1000, stderr=0.01, metric="target_probability", chance=None
    )
    evidence = examine([curve], SETTINGS)[0]
    assert evidence.onset == 1
    found = compare(evidence, describe(other, "nonlinear", True), SETTINGS)
    assert found.share is None
    assert found.outcome in ("unclear", "sharp")


def test_no_onset_other_scales_or_unknown_noise_compare_nothing():
    evidence, found = compared(step(0.2, 0.9))
    flat = replace(evidence, onset=None)
    assert compare(flat, found, SETTINGS).outcome == "sharp"  # unchanged: as it was given
    other = describe(found.curve, "linear", True)
    assert compare(flat, other, SETTINGS).outcome == "not compared"
    shifted = describe(replace(found.curve, x=X * 1.5), "linear", True)
    assert compare(evidence, shifted, SETTINGS).outcome == "not compared"
    no_noise = describe(replace(found.curve, n=None, stderr=None), "linear", True)
    assert compare(evidence, no_noise, SETTINGS).outcome == "not compared"


def test_the_same_seed_gives_the_same_numbers():
    _, one = compared(smooth_world(1.0, 1e9), length=10, sd=0.2)
    _, two = compared(smooth_world(1.0, 1e9), length=10, sd=0.2)
    assert (one.share, one.p_smooth) == (two.share, two.p_smooth)


def test_on_loss_the_same_holds():
    loss = np.linspace(3.0, 1.2, 10)
    y = np.array([0, 0, 0, 0, 0, 0, 0.0, 0.5, 0.7, 0.8])
    exact = Curve(loss, y, axis="loss", n=500, chance=0.0, metric="exact_match")
    evidence = examine([exact], SETTINGS)[0]
    smooth = Curve(
        loss,
        np.linspace(0.05, 0.9, 10),
        axis="loss",
        n=500,
        stderr=0.01,
        metric="target_probability",
    )
    assert compare(evidence, describe(smooth, "nonlinear", True), SETTINGS).outcome == "earlier"
    jump = replace(smooth, y=np.where(y > 0, 0.2 + 0.8 * y, 0.2))
    assert compare(evidence, describe(jump, "nonlinear", True), SETTINGS).outcome == "sharp"


def test_answers_of_one_token_get_no_partial_credit():
    _, found = compared(step(0.0, 0.7), length=1)
    assert found.outcome == "not compared"


def test_a_straight_line_is_no_jump():
    y = np.array([0, 0, 0, 0, 0, 0, 0.0, 0.5, 0.7, 0.8])
    exact = Curve(X, y, axis="params", n=500, chance=0.0, metric="exact_match")
    line = Curve(
        X,
        np.linspace(0.05, 0.9, 10),
        axis="params",
        n=500,
        stderr=0.005,
        metric="target_probability",
    )
    evidence = examine([exact], SETTINGS)[0]
    assert compare(evidence, describe(line, "nonlinear", True), SETTINGS).outcome == "earlier"


def test_a_metric_that_does_not_rise_says_nothing_of_the_jump():
    evidence, found = compared(step(0.2, 0.9))
    rng = np.random.default_rng(0)
    flat = replace(found.curve, y=0.5 + 0.01 * rng.standard_normal(10))
    compared_flat = compare(evidence, describe(flat, "linear", True), SETTINGS)
    assert (compared_flat.outcome, compared_flat.share) == ("unclear", None)
    falling = replace(found.curve, y=np.linspace(0.2, 0.9, 10))  # an edit distance that grows
    assert compare(evidence, describe(falling, "linear", True), SETTINGS).share is None


def test_a_metric_that_moves_with_the_curve_is_not_earlier():
    # A smooth rise that becomes significant late: the other metric is the same curve, halved.
    y = np.array([0.0, 0.0, 0.0, 0.0, 0.06, 0.09, 0.55, 0.8, 0.9, 0.95])
    curve = Curve(X, y, axis="params", n=200, chance=0.0, metric="exact_match")
    other = Curve(
        X, y / 2, axis="params", n=200, stderr=0.01, metric="target_probability", chance=None
    )
    evidence = examine([curve], SETTINGS)[0]
    assert evidence.onset == 6
    assert compare(evidence, describe(other, "nonlinear", True), SETTINGS).outcome != "earlier"


def test_a_bend_before_the_onset_is_gradual_and_no_ability():
    # The probability per token is flat at .1, then straight in log x to .97: exact match of ten
    # tokens leaves 0 long after.
    def truth(x):
        return np.interp(np.log10(x), np.log10(X), [0.1] * 4 + list(np.linspace(0.2, 0.97, 6)))

    for seed in range(3):
        _, found = compared(World("smooth", truth, 0.0), length=10, seed=seed)
        assert found.outcome == "earlier"


def test_an_earlier_jump_of_the_continuous_metric_leaves_it_open():
    def truth(x):
        return np.where(x < X[4], 0.1, np.interp(np.log10(x), np.log10(X[[4, 9]]), [0.8, 0.98]))

    evidence, found = compared(World("step", truth, 0.0), length=30)
    assert evidence.onset > 4
    assert found.outcome == "unclear"


def test_likelihoods_are_not_bounded_answer_by_answer():
    _, found = compared(smooth_world(1.0, 1e9), length=10)
    loss = Curve(
        X,
        np.log(np.clip(1 - found.curve.y, 1e-3, 1)),
        axis="params",
        n=1000,
        stderr=1.2 / np.sqrt(1000),
        metric="target_logprob_per_token",
        lowest=None,
        highest=0.0,
    )
    evidence, _ = compared(smooth_world(1.0, 1e9), length=10)
    assert compare(evidence, describe(loss, "linear", True), SETTINGS).outcome == "earlier"
