"""``upswing law compare`` as a user calls it."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from upswing.cli import run
from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning

QUICK = ["--intervals", "iid", "--no-cap"]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """One table of both families, and one of each."""
    folder = tmp_path_factory.mktemp("compare")
    frames = []
    for seed, (family, elbow) in enumerate([("v1", 1.93), ("v2", 2.02)]):
        world = FinetuningWorld(elbow=elbow, noise=0.005)
        frame = simulate_finetuning(world, np.random.default_rng(seed), 0.0)
        frames.append(frame.with_columns(pl.lit(family).alias("family")))
        frames[-1].write_csv(folder / f"{family}.csv")
    pl.concat(frames).write_csv(folder / "both.csv")
    return folder


def test_json_has_probability_and_difference(tables, capsys):
    arguments = ["law", "compare", str(tables / "both.csv"), "--families", "v1", "v2"]
    assert run([*arguments, *QUICK, "--truths", "1.93", "2.02", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["p_second_first"] > 0.5
    assert found["truth"]["difference"] == pytest.approx(0.09)
    assert found["difference"]["q05"] < found["difference"]["q95"]


def test_two_files_are_named_by_their_stems_and_drawn(tables, tmp_path, capsys):
    files = [str(tables / "v1.csv"), str(tables / "v2.csv")]
    figure = tmp_path / "both.svg"
    options = ["--before", "2.0", "2.04", "--figure", str(figure)]
    assert run(["law", "compare", *files, *QUICK, *options]) == 0
    assert "v2" in figure.read_text()
    out, err = capsys.readouterr()
    assert "v2 - v1" in out
    assert "P(v2 emerges first) =" in err


def test_a_refusal_is_an_answer(tables, capsys):
    arguments = ["law", "compare", str(tables / "both.csv"), *QUICK]
    assert run([*arguments, "--before", "2.2"]) == 0
    assert "refused: v1: models of 3 different losses" in capsys.readouterr().err


def test_one_truth_is_too_few(tables, capsys):
    assert run(["law", "compare", str(tables / "both.csv"), "--truths", "1.9"]) == 1
    assert "--truths has 1 values, and needs two" in capsys.readouterr().err
