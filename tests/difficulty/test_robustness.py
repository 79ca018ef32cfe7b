"""Other degrees, other thresholds, what slicing is worth, and all analyses in one call."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from difficulty.grouped import groups_by_hand, small_world
from upswing.difficulty.analyses import difficulty_analyses
from upswing.difficulty.groups.source import group_source
from upswing.difficulty.sandwich.degree_robustness import degree_robustness
from upswing.difficulty.sandwich.sandwich_data import sandwich_data
from upswing.difficulty.sandwich.sandwich_fit import fit_sandwich
from upswing.difficulty.sandwich.slice_and_sandwich import slice_and_sandwich
from upswing.difficulty.sandwich.threshold_robustness import threshold_robustness
from upswing.difficulty.sandwich.worth import ungrouped, worth_of_slicing
from upswing.errors import InputError

X = np.linspace(-1.0, 3.0, 40)


def wavy(seed: int = 0):
    rng = np.random.default_rng(seed)
    easy = -0.4 - 0.05 * np.sin(X) + 0.02 * rng.standard_normal(40)
    hard = -0.75 + 0.04 * X + 0.02 * rng.standard_normal(40)
    groups = np.column_stack([easy, (easy + hard) / 2, hard])
    return groups_by_hand(X, groups, 1.2 * (groups.mean(axis=1) + 0.9) + 0.01 * np.cos(5 * X))


def test_every_pair_of_degrees():
    groups = wavy()
    found = degree_robustness(groups, 1.5, 0.25)
    pairs = found.forecasts.filter(method="sandwich", clip="none")
    assert pairs.select("easy_degree", "hard_degree").rows() == [
        (easy, hard) for easy in (3, 5, 7) for hard in (2, 4, 6)
    ]
    one = slice_and_sandwich(groups, 1.5, 0.25, easy_degree=7, hard_degree=4)
    mse = pairs.filter(easy_degree=7, hard_degree=4)["mse"].item()
    assert mse == pytest.approx(one.errors["mse"][0])
    assert found.fits.filter(group="easy")["r2_train"].is_sorted()  # nested polynomials
    assert found.fits["condition"].to_list()[0] > 1
    drawn = found.lines.filter(group="hard", degree=2)
    assert drawn["value"].to_numpy() == pytest.approx(one_line(groups, 2, drawn))


def one_line(groups, degree, drawn):
    data = sandwich_data(groups, 1.5)
    fitted = fit_sandwich(data, 3, degree).hard
    return fitted(drawn["log10_flops"].to_numpy())


def test_clips():
    errors = degree_robustness(wavy(), 0.5, 0.25).forecasts.filter(method="sandwich")
    by_clip = dict(errors.group_by("clip").agg(pl.col("mse").sum()).iter_rows())
    assert by_clip["none"] >= by_clip["above"] >= by_clip["both"] > 0


def test_thresholds_sort_anew_and_leave_the_calibration_out():
    source = group_source(small_world(models=16, questions=120, shared=0.5))
    found = threshold_robustness(source, [1.5, 0.9])
    assert found.forecasts["n_train"].unique().sort().to_list() == [8, 10]
    assert set(found.forecasts.filter(method="sandwich")["calibrated"]) == {True, False}
    data = sandwich_data(source.groups(3, "brier", 0.9), 0.9)
    plain = fit_sandwich(data, 3, 2, calibrate=False).accuracy(data.x)
    mse = float(((plain - data.accuracy)[~data.train] ** 2).mean())
    row = found.forecasts.filter(
        threshold=0.9, method="sandwich", easy_degree=3, calibrated=False, clip="none"
    )
    assert row["mse"].item() == pytest.approx(mse)
    assert found.links["threshold"].to_list() == [1.5, 0.9]


def test_slicing_is_worth_nothing_where_groups_are_alike():
    """Groups that all equal the whole give the same forecast; others differ."""
    score = -0.6 + 0.05 * X + 0.03 * np.sin(2 * X)
    alike = groups_by_hand(X, np.column_stack([score] * 3), 1.2 * (score + 0.9))
    assert worth_of_slicing(alike, 1.5)["ratio"].to_list() == pytest.approx([1.0] * 4)
    different = worth_of_slicing(wavy(), 1.5)
    assert (abs(different["ratio"] - 1) > 1e-3).all()
    assert different["n_test"].unique().to_list() == [15]


def test_a_linear_forecast_does_not_know_of_groups():
    """Polynomials of one degree of two groups that make up the whole: slicing changes nothing."""
    groups = wavy()
    data = sandwich_data(groups, 1.5)  # the whole is the mean of easy and hard
    sliced, whole = fit_sandwich(data, 4, 4), fit_sandwich(ungrouped(data), 4, 4)
    assert sliced.accuracy(X) == pytest.approx(whole.accuracy(X), abs=1e-9)


def test_all_analyses_from_answers():
    source = group_source(small_world(models=20, questions=200))
    found = difficulty_analyses(source, 1.0, groups=4)
    missing = [name for name, value in vars(found).items() if value is None]
    assert missing == []
    assert found.by_accuracy.points["easiness_rank"].n_unique() == 4
    assert {note.code for note in found.notes} <= {"degree-lowered", "models-left-out"}
    assert found.worth["task"].unique().to_list() == ["simulated"]


def test_all_analyses_say_what_is_missing():
    source = group_source(small_world(models=3, questions=20))
    found = difficulty_analyses(source, 1.0)
    told = [note.message for note in found.notes if note.code == "analysis-missing"]
    assert found.by_brier is not None  # drawn without polynomials
    assert found.sandwich is None or found.sandwich.fit.easy.degree == 1
    assert all(message.startswith("simulated, ") for message in told)
    nobody = difficulty_analyses(source, -5.0)
    assert nobody.sandwich is None
    assert any("no model is left to sort" in note.message for note in nobody.notes)


def test_whole_numbers_are_thresholds_too():
    source = group_source(small_world(models=16, questions=120, shared=0.5))
    found = threshold_robustness(source, [1, 0.9])
    assert found.forecasts["threshold"].unique(maintain_order=True).to_list() == [1.0, 0.9]


def test_no_degree_and_no_threshold():
    source = group_source(small_world(models=16, questions=120))
    with pytest.raises(InputError, match="no degree"):
        threshold_robustness(source, [1.0], hard_degrees=[])
    with pytest.raises(InputError, match="no degree"):
        degree_robustness(wavy(), 1.5, easy_degrees=[])
    with pytest.raises(InputError, match="no threshold"):
        threshold_robustness(source, [])


def test_what_holds_for_every_threshold_is_told_once():
    source = group_source(small_world(models=16, questions=120))
    notes = threshold_robustness(source, [1.0, 0.9], exclude=["*-03"]).notes
    assert [note.code for note in notes] == ["models-left-out"]
