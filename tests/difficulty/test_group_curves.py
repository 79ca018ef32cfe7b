"""Polynomials and bands of groups over compute."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from difficulty.grouped import groups_by_hand, small_world
from upswing.difficulty.groups.group_curves import group_curves, overall_performance
from upswing.difficulty.groups.groups import gains
from upswing.difficulty.groups.source import group_source
from upswing.errors import InputError, UnknownNameError

X = np.linspace(-1.0, 3.0, 24)
GROUPS = np.column_stack([-0.3 + 0.05 * X**2, -0.8 + 0.1 * X])


def test_polynomial_and_band():
    rng = np.random.default_rng(0)
    noise = 0.03 * rng.standard_normal(24)
    curves = group_curves(groups_by_hand(X, GROUPS + noise[:, None], X), 3, threshold=1.5)
    assert len(curves.points) == 48
    easy = curves.points.filter(easiness_rank=1)
    expected = np.polyval(np.polyfit(X, GROUPS[:, 0] + noise, 3), X)
    assert easy["fitted"].to_numpy() == pytest.approx(expected)
    residual = np.std(easy["score"].to_numpy() - expected)
    band = curves.curves.filter(easiness_rank=1).select(
        above=pl.col("high") - pl.col("score"), below=pl.col("score") - pl.col("low")
    )
    assert np.ptp(band.to_numpy()) < 1e-12
    assert band["above"][0] == pytest.approx(1.96 * residual)
    assert curves.threshold == 1.5


def test_more_is_better_in_pictures():
    curves = group_curves(groups_by_hand(X, GROUPS, X), 2)
    assert (curves.points["score"] == -curves.points["value"]).all()
    assert gains(np.array([0.2]), "acc").tolist() == [0.2]
    assert gains(np.array([0.2]), "option_mass").tolist() == [0.2]


def test_few_models_get_a_lower_degree_or_none():
    few = group_curves(groups_by_hand(X[:9], GROUPS[:9], X[:9]))
    assert few.polynomial.degree == 2
    three = group_curves(groups_by_hand(X[:3], GROUPS[:3], X[:3]))
    assert three.polynomial is None
    assert three.curves.is_empty()
    assert three.points["fitted"].null_count() == 6
    with pytest.raises(InputError, match="degree 9 needs 10 models"):
        group_curves(groups_by_hand(X[:9], GROUPS[:9], X[:9]), 9)


def test_models_without_compute_or_that_are_excluded_are_not_drawn():
    groups = groups_by_hand(X, GROUPS, X)
    flops = pl.when(pl.col("model") != "m03").then("flops").alias("flops")
    object.__setattr__(groups, "models", groups.models.with_columns(flops))
    drawn = group_curves(groups, 2, exclude=["m1*"]).points["model"]
    assert drawn.n_unique() == 24 - 1 - 10


def test_overall_performance_from_answers():
    source = group_source(small_world())
    whole = overall_performance(source, "acc", threshold=1.0)
    assert whole.points["group"].unique().to_list() == [0]
    assert whole.points["score"].to_list() == source.groups(3).whole["acc"].tolist()
    assert whole.points["stderr"].null_count() == 0
    brier = overall_performance(source, "tc_brier_undistributed", degree=2)
    assert len(brier.curves) == 100


def test_models_that_are_not_drawn_are_told():
    curves = group_curves(groups_by_hand(X, GROUPS, X), 2, exclude=["m0*"])
    (note,) = curves.notes
    assert note.code == "models-left-out"
    assert note.details["models"] == [f"m0{i}" for i in range(10)]
    assert group_curves(groups_by_hand(X, GROUPS, X), 2).notes == ()


def test_globs_match_names_with_either_separator():
    groups = groups_by_hand(X[:3], GROUPS[:3], X[:3], names=["org/a", "org__b", "c"])
    for glob in ("org/*", "org__*"):
        assert groups.without([glob]).models["model"].to_list() == ["c"]


def test_a_metric_that_is_not_there():
    groups = groups_by_hand(X, GROUPS, X)
    for draw in (groups.wide, lambda name: group_curves(groups, metric=name)):
        with pytest.raises(UnknownNameError, match=r"hold no acc .they hold tc_brier"):
            draw("acc")
