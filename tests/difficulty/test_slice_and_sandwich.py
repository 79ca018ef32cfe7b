"""Slice-and-Sandwich on groups made by hand: each step, and the whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from difficulty.grouped import groups_by_hand
from upswing.difficulty.sandwich.logit_trend import logit_trend
from upswing.difficulty.sandwich.sandwich_data import REMOVED_WHEN_FITTING, sandwich_data
from upswing.difficulty.sandwich.sandwich_fit import (
    average,
    calibration_shift,
    clip_above,
    fit_hard_lift,
    fit_sandwich,
    lift,
)
from upswing.difficulty.sandwich.slice_and_sandwich import slice_and_sandwich
from upswing.errors import InputError

X = np.linspace(-1.0, 3.0, 25)
EASY = -0.4 - 0.1 * X + 0.03 * X**2 + 0.002 * X**5
HARD = -0.7 + 0.05 * X + 0.01 * X**2
TRAIN = X < 1.5


def world(middle=0.0, **more):
    """Groups whose mean is the score, and an accuracy that is linked to it by 1.5 (score + 0.9)."""
    score = (EASY + HARD) / 2 + middle
    groups = np.column_stack([EASY, score, HARD])
    return groups_by_hand(X, groups, 1.5 * (score + 0.9), score, **more)


def test_steps():
    assert average(np.array([-0.2]), np.array([-0.6])).tolist() == [-0.4]
    train = np.array([True, True, False])
    hard, score = np.array([-0.8, -0.6, 5.0]), np.array([-0.5, -0.4, 9.0])
    assert lift(hard, score, train) == pytest.approx(0.25)
    shift = calibration_shift(np.array([0.3, 0.5, 9.0]), np.array([0.2, 0.2, 5.0]), train)
    assert shift == pytest.approx(0.2)
    assert clip_above(np.array([-3.0, 0.5, 1.2])).tolist() == [-3.0, 0.5, 1.0]


def test_a_world_of_that_form_is_forecast_exactly():
    found = slice_and_sandwich(world(), 1.5, 0.25)
    link = found.fit.link
    assert (link.slope, link.intercept, link.r2) == pytest.approx((1 / 1.5, -0.9, 1.0))
    assert found.fit.easy.coefficients == pytest.approx([-0.4, -0.1, 0.03, 0, 0, 0.002], abs=1e-9)
    assert found.fit.shift == pytest.approx(0.0, abs=1e-9)
    errors = dict(found.errors.select("method", "mse").iter_rows())
    assert errors["sandwich"] == pytest.approx(0.0, abs=1e-12)
    assert errors["hard_lift"] > 1e-3
    assert found.predictions["split"].to_list() == ["train" if one else "test" for one in TRAIN]


def test_calibration_repairs_the_middle_group_that_is_dropped():
    found = slice_and_sandwich(world(middle=0.04), 1.5, 0.25)
    assert found.fit.shift == pytest.approx(1.5 * 0.04)
    raw = fit_sandwich(found.data, calibrate=False)
    assert found.fit.accuracy(X) - raw.accuracy(X) == pytest.approx(np.full(25, 0.06))
    assert dict(found.errors.select("method", "mse").iter_rows())["sandwich"] < 1e-12


def test_hard_lift_meets_the_mean_of_the_training_models():
    data = sandwich_data(world(), 1.5)
    fitted = fit_hard_lift(data)
    assert fitted.score(X)[TRAIN].mean() == pytest.approx(data.score[TRAIN].mean())
    assert fitted.accuracy(X)[TRAIN].mean() == pytest.approx(data.accuracy[TRAIN].mean())
    assert np.diff(fitted.score(X)) == pytest.approx(np.diff(HARD))


def test_clip_bounds_from_above_only():
    dives = slice_and_sandwich(world(), 1.5, 0.25, easy_degree=5).predictions
    assert (dives["acc_pred_clipped"] == np.minimum(dives["acc_pred"].to_numpy(), 1.0)).all()
    plain = slice_and_sandwich(world(), 1.5, 0.25)
    unclipped = [row["acc_pred"] for row in plain.to_dict()["predictions"]]
    clipped = [row["acc_pred"] for row in plain.to_dict(clip=True)["predictions"]]
    lifted = [row["acc_pred"] for row in plain.to_dict(hard_lift=True)["predictions"]]
    assert max(unclipped) > 1
    assert clipped == [min(value, 1.0) for value in unclipped]
    assert lifted == plain.predictions["acc_hard_lift"].to_list()


def test_a_model_at_the_threshold_is_tested():
    x = np.append(X, 2.0)
    groups = np.column_stack([np.append(EASY, -0.2), np.append(HARD, -0.6)])
    data = sandwich_data(groups_by_hand(x, groups, np.linspace(0.2, 0.9, 26)), 2.0)
    at = data.models["model"].to_list().index("m25")
    assert not data.train[at]
    assert (np.diff(data.x) >= 0).all()


def test_who_is_left_out():
    names = [f"m{i:02}" for i in range(25)]
    names[4] = REMOVED_WHEN_FITTING[0]
    published = sandwich_data(world(names=names, published=True), 1.5)
    assert names[4] not in published.models["model"]
    assert [note.code for note in published.notes] == ["models-left-out"]
    assert names[4] in sandwich_data(world(names=names), 1.5).models["model"]
    assert names[4] in sandwich_data(world(names=names, published=True), 1.5, []).models["model"]
    globbed = sandwich_data(world(names=names), 1.5, ["m0*", "microsoft/*"])
    assert len(globbed.x) == 25 - 10
    groups = world()
    groups.whole["acc"][3] = np.nan
    assert len(sandwich_data(groups, 1.5).x) == 24


def test_refusals():
    with pytest.raises(InputError, match="no model with scores has less than"):
        slice_and_sandwich(world(), -2.0, 0.25)
    with pytest.raises(InputError, match="degree 7 needs 8 models"):
        slice_and_sandwich(world(), -0.5, 0.25, easy_degree=7)
    with pytest.raises(InputError, match="guess on made is not known"):
        slice_and_sandwich(world(chance=None), 1.5)
    with pytest.raises(InputError, match=r"must lie in \[0, 1\)"):
        slice_and_sandwich(world(), 1.5, 1.0)
    with pytest.raises(InputError, match="groups of questions sorted by Brier"):
        sandwich_data(groups_by_hand(X, HARD[:, None], X), 1.5)


def test_few_models_lower_the_degree_that_nobody_asked_for():
    found = slice_and_sandwich(world(), -0.5, 0.25)  # four models are below
    assert (found.fit.easy.degree, found.fit.hard.degree) == (1, 1)
    assert [note.code for note in found.notes] == ["degree-lowered"]
    assert slice_and_sandwich(world(), 1.5, 0.25).notes == ()


def test_no_model_to_judge_by():
    found = slice_and_sandwich(world(), 9.0, 0.25)
    assert found.errors["mse"].to_list() == [None] * 9
    assert found.curves["split"].unique().to_list() == ["train"]


def test_the_logit_trend_is_bounded_and_never_bends_down():
    rising = logit_trend(X, -((1 - 1 / (1 + np.exp(1 - 0.2 * X**2 - X))) ** 2), TRAIN)
    assert ((rising > -1) & (rising < 0)).all()
    p = 1 / (1 + np.exp(1 - 0.5 * X + 0.3 * X**2))  # concave in the logit: fitted by a line
    falling = logit_trend(X, -((1 - p) ** 2), TRAIN)
    logit = np.log((1 - np.sqrt(-falling)) / np.sqrt(-falling))
    assert np.diff(logit, 2) == pytest.approx(np.zeros(23), abs=1e-8)


def test_a_forecast_that_nothing_judges_is_told():
    found = slice_and_sandwich(world(), 5.0)
    assert [note.code for note in found.notes] == ["nothing-held-out"]
    assert found.errors["mse"].null_count() == len(found.errors)
    assert slice_and_sandwich(world(), 1.5).notes == ()


def test_degrees_that_were_lowered_are_those_that_were_wanted():
    few = world().keep(np.arange(25) % 7 == 0)  # three models below the threshold
    (note,) = slice_and_sandwich(few, 1.5, easy_degree=1).notes
    assert "3 different scales below" in note.message
    assert "degree 1 and 2; degrees 1 and 1 are fitted" in note.message


def test_no_negative_degree():
    with pytest.raises(InputError, match="no degree -1"):
        slice_and_sandwich(world(), 1.5, easy_degree=-1)


def test_checkpoints_that_are_left_out_are_told_one_by_one():
    groups = world()
    revisions = pl.Series("revision", [f"step{i}" for i in range(25)])
    flops = pl.when(pl.col("revision") != "step0").then("flops").otherwise(0.0).alias("flops")
    models = groups.models.with_columns(revisions, pl.lit("run").alias("model")).with_columns(flops)
    (note,) = sandwich_data(replace(groups, models=models), 1.5).notes
    assert note.details["models"] == ["run step0"]
