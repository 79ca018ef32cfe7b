"""``upswing difficulty groups``, ``sandwich`` and ``robustness`` as a user calls them."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from upswing import write_store
from upswing.cli import run
from upswing.simulate import MultipleChoiceWorld, simulate_multiple_choice

DATA = Path("tony10101105/ExpEmergence@288b731/data")
MMLU = DATA / "mmlu/mmlu_instance_brier_-1000_31.622776601683793_3_redist.csv"


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> str:
    rng = np.random.default_rng(0)
    world = MultipleChoiceWorld(np.geomspace(1e20, 1e24, 20), rng.uniform(20, 24, 90))
    path = tmp_path_factory.mktemp("difficulty") / "made.store"
    write_store(simulate_multiple_choice(world, rng), path)
    return str(path)


def output(arguments: list[str], capsys) -> str:
    assert run(["difficulty", *arguments]) == 0
    return capsys.readouterr().out


def test_groups_as_json(store, capsys):
    rows = json.loads(output(["groups", store, "--groups", "5", "--format", "json"], capsys))
    assert len(rows) == 20 * 5
    first = rows[0]
    assert (first["model"], first["group"], first["lo"], first["hi"]) == (
        "simulated-00", 0, 0, 18,
    )  # fmt: skip
    assert (first["metric"], first["n"], first["log10_flops"]) == ("tc_brier", 18, -1.0)
    assert 0 < first["stderr"] < first["value"] < 1


def test_groups_by_accuracy_in_other_formats(store, capsys):
    text = output(["groups", store, "--by", "accuracy", "--groups", "3", "--format", "csv"], capsys)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["metric"] for row in rows} == {"acc"}
    assert [row["easiness_rank"] for row in rows[:3]] == ["3", "2", "1"]
    table = output(["groups", store, "--groups", "3"], capsys)
    assert "0-30" in table
    assert "the easiest first" in table


def test_sandwich_as_json(store, capsys):
    arguments = ["sandwich", store, "--task", "simulated", "--threshold", "1.5", "--format", "json"]
    found = json.loads(output([*arguments, "--chance", ".25"], capsys), parse_constant=pytest.fail)
    assert set(found["link"]) == {"intercept", "slope", "r2"}
    assert {"sandwich", "sandwich_clipped", "hard_lift", "baseline", "oracle"} <= set(found["mse"])
    rows = found["predictions"]
    assert set(rows[0]) >= {
        "model", "log10_flops", "acc", "acc_pred", "acc_hard_lift", "acc_baseline", "acc_oracle",
        "split",
    }  # fmt: skip
    assert [row["split"] for row in rows] == ["train"] * 12 + ["test"] * 8
    test = [row for row in rows if row["split"] == "test"]
    for key, column in (("sandwich", "acc_pred"), ("hard_lift", "acc_hard_lift")):
        mse = np.mean([(row[column] - row["acc"]) ** 2 for row in test])
        assert found["mse"][key] == pytest.approx(mse)
    clipped = json.loads(output([*arguments, "--clip"], capsys))
    assert all(row["acc_pred"] <= 1 for row in clipped["predictions"])
    assert clipped["mse"] == found["mse"]
    lifted = json.loads(output([*arguments, "--hard-lift"], capsys))["predictions"]
    assert [row["acc_pred"] for row in lifted] == [row["acc_hard_lift"] for row in rows]
    other = [*arguments, "--easy-degree", "3", "--hard-degree", "1"]
    degrees = json.loads(output(other, capsys))
    assert (degrees["easy_degree"], degrees["hard_degree"]) == (3, 1)


def test_robustness(store, capsys):
    arguments = ["robustness", store, "--threshold", "1.5", "--format", "json"]
    found = json.loads(output(arguments, capsys))
    assert (found["over"], len(found["fits"])) == ("degrees", 6)
    assert len([row for row in found["forecasts"] if row["clip"] == "none"]) == 9 + 2
    arguments += ["--over", "thresholds", "--thresholds", "1.5", "1.1"]
    found = json.loads(output(arguments, capsys))
    assert [row["threshold"] for row in found["links"]] == [1.5, 1.1]


def test_figures(store, tmp_path, capsys):
    for command, more in (
        ("groups", ["--groups", "4"]),
        ("sandwich", []),
        ("robustness", []),
        ("robustness", ["--over", "thresholds"]),
    ):
        path = tmp_path / f"{command}{len(more)}.svg"
        arguments = ["difficulty", command, store, "--threshold", "1.5", *more]
        assert run([*arguments, "--figure", str(path)]) == 0
        assert path.read_text().startswith("<svg")
    assert "Figure: " in capsys.readouterr().err


def test_refusals_say_what_to_do(store, tidy, capsys):
    assert run(["difficulty", "sandwich", store]) == 1
    assert "no threshold was given for simulated" in capsys.readouterr().err
    assert run(["difficulty", "sandwich", store, "--task", "x", "--threshold", "1"]) == 1
    assert "no task with log-likelihoods of options matches 'x'" in capsys.readouterr().err
    assert run(["difficulty", "groups", str(tidy([0.1, 0.2, 0.3]))]) == 1
    assert "neither answers" in capsys.readouterr().err


@pytest.mark.data
def test_a_published_table_and_a_renamed_copy(shared_data, tmp_path, capsys):
    """The published model filter applies by default, and no number depends on the name."""
    copy = tmp_path / "copy.csv"
    shutil.copy(shared_data / MMLU, copy)
    arguments = ["--threshold", "1.5", "--chance", ".25", "--format", "json"]
    named = ["sandwich", str(shared_data / MMLU), "--task", "mmlu", *arguments]
    found = json.loads(output(named, capsys))
    assert len(found["predictions"]) == 59
    assert found["mse"]["sandwich"] == pytest.approx(2.354327709, rel=1e-9)
    renamed = json.loads(output(["sandwich", str(copy), "--task", "any", *arguments], capsys))
    assert renamed["predictions"] == found["predictions"]
    assert renamed["mse"] == found["mse"]
    everyone = json.loads(output([*named, "--exclude", "none"], capsys))
    assert len(everyone["predictions"]) == 65
    constants = ["sandwich", str(shared_data / MMLU), "--format", "json"]
    assert run(["difficulty", *constants]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["mse"] == found["mse"]
    assert "Threshold: 1.5, the published one of mmlu" in told.err
    missing = ["difficulty", "groups", str(shared_data / MMLU), "--by", "accuracy"]
    assert run(missing) == 1
    assert "no table of mmlu in 10 groups by acc" in capsys.readouterr().err


def test_the_ladder_that_ships_through_the_same_commands(capsys):
    from upswing.lab.shipped import FOLDER

    for task in ("reverse", "addition-2"):
        arguments = [str(FOLDER), "--task", task, "--checkpoints", "--format", "json"]
        groups = json.loads(output(["groups", *arguments, "--groups", "4"], capsys))
        assert len(groups) == 54 * 4
        assert all(row["n"] == 125 for row in groups)
        found = json.loads(output(["sandwich", *arguments, "--threshold=-9.2"], capsys))
        assert found["chance"] == 0.25
        assert found["mse"]["sandwich"] > 0
    study = json.loads(output(["robustness", *arguments, "--threshold=-9.2"], capsys))
    assert study["forecasts"]


def refused(arguments: list[str], capsys) -> str:
    assert run(["difficulty", *arguments]) == 1
    return capsys.readouterr().err


def test_models_to_leave_out_have_to_be_there(store, capsys):
    arguments = ["sandwich", store, "--threshold", "1.5", "--format", "json", "--exclude"]
    assert "no model matches 'simulatd-*'" in refused([*arguments, "simulatd-*"], capsys)
    found = json.loads(output([*arguments, "*-03"], capsys))
    assert len(found["predictions"]) == 19
    found = json.loads(output([*arguments, "none"], capsys))
    assert len(found["predictions"]) == 20


def test_options_that_would_do_nothing_are_refused(store, capsys):
    undistributed = ["groups", store, "--by", "accuracy", "--undistributed"]
    assert "--undistributed says which TC Brier score" in refused(undistributed, capsys)
    thresholds = ["robustness", store, "--threshold", "1", "--thresholds", "1", "2"]
    assert "--over thresholds" in refused(thresholds, capsys)


def test_without_models_to_judge_by_no_errors_are_printed(store, capsys):
    assert run(["difficulty", "sandwich", store, "--threshold", "9"]) == 0
    told = capsys.readouterr().err
    assert "MSE" not in told
    assert "warning No model of simulated has 10^9 times 1e21 FLOP or more" in told


def test_a_figure_of_robustness_has_its_title(store, tmp_path, capsys):
    path = tmp_path / "r.svg"
    assert (
        run(["difficulty", "robustness", store, "--threshold", "1.5", "--figure", str(path)]) == 0
    )
    assert ">simulated<" in path.read_text()


@pytest.mark.data
def test_a_threshold_counts_for_published_tasks_too(shared_data, capsys):
    arguments = ["robustness", str(shared_data / MMLU), "--task", "mmlu", "--over", "thresholds"]
    told = refused([*arguments, "--threshold", "1.1"], capsys)
    assert "sorted by models up to 12.59e21 FLOP, was read" in told


@pytest.mark.data
def test_a_metric_that_a_table_lacks(shared_data, capsys):
    arguments = ["groups", str(shared_data / MMLU), "--groups", "3", "--metric", "acc"]
    assert "hold no acc (they hold option_mass, tc_brier" in refused(arguments, capsys)
