"""Worlds of finetuned checkpoints have the elbows and the noise that were chosen."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upswing.simulate.finetuning import LOSSES, FinetuningWorld, simulate_finetuning


def curve(frame, d):
    """Return loss and score of one amount of data, from the weakest model."""
    one = frame.filter(pl.col("d") == d).sort("loss", descending=True)
    return one["loss"].to_numpy(), one["value"].to_numpy()


def test_the_default_world_is_that_of_the_specification():
    """Section 11: E(5) = 1.95, E(256 to 8192) = 2.06 to 2.25, 16 of 24 before emergence."""
    elbows = FinetuningWorld().law.elbow([5, 256, 512, 8192])
    assert elbows == pytest.approx([1.95, 2.0575, 2.0886, 2.25], abs=1e-4)
    losses = np.ravel(LOSSES)
    assert (len(losses), (losses > 1.95).sum()) == (24, 16)


@given(st.floats(0.3, 6.0), st.floats(1.5, 2.2), st.floats(0.0, 20.0))
@settings(max_examples=40)
def test_the_law_goes_through_both_elbows(alpha, elbow, d0):
    world = FinetuningWorld(elbow=elbow, alpha=alpha, d0=d0)
    assert world.law.elbow([max(d0, 1.0), 8192]) == pytest.approx([elbow, 2.25])


def test_without_noise_scores_are_on_the_curve():
    world = FinetuningWorld(noise=0.0, cap=0.35)
    frame = simulate_finetuning(world, np.random.default_rng(0), gap=None)
    loss, value = curve(frame, 8192)
    assert value == pytest.approx(np.minimum(0.25 + 0.6 * np.maximum(2.25 - loss, 0), 0.35))
    assert frame["n"].null_count() == len(frame)
    assert frame.filter(pl.col("few_shot")).is_empty()


def test_shifts_are_shared_within_a_subset_and_differ_between_them():
    world = FinetuningWorld(noise=0.0, subset_sd=0.03, draws=300, amounts=(256, 8192))
    frame = simulate_finetuning(world, np.random.default_rng(0), gap=None)
    steep = frame.filter(pl.col("loss") < 1.95, pl.col("d") == 8192)
    implied = steep.with_columns(((pl.col("value") - 0.25) / 0.6 + pl.col("loss")).alias("elbow"))
    spread = implied.group_by("draw").agg(pl.col("elbow").std())["elbow"].to_numpy()
    assert spread == pytest.approx(0.0, abs=1e-9)
    assert implied["elbow"].to_numpy().std() == pytest.approx(0.03, rel=0.15)
    assert implied["elbow"].to_numpy().mean() == pytest.approx(2.25, abs=0.01)


def test_runs_of_one_subset_differ_by_their_own_shift():
    world = FinetuningWorld(noise=0.0, run_sd=0.05, seeds=200, amounts=(256, 8192))
    frame = simulate_finetuning(world, np.random.default_rng(0), gap=None)
    one = frame.filter(pl.col("loss") == 1.827, pl.col("d") == 8192)
    assert one["value"].to_numpy().std() == pytest.approx(0.6 * 0.05, rel=0.15)


def test_floors_rise_with_the_amount_of_data():
    world = FinetuningWorld(noise=0.0, floor_rise=0.2)
    frame = simulate_finetuning(world, np.random.default_rng(0), gap=None)
    floors = [curve(frame, d)[1][0] for d in (256, 1024, 4096)]  # 2.28, above all elbows
    assert floors == pytest.approx([0.25, 0.33, 0.41])


def test_a_soft_elbow_is_above_the_hinge():
    hard, soft = (FinetuningWorld(noise=0.0, softness=s) for s in (0.0, 0.02))
    beyond = np.array([-0.3, 0.0, 0.3])
    assert soft.score(beyond, 0.25) - hard.score(beyond, 0.25) == pytest.approx(
        [0.0, 0.6 * 0.02 * np.log(2), 0.0], abs=1e-6
    )


def test_questions_give_binomial_noise():
    world = FinetuningWorld(questions=400, slope=0.0, draws=300, amounts=(256, 512))
    frame = simulate_finetuning(world, np.random.default_rng(0))
    assert frame["value"].to_numpy().std() == pytest.approx(np.sqrt(0.25 * 0.75 / 400), rel=0.05)
    assert set(frame["n"]) == {400}
    assert FinetuningWorld(noise=0.01).stated_questions == 1875


def test_prompted_models_follow_the_elbow_at_d0():
    world = FinetuningWorld(noise=0.0, delta=-0.05)
    frame = simulate_finetuning(world, np.random.default_rng(0), gap=0.0, prompted="all")
    prompted = frame.filter(pl.col("few_shot"))
    assert len(prompted) == 24
    expected = 0.2 + 0.6 * np.maximum(1.95 - prompted["loss"].to_numpy(), 0.0)
    assert prompted["value"].to_numpy() == pytest.approx(expected)
    used = simulate_finetuning(world, np.random.default_rng(0), gap=0.0, prompted="used")
    assert used.filter(pl.col("few_shot"))["loss"].to_numpy().min() > 1.95


def test_compute_is_six_times_parameters_times_tokens():
    frame = simulate_finetuning(FinetuningWorld(), np.random.default_rng(0))
    assert frame["flops"].to_numpy() == pytest.approx(
        (6 * frame["params"] * frame["tokens"]).to_numpy()
    )
