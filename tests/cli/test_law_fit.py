"""``upswing law fit`` as a user calls it."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from upswing.cli import run
from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    frame = simulate_finetuning(
        FinetuningWorld(draws=2), np.random.default_rng(3), gap=None, prompted="all"
    )
    path = tmp_path_factory.mktemp("law") / "finetunes.csv"
    frame.write_csv(path)
    return str(path)


OPTIONS = ["--task", "simulated", "--d0", "5", "--before", "1.98", "--resamples", "50", "--no-cap"]


def test_json_has_what_was_promised(table, capsys):
    assert run(["law", "fit", table, *OPTIONS, "--truth", "1.95", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["refused"] is False
    assert found["elbow"]["q05"] < 1.95 < found["elbow"]["q95"]
    assert found["truth"]["elbow"] == 1.95
    assert found["bootstrap"]["fitted"] <= 50
    assert {"parameters", "identifiability", "baselines", "notes", "reason"} <= set(found)


def test_the_table_shows_intervals_and_baselines(table, capsys):
    assert run(["law", "fit", table, *OPTIONS, "--other-truths", "1.9"]) == 0
    out = capsys.readouterr().out
    assert "hierarchical" in out
    assert "bootstrap of subsets" in out
    assert "just past the best random checkpoint" in out
    assert "mean truth of other tasks" in out
    assert re.search(r"just past the best random checkpoint +1\.933 ", out)  # not 1.93


def test_csv_has_one_row_per_forecast(table, capsys):
    assert run(["law", "fit", table, *OPTIONS, "--intervals", "iid", "--format", "csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("forecast,elbow,error")
    assert len(lines) == 5


def test_a_refusal_is_an_answer(table, capsys):
    assert run(["law", "fit", table, "--before", "2.2", "--resamples", "0"]) == 0
    assert "refused: models of 3 different losses" in capsys.readouterr().err


def test_a_fit_to_emerged_models_warns_and_strict_counts_it(table, capsys):
    assert (
        run(["law", "fit", table, "--resamples", "0", "--no-cap", "--strict", "--intervals", "iid"])
        == 2
    )
    assert "this is a fit, not a forecast" in capsys.readouterr().err


def test_a_bad_cell_is_named_by_its_line(tmp_path, capsys):
    path = tmp_path / "bad.csv"
    path.write_text("model,loss,task,d,value\na,2.0,t,0,0.5\n")
    assert run(["law", "fit", str(path)]) == 1
    assert "bad.csv:2: a finetuned model with D = 0" in capsys.readouterr().err.replace("\n", " ")
