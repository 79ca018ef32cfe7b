"""Agreement with Wu and Lo's own scripts on their data.

``reference/wu-lo`` holds what their unmodified scripts gave (plotly 5.24, statsmodels 0.14.4, scipy
1.14), with their flags for errors and clipping on; ten significant digits.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from upswing import read
from upswing.difficulty.analyses import difficulty_analyses
from upswing.difficulty.groups.source import group_source
from upswing.difficulty.sandwich.slice_and_sandwich import slice_and_sandwich
from upswing.sources.wu_lo import TASKS

pytestmark = pytest.mark.data

FOLDER = Path("tony10101105/ExpEmergence@288b731/data")
CHECKED = ("mmlu", "parsinlu_qa_mc", "hellaswag")
EXACT = 1e-9


@pytest.fixture(scope="module")
def tables(shared_data):
    return read(shared_data / FOLDER)


@pytest.fixture(scope="module")
def analyses(tables):
    return {
        task: difficulty_analyses(
            group_source(tables, task),
            TASKS[task].threshold,
            TASKS[task].chance,
            degree=TASKS[task].picture_degree,
            thresholds=TASKS[task].thresholds,
        )
        for task in ("mmlu", "parsinlu_qa_mc", "hellaswag", "arithmetic", "analogical_similarity")
    }


def close(value):
    return pytest.approx(value, rel=EXACT)


@pytest.mark.parametrize("task", CHECKED)
def test_summary(analyses, reference, task):
    row = pl.read_csv(reference / "wu-lo/fit_cluster_summary.csv").row(
        by_predicate=pl.col("dataset") == task, named=True
    )
    found = analyses[task].sandwich
    data, link = found.data, found.fit.link
    mse = dict(found.errors.select("method", "mse").iter_rows())
    mae = dict(found.errors.select("method", "mae").iter_rows())
    every, train = found.correlations.iter_rows(named=True)
    assert (len(data.x), data.train.sum()) == (row["n_kept"], row["n_train"])
    assert found.threshold == row["threshold_log10"]
    assert {
        "ols_acc_to_brier_intercept": link.intercept,
        "ols_acc_to_brier_slope": link.slope,
        "ols_r2": link.r2,
        "pearson_all": every["pearson"],
        "spearman_all": every["spearman"],
        "kendall_all": every["kendall"],
        "pearson_train": train["pearson"],
        "calibration_shift": found.fit.shift,
        "mse_test_ours": mse["sandwich"],
        "mse_test_ours_clip": mse["sandwich_clipped"],
        "mse_test_hardlift": mse["hard_lift"],
        "mse_test_hardlift_clip": mse["hard_lift_clipped"],
        "mse_test_baseline": mse["baseline"],
        "mse_test_oracle": mse["oracle"],
        "mse_test_train_mean": mse["train_mean"],
        "mse_test_last_model": mse["last_model"],
        "mse_test_random_guess": mse["chance"],
        "mae_test_ours": mae["sandwich"],
        "mae_test_baseline": mae["baseline"],
        "acc_mean_train": data.accuracy[data.train].mean(),
        "acc_mean_test": data.accuracy[~data.train].mean(),
        "max_acc_pred_test": found.fit.accuracy(data.x)[~data.train].max(),
        "min_acc_pred_test": found.fit.accuracy(data.x)[~data.train].min(),
        "mse_test_brier_pred": ((found.fit.score(data.x) - data.score)[~data.train] ** 2).mean(),
    } == {
        name: close(row[name])
        for name in list(row)[list(row).index("ols_acc_to_brier_intercept") :]
    }


@pytest.mark.parametrize("task", CHECKED)
def test_coefficients(analyses, reference, task):
    table = pl.read_csv(reference / "wu-lo/coefficients.csv").filter(dataset=task)
    found = analyses[task].sandwich
    mine = {
        "easy_poly5": found.fit.easy.coefficients,
        "hard_poly2": found.fit.hard.coefficients,
        "baseline_logit": [found.baseline.intercept, found.baseline.slope],
        "oracle_logit": [found.oracle.intercept, found.oracle.slope],
    }
    assert set(table["fit"]) == set(mine)
    for (fit,), part in table.partition_by("fit", as_dict=True).items():
        assert list(mine[fit]) == close(part["coef"].to_list())


@pytest.mark.parametrize("task", CHECKED)
def test_predictions(analyses, reference, task):
    theirs = pl.read_csv(reference / f"wu-lo/predictions/{task}.csv")
    mine = analyses[task].sandwich.predictions
    joined = theirs.join(mine, on="model", suffix="_mine", maintain_order="left")
    assert len(joined) == len(theirs) == len(mine)
    columns = {
        "log10_flops_1e21": "log10_flops",
        "acc": "acc_mine",
        "neg_brier": "score",
        "easy_neg_brier": "easy",
        "hard_neg_brier": "hard",
        "easy_pred": "easy_pred_mine",
        "hard_pred": "hard_pred_mine",
        "brier_pred": "score_pred",
        "ols_brier_of_acc": "score_of_acc",
        "acc_pred": "acc_pred_mine",
        "acc_base_pred": "acc_baseline",
        "acc_oracle_pred": "acc_oracle",
        "hardlift_brier_pred": "score_hard_lift",
        "acc_pred_hardlift": "acc_hard_lift",
        "acc_pred_clip": "acc_pred_clipped",
        "acc_pred_hardlift_clip": "acc_hard_lift_clipped",
    }
    assert set(theirs.columns) == {*columns, "model", "split"}
    assert joined["split"].to_list() == joined["split_mine"].to_list()
    for their, my in columns.items():
        assert joined[my].to_list() == close(joined[their].to_list()), their


@pytest.mark.parametrize("task", CHECKED)
def test_degrees(analyses, reference, task):
    theirs = pl.read_csv(reference / "wu-lo/robustness_degree.csv").filter(dataset=task)
    found = analyses[task].degrees
    for row in theirs.iter_rows(named=True):
        if row["group"] in ("easy", "hard"):
            mine = found.fits.row(
                by_predicate=(pl.col("group") == row["group"]) & (pl.col("degree") == row["degree"])
            )
            names = ("r2_train", "mse_train_group_brier", "mse_test_group_brier", "cond")
            assert list(mine[2:]) == close([row[name] for name in names])
            continue
        easy, hard = map(int, str(row["degree"]))  # written as 32 for 3 and 2
        mine = found.forecasts.filter(method="sandwich", easy_degree=easy, hard_degree=hard)
        names = ("mse_test_acc", "mse_test_acc_clip", "mse_test_acc_clip01")
        assert mine["clip"].to_list() == ["none", "above", "both"]
        assert mine["mse"].to_list() == close([row[name] for name in names])
    assert len(theirs) == 15


@pytest.mark.parametrize("task", ["mmlu", "parsinlu_qa_mc"])
def test_thresholds(analyses, reference, task):
    theirs = pl.read_csv(reference / "wu-lo/robustness_threshold.csv").filter(dataset=task)
    found = analyses[task].thresholds
    assert found.links["threshold"].to_list() == theirs["threshold_log10"].to_list()
    for row in theirs.iter_rows(named=True):
        mine = found.forecasts.filter(pl.col("threshold") == row["threshold_log10"])

        def mse(mine=mine, **which):
            return mine.filter(**which)["mse"].item()

        own = {"mse_test_baseline": mse(method="baseline"), "mse_test_oracle": mse(method="oracle")}
        for degree in (3, 5):
            which = {"method": "sandwich", "easy_degree": degree}
            own[f"mse_test_ours{degree}"] = mse(calibrated=False, clip="none", **which)
            own[f"mse_test_ours{degree}_clip"] = mse(calibrated=False, clip="above", **which)
            own[f"mse_test_ours{degree}_calibrated"] = mse(calibrated=True, clip="none", **which)
        link = found.links.row(by_predicate=pl.col("threshold") == row["threshold_log10"])
        own |= {"ols_intercept": link[1], "ols_slope": link[2]}
        assert own == {name: close(row[name]) for name in own}
        assert mine.select("n_train", "n_test").row(0) == (row["n_train"], row["n_test"])


def test_a_renamed_copy_gives_the_same(analyses, shared_data, tmp_path):
    """Nothing depends on the name of a task: threshold and chance are arguments."""
    theirs = shared_data / FOLDER / "mmlu/mmlu_instance_brier_-1000_31.622776601683793_3_redist.csv"
    shutil.copy(theirs, tmp_path / "copy.csv")
    source = group_source(read(tmp_path / "copy.csv"), "anything")
    found = slice_and_sandwich(source.groups(3, "brier", 1.5), 1.5, 0.25)
    named = analyses["mmlu"].sandwich
    for column in found.predictions.drop("model", "revision", "family", "split").columns:
        mine, theirs = found.predictions[column], named.predictions[column]
        assert mine.to_list() == close(theirs.to_list())
    assert found.predictions["model"].to_list() == named.predictions["model"].to_list()
    assert found.errors["mse"].to_list() == close(named.errors["mse"].to_list())


def test_files_that_do_not_exist_are_named(analyses):
    """Accuracy groups and further thresholds are there for three tasks only."""
    for task in ("mmlu", "parsinlu_qa_mc", "arithmetic"):
        assert all(value is not None for value in vars(analyses[task]).values())
    for task in ("hellaswag", "analogical_similarity"):
        told = [n.message for n in analyses[task].notes if n.code == "analysis-missing"]
        assert analyses[task].by_accuracy is None
        assert analyses[task].thresholds is None
        assert any(f"acc_{task}_instance_brier_-1000_" in message for message in told)
        assert len(told) == 2


def test_the_published_constants(reference):
    import json

    for task, theirs in json.loads((reference / "wu-lo/tasks.json").read_text()).items():
        mine = TASKS[task]
        assert (mine.n_shot, mine.chance) == (theirs["fewshot"], theirs["random_guess_acc"])
        assert (mine.threshold, mine.picture_degree) == (
            theirs["threshold"],
            theirs["plot_degree_10groups"],
        )
        assert mine.emergent == (theirs["type"] == "Emergence")
        assert mine.thresholds == tuple(theirs["robust_thresholds"] or ())
    assert len(TASKS) == 9
