"""``upswing law ablate`` and ``upswing law advance`` as a user calls them."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from upswing.cli import run
from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    world = FinetuningWorld(amounts=(256, 1448, 8192), draws=2, noise=0.005)
    frame = simulate_finetuning(world, np.random.default_rng(3), gap=None, prompted="all")
    path = tmp_path_factory.mktemp("law") / "finetunes.csv"
    frame.write_csv(path)
    return str(path)


OPTIONS = ["--d0", "5", "--truth", "1.95", "--no-cap", "--intervals", "iid"]


def test_a_study_is_chosen_and_printed_as_csv(table, capsys):
    assert run(["law", "ablate", table, *OPTIONS, "--study", "draws", "--format", "csv"]) == 0
    rows = pl.read_csv(capsys.readouterr().out.encode())
    assert rows["study"].to_list() == ["full", "draws", "draws"]
    assert rows["truth"].unique().to_list() == [1.95]
    assert {"error_q05", "within_criterion", "best_still_random_error"} <= set(rows.columns)


def test_the_table_counts_and_says_why_it_refuses(table, capsys, tmp_path):
    figure = tmp_path / "errors.svg"
    options = [*OPTIONS, "--task", "simulated", "--study", "amounts", "--figure", str(figure)]
    assert run(["law", "ablate", table, *options]) == 0
    out, err = capsys.readouterr()
    assert "Forecasts of simulated, acc, true elbow 1.95" in out
    assert "without the 2 smallest amounts" in out
    assert "largest_absolute_error" in out
    assert "without the 3 smallest amounts: there are 3 amounts" in err
    assert "Amounts of data" in figure.read_text()


def test_leads_as_json_with_a_figure(table, capsys, tmp_path):
    figure = tmp_path / "leads.svg"
    options = [*OPTIONS, "--gaps", "0", "0.1", "--other-truths", "1.9", "--figure", str(figure)]
    assert run(["law", "advance", table, *options, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["dropped"] for row in found["leads"]] == [0, 7]
    assert found["reach"][0]["forecast"] == "emergence law"
    assert found["reach"][-1]["forecast"] == "mean truth of other tasks"
    assert "largest used" in figure.read_text()


def test_leads_as_a_table(table, capsys):
    assert run(["law", "advance", table, *OPTIONS, "--gaps", "0.05"]) == 0
    out = capsys.readouterr().out
    assert "How far in advance" in out
    assert "just past the best random checkpoint" in out


def test_without_a_truth_there_is_nothing_to_compare_with(table, capsys, tmp_path):
    path = tmp_path / "tuned.csv"
    pl.read_csv(table).filter(~pl.col("few_shot")).write_csv(path)
    assert run(["law", "ablate", str(path)]) == 1
    assert "no true elbow of simulated" in capsys.readouterr().err
