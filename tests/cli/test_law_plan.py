"""``upswing law plan`` as a user calls it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from upswing.cli import run
from upswing.simulate.finetuning import LOSSES, FinetuningWorld, simulate_finetuning


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    world = FinetuningWorld(questions=2000, amounts=(512, 8192))
    frame = simulate_finetuning(world, np.random.default_rng(1), 0.0, losses=(LOSSES[0],))
    path = tmp_path_factory.mktemp("plan") / "run.csv"
    frame.write_csv(path)
    return str(path)


def test_json_has_steps_and_limits(table, capsys):
    arguments = ["law", "plan", table, "--task", "simulated", "--no-cap", "--unit", "runs"]
    assert run([*arguments, "--budget", "2", "--most", "2", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [step["rank"] for step in found["steps"]] == [1, 2]
    assert found["expected_width"] < found["width"]
    assert found["unit"] == "runs"
    assert found["limits"]["best_loss"] == 1.953


def test_candidates_may_be_given_with_costs_of_their_own(table, tmp_path, capsys):
    path = tmp_path / "could.csv"
    path.write_text("loss,d,draws,cost\n1.953,256,1,10\n2.5,256,1,1\n")
    arguments = ["law", "plan", table, "--no-cap", "--candidates", str(path), "--most", "1"]
    assert run([*arguments, "--budget", "10", "--format", "csv"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[1].startswith("1,loss 1.953,,1.953,256.0,1,2000.0,10.0,10.0")
    assert "1 step for 10 of 10 cost" in err


def test_a_budget_too_small_is_told(table, capsys):
    assert run(["law", "plan", table, "--no-cap", "--budget", "5", "--most", "1"]) == 0
    assert "Nothing is affordable: the cheapest candidate costs" in capsys.readouterr().err
