"""Tables 2 and 3 of Snell et al.: what they say, computed."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from upswing.forecast.finetuning.scores import CRITERION, baselines, score_elbow
from upswing.sources.published import published_tables
from upswing.sources.published.snell import read_snell_errors, read_snell_percentiles

MAIN = pl.col("study") == "main"


def truths():
    table = read_snell_percentiles().filter(MAIN, pl.col("method") == "posterior")
    return dict(zip(table["task"], table["truth"], strict=True))


def test_both_name_their_source():
    for name in ("snell_2024_table2", "snell_2024_table3"):
        assert published_tables()[name].reference == "arXiv:2411.16035"
        assert published_tables()[name].kind == "forecasts"


def test_errors_of_table_3_are_the_first_row_of_table_2():
    full = read_snell_errors().filter(pl.col("data") == "Full Data")
    found = read_snell_percentiles().filter(MAIN, pl.col("method") == "posterior")
    joined = full.join(found, on="task")
    assert len(joined) == 4
    error = (joined["mle"] - joined["truth"]).abs().to_numpy()
    assert error == pytest.approx(joined["error"].to_numpy(), abs=5e-4)


def test_26_of_76_forecasts_fail():
    table = read_snell_errors()
    failed = table.with_columns((pl.col("error") > CRITERION).alias("failed"))
    assert (len(table), failed["failed"].sum()) == (76, 26)
    by_task = dict(failed.group_by("task").agg(pl.col("failed").sum()).iter_rows())
    assert by_task == {"GSM8K": 2, "MMLU": 5, "CSQA": 10, "CoLA": 9}
    held = dict(failed.group_by("held_out").agg(pl.col("failed").sum()).iter_rows())
    assert held == {"all": 0, "subsets": 8, "checkpoints": 18}


def test_failures_are_confident():
    """In 21 of the 26 even the 5th percentile of the error is above the criterion."""
    failed = read_snell_errors().filter(pl.col("error") > CRITERION)
    assert (failed["error_q05"] > CRITERION).sum() == 21
    assert (failed["error"] > 0.5).sum() == 16
    passed = read_snell_errors().filter(pl.col("error") <= CRITERION)
    assert (len(passed), (passed["error_q95"] > CRITERION).sum()) == (50, 15)


def test_two_errors_exceed_the_true_loss():
    """So the forecast was a negative loss, or one of more than twice the truth."""
    table = read_snell_errors().with_columns(pl.col("task").replace_strict(truths()).alias("truth"))
    beyond = table.filter(pl.col("error") > pl.col("truth"))
    assert sorted(beyond.select("task", "data", "error", "truth").rows()) == [
        ("CoLA", "-3 Last Checkpoints", 2.217, 1.833),
        ("MMLU", "-4 Last Checkpoints", 2.308, 1.814),
    ]


def test_luck_of_the_draw():
    """The first sample of the examples alone fails on three of four tasks, the second on none."""
    table = read_snell_errors().filter(pl.col("error") > CRITERION)
    first = table.filter(pl.col("data") == "Only Subset Sample 1")
    assert sorted(first["task"]) == ["CSQA", "CoLA", "MMLU"]
    assert first["error"].max() == 1.557
    assert table.filter(pl.col("data") == "Only Subset Sample 2").is_empty()


def test_no_uniform_rule_on_amounts():
    table = read_snell_errors()
    errors = {
        data: dict(table.filter(pl.col("data") == data).select("task", "error").iter_rows())
        for data in ("-3 Smallest Subset", "-2 Largest Subset")
    }
    smallest, largest = errors.values()
    assert smallest == {"GSM8K": 0.005, "MMLU": 0.001, "CSQA": 0.988, "CoLA": 1.513}
    assert [task for task, error in largest.items() if error > CRITERION] == ["MMLU"]


def test_the_most_likely_elbow_can_lie_outside_its_own_posterior():
    found = read_snell_percentiles().filter(
        MAIN, pl.col("method") == "posterior", pl.col("task") == "GSM8K"
    )
    row = found.row(0, named=True)
    assert (row["mle"], row["q50"], row["q95"]) == (2.006, 1.937, 2.003)


@pytest.mark.parametrize(("method", "inside"), [("posterior", 4), ("bootstrap", 3)])
def test_how_often_the_interval_holds_the_truth(method, inside):
    table = read_snell_percentiles().filter(
        pl.col("method") == method, pl.col("truth").is_not_null()
    )
    assert len(table) == 6
    assert table.select(pl.col("truth").is_between("q05", "q95").sum()).item() == inside


def test_the_mean_of_the_other_tasks_passes_three_of_four():
    known = truths()
    errors = {}
    for task, truth in known.items():
        others = [value for name, value in known.items() if name != task]
        guess = baselines(2.0, None, others)["mean truth of other tasks"]
        errors[task] = score_elbow(guess, truth, 2.0)
    assert sum(error.within_criterion for error in errors.values()) == 3
    sizes = [errors[task].absolute_error for task in ("GSM8K", "MMLU", "CSQA", "CoLA")]
    assert sizes == pytest.approx([0.159, 0.067, 0.050, 0.042], abs=6e-4)
    law = read_snell_errors().filter(pl.col("data") == "Full Data", pl.col("task") == "CoLA")
    assert errors["CoLA"].absolute_error < law["error"].item()


def test_percentiles_ascend():
    table = read_snell_percentiles().select("q05", "q10", "q25", "q50", "q75", "q90", "q95")
    assert np.all(np.diff(table.to_numpy(), axis=1) >= 0)


@pytest.mark.data
def test_they_agree_with_the_shared_reference(reference):
    shared = pl.read_csv(reference / "snell" / "table2.csv")
    columns = ["mle_abs_error_nats", "mcmc_abs_err_p05", "mcmc_abs_err_p95"]
    ours = read_snell_errors().select("data", "task", "error", "error_q05", "error_q95")
    assert ours.rows() == shared.select("ablation", "task", *columns).rows()
    shared = pl.read_csv(reference / "snell" / "table3.csv")
    numbers = ["p05", "p10", "p25", "p50", "p75", "p90", "p95", "mle", "ground_truth"]
    assert read_snell_percentiles().drop("study", "task", "method").rows() == (
        shared.select(numbers).rows()
    )
