"""Table 2 of Snell et al. in our columns: the counts of the specification, from our own summary."""

from __future__ import annotations

import polars as pl
import pytest

from upswing.forecast.studies.ablations import COLUMNS, summarise_ablations
from upswing.forecast.studies.published_ablations import published_ablations
from upswing.sources.published.snell import read_snell_errors, read_snell_percentiles


@pytest.fixture(scope="module")
def table():
    return published_ablations()


def test_every_cell_is_there_in_our_columns(table):
    assert table.schema == pl.Schema(COLUMNS)
    assert table.height == 76
    assert table.select("task", "setting").is_duplicated().sum() == 0
    assert table["absolute_error"].to_list() == read_snell_errors()["error"].to_list()


def test_failures_by_task_and_by_what_is_held_out(table):
    failed = table.filter(~pl.col("within_criterion"))
    assert len(failed) == 26
    by_task = dict(failed.group_by("task").len().iter_rows())
    assert by_task == {"GSM8K": 2, "MMLU": 5, "CSQA": 10, "CoLA": 9}
    counts = summarise_ablations(table).group_by("study", maintain_order=True)
    assert counts.agg(pl.col("settings").sum(), pl.col("failed").sum()).rows() == [
        ("full", 4, 0),
        ("amounts", 24, 5),
        ("draws", 8, 3),
        ("checkpoints", 40, 18),
    ]


def test_the_naive_forecast_passes_three_of_four(table):
    full = table.filter(study="full")
    assert full["others_mean_error"].to_list() == pytest.approx(
        [0.159, 0.067, 0.050, 0.042], abs=5e-4
    )
    assert summarise_ablations(full)["others_mean_failed"].to_list() == [1, 0, 0, 0]
    cola = full.row(3, named=True)
    assert cola["others_mean_error"] < cola["absolute_error"]


def test_table_3_gives_the_forecasts_of_the_full_data(table):
    full = table.filter(study="full")
    assert full["elbow"].to_list() == [2.006, 1.855, 1.83, 1.769]
    assert full["error"].abs().to_list() == pytest.approx(
        full["absolute_error"].to_list(), abs=5e-4
    )
    assert full["inside_90"].to_list() == [True, False, True, False]
    assert table.filter(pl.col("study") != "full")["elbow"].null_count() == 72
    truths = read_snell_percentiles().filter(pl.col("study") == "main")["truth"].unique()
    assert set(table["truth"]) == set(truths)
