"""What to run next: moments of a rectified normal, preposterior widths, costs, choices."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from upswing.errors import InputError
from upswing.forecast.finetuning.emergence_law import EmergenceLaw
from upswing.forecast.finetuning.table import finetune_table
from upswing.forecast.planning.candidates import (
    candidate_runs,
    checked_candidates,
    read_candidates,
)
from upswing.forecast.planning.cost import RunCost
from upswing.forecast.planning.design import plan_runs
from upswing.forecast.planning.expected_scores import (
    PosteriorPoints,
    posterior_points,
    ramped,
    rectified,
)
from upswing.forecast.planning.preposterior import scenarios_of
from upswing.laws.emergence.law import EmergenceForm
from upswing.simulate.finetuning import LOSSES, FinetuningWorld, simulate_finetuning

LAW = EmergenceLaw(resamples=0, cap=False, intervals="iid")
WORLD = FinetuningWorld(questions=2000, amounts=(512, 2048, 8192))


@pytest.fixture(scope="module")
def table():
    """Seven checkpoints of one size, not emerged; three amounts, drawn once."""
    return simulate_finetuning(WORLD, np.random.default_rng(1), 0.0, losses=(LOSSES[0],))


@pytest.fixture(scope="module")
def plan(table):
    return plan_runs(
        table, 6.0, LAW, cost=RunCost("runs"), draws=(1, 2), scenarios=64, points=600, most=4
    )


@pytest.mark.parametrize("sd", [0.02, 0.2])
def test_moments_of_a_rectified_normal(sd):
    x, ramp = np.array([-0.3, -0.01, 0.05, 0.3]), 0.1
    s = norm.ppf((np.arange(200_000) + 0.5) / 200_000, 0.0, sd)
    for found, cut in ((rectified(x, sd), np.inf), (ramped(x, sd, ramp), ramp)):
        sample = np.clip(x[:, None] + s, 0.0, cut)
        assert found[0] == pytest.approx(sample.mean(axis=1), abs=1e-6)
        assert found[1] == pytest.approx((sample**2).mean(axis=1), abs=1e-6)


def test_without_shifts_the_moments_are_those_of_the_hinge():
    first, second = rectified(np.array([-1.0, 2.0]), 0.0)
    assert first.tolist() == [0.0, 2.0]
    assert second.tolist() == [0.0, 4.0]
    assert ramped(np.array([3.0]), 0.0, 0.5)[1] == pytest.approx(0.25)


def gaussian_points(sd=0.1, noise=0.05, count=2000):
    """Laws that differ in one elbow only, normal around 2, with slope 1."""
    elbow = norm.ppf((np.arange(count) + 0.5) / count, 2.0, sd)
    theta = np.column_stack([elbow, elbow + 0.2, np.ones(count)])
    return PosteriorPoints(
        EmergenceForm(), theta, elbow, np.ones(count), np.zeros((count, 1)), None,
        np.array([100.0, 1000.0]), 0.0, noise, False,
    )  # fmt: skip


@pytest.mark.parametrize("draws", [1, 4])
def test_the_expected_width_is_that_of_conjugate_normals(draws):
    points = gaussian_points()
    start = scenarios_of(points.forecast, 400, np.random.default_rng(0))
    assert start.widths().mean() == pytest.approx(3.29 * 0.1, rel=0.01)
    # a model far beyond every elbow sees it through the slope
    mean, variance = points.scores(1.0, 100.0, draws)
    after = start.after(mean, variance, np.random.default_rng(1).standard_normal(400))
    expected = 3.29 / np.sqrt(1 / 0.1**2 + draws / 0.05**2)
    assert after.widths().mean() == pytest.approx(expected, rel=0.03)
    assert after.effective() < start.effective() == pytest.approx(2000)


def test_a_model_before_every_elbow_tells_nothing():
    points = gaussian_points()
    start = scenarios_of(points.forecast, 50, np.random.default_rng(0))
    mean, variance = points.scores(3.0, 100.0)
    assert np.ptp(mean) == 0.0
    after = start.after(mean, variance, np.random.default_rng(1).standard_normal(50))
    assert after.widths() == pytest.approx(start.widths())


def test_questions_and_shifts_add_noise():
    from dataclasses import replace

    shares = replace(gaussian_points(), proportion=True, top=np.full(2000, 0.3))
    few, many = (shares.scores(1.0, 100.0, 1, n)[1].mean() for n in (100, 10_000))
    assert few == pytest.approx(0.05**2 + 0.3 * 0.7 / 100, rel=0.02)
    assert many < few
    shifted = replace(gaussian_points(), shift_sd=0.2)
    assert shifted.scores(1.0, 100.0)[1].mean() == pytest.approx(0.05**2 + 0.2**2, rel=0.01)


def test_points_stand_for_the_posterior(table):
    forecast = LAW.fit(table)
    points = posterior_points(
        forecast.rows, forecast.mle, forecast.posterior, 2000, np.random.default_rng(0)
    )
    shares = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    assert np.quantile(points.forecast, shares) == pytest.approx(
        forecast.posterior.quantile(shares), abs=0.005
    )
    assert np.median(points.top) == pytest.approx(0.6, abs=0.15)
    assert np.median(points.bases) == pytest.approx(0.25, abs=0.01)
    assert points.elbows(5.0) == pytest.approx(points.forecast, abs=1e-9)


def test_the_plan_narrows_the_interval_within_the_budget(plan):
    steps = plan.to_frame()
    assert 1 <= len(steps) <= 4
    assert steps["spent"].to_list() == steps["cost"].cum_sum().to_list()
    assert steps["spent"][-1] <= 6.0
    assert plan.expected_width < 0.8 * plan.width
    assert steps["width_before"][0] == pytest.approx(plan.width, rel=0.05)
    assert steps["width_before"].to_list()[1:] == steps["width_after"].to_list()[:-1]
    assert "are expected to narrow the 90 % interval" in plan.sentence


def test_runs_near_the_elbow_win_and_weak_models_tell_nothing(plan):
    alone = plan.candidates
    assert set(alone["d"].unique()) == {256.0, 512.0, 2048.0, 8192.0}
    best, weakest = (
        alone.row(0, named=True),
        alone.filter(pl.col("loss") == 2.28, pl.col("d") == 256),
    )
    assert best["loss"] < 2.06
    assert best["d"] <= 512
    reduction = (weakest["width_before"] - weakest["width_after"]).abs().to_numpy()
    assert np.all(reduction < 3 * weakest["standard_error"].to_numpy() + 0.01 * plan.width)
    # two draws of the best tell more than one
    same = alone.filter(pl.col("loss") == best["loss"], pl.col("d") == best["d"]).sort("draws")
    assert same["width_after"][1] < same["width_after"][0]


def test_what_limits_the_forecast_is_told(plan):
    assert plan.limits["best_loss"] == 1.953
    assert plan.limits["smallest_d"] in (256.0, 512.0)
    assert plan.limits["extrapolated"] > 0.05
    plain = json.loads(plan.to_json(), parse_constant=pytest.fail)
    assert plain["limits"]["smallest_d"] == plan.limits["smallest_d"]


def test_where_nothing_helps_it_is_said(table):
    weak = pl.DataFrame({"loss": [2.5, 2.4], "d": [256, 256], "n": [2000, 2000]})
    found = plan_runs(table, 5.0, LAW, candidates=weak, scenarios=32, points=300)
    assert found.steps.is_empty()
    assert found.expected_width == found.width
    assert "No candidate is expected to narrow" in found.sentence
    assert "No amount of data in reach is likely to emerge" in found.sentence
    assert found.limits["smallest_d"] is None
    poor = plan_runs(table, 1.0, LAW, scenarios=32, points=300)
    assert "cheapest candidate costs" in poor.sentence
    assert poor.unit == "FLOP"


def test_a_refused_forecast_is_planned_from_the_prior(table):
    weak = table.filter(pl.col("loss") > 2.07, pl.col("d") < 8192)
    found = plan_runs(weak, 2.0, LAW, cost=RunCost("runs"), losses=[1.96], scenarios=32, points=300)
    assert "planned-from-prior" in [note.code for note in found.notes]
    assert found.steps["loss"][0] == 1.96


def test_without_two_amounts_there_is_nothing_to_plan_from(table):
    with pytest.raises(InputError, match=r"one amount of finetuning data.*law power"):
        plan_runs(table.filter(pl.col("d") == 512), 1.0, LAW)
    with pytest.raises(InputError, match="must be positive"):
        plan_runs(table, 0.0, LAW)


def test_costs_are_compute_or_runs_or_given():
    one = pl.DataFrame({"model": ["m"], "params": [1e6], "d": [100.0], "draws": [2], "n": [300.0]})
    flops = RunCost(epochs=3, tokens_per_example=10, tokens_per_question=20)
    assert flops.of(one)[0] == pytest.approx(2 * (6 * 1e6 * 3 * 100 * 10 + 2 * 1e6 * 300 * 20))
    assert RunCost("runs").of(one)[0] == 2
    assert RunCost().of(one.with_columns(pl.lit(7).alias("cost")))[0] == 7
    with pytest.raises(InputError, match="parameters of m is not known"):
        RunCost().of(one.with_columns(pl.lit(None).alias("params")))
    with pytest.raises(InputError, match="not positive"):
        RunCost().of(one.with_columns(pl.lit(0).alias("cost")))


def test_candidates_are_all_checkpoints_and_amounts(table):
    frame = finetune_table(table).frame
    grid = candidate_runs(frame, 5, before=2.0, losses=[2.01], draws=(1, 2), questions=(100,))
    assert grid["loss"].n_unique() == 6
    assert len(grid) == 6 * 4 * 2
    assert grid.filter(pl.col("model") == "loss 2.01")["params"].null_count() == 8
    assert candidate_runs(frame, 5, amounts=[100, 100])["d"].unique().to_list() == [100.0]
    assert candidate_runs(frame, 5)["n"].unique().to_list() == [2000.0]


@pytest.mark.parametrize(
    ("candidates", "message"),
    [
        ({"d": [100]}, "'loss' is missing"),
        ({"loss": [2.0], "d": [3]}, "D must be above D0 = 5"),
        ({"loss": [2.0], "d": [None]}, "impossible"),
        ({"loss": [2.0], "d": [100], "draws": [0]}, "0 draws"),
        ({"loss": [], "d": []}, "no model is left"),
    ],
)
def test_impossible_candidates_are_told(candidates, message):
    with pytest.raises(InputError, match=message):
        checked_candidates(pl.DataFrame(candidates), 5)


def test_candidates_are_read_from_a_table(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("loss,d,draws,n,cost\n2.05,128,2.0,500,3\n2.0,512,,,4.5\n")
    found = checked_candidates(read_candidates(str(path)), 5.0, 1000.0)
    assert found.select("d", "draws", "n", "cost").rows() == [
        (128.0, 2, 500.0, 3.0),
        (512.0, 1, 1000.0, 4.5),
    ]
    path.write_text("loss,d,draws,cost\n2.05,128,2,3\n2.0,512,1,dear\n")
    with pytest.raises(InputError, match=r"runs.csv:3: column 'cost' holds 'dear'"):
        read_candidates(str(path))
