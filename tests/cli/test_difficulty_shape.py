"""``upswing difficulty shape`` and ``upswing difficulty onset``."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from difficulty.grouped import small_world
from upswing import write_store
from upswing.cli import run
from upswing.difficulty.shapes.drifting_null import Drift, drifting_answers, group_means

X = np.sort(np.random.default_rng(5).uniform(20.1, 23.9, 36))
SORTS = X < 22.5


def write(path: Path, margin: np.ndarray, name: str = "made") -> str:
    """Write a group table as Wu and Lo's: 36 models of 9 families on 900 questions."""
    answers = drifting_answers(X, Drift(0.7, 0.9), 900, np.random.default_rng(1), margin=margin)
    brier = -group_means(answers.gain("brier"), SORTS, 3)
    accuracy = answers.right.mean(axis=1)
    head = "Model,Model Family,Model Size (B),FLOPs (1E21)"
    lines = [f"{head},0_300_brier,300_600_brier,600_900_brier,acc,brier"]
    for i, x in enumerate(X):
        cells = ",".join(repr(float(v)) for v in (*brier[:, i], accuracy[i], brier[:, i].mean()))
        lines.append(f"m{i},F{i % 9},1.0,{float(10 ** (x - 21))!r},{cells}")
    file = path / f"{name}_instance_brier_-1000_31.622776601683793_3_redist.csv"
    file.write_text("\n".join(lines) + "\n")
    return str(file)


@pytest.fixture(scope="module")
def no_ability(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write(tmp_path_factory.mktemp("none"), np.zeros((36, 1)))


@pytest.fixture(scope="module")
def true_u(tmp_path_factory: pytest.TempPathFactory) -> str:
    margin = 2 * np.maximum(X - 22.5, 0) - 1.5 * np.exp(-0.5 * ((X - 21.8) / 0.6) ** 2)
    return write(tmp_path_factory.mktemp("u"), margin[:, None])


SHAPE = ["--task", "made", "--threshold", "1.5", "--options", "4", "--worlds", "49"]


def test_sorting_alone(no_ability, capsys):
    assert run(["difficulty", "shape", no_ability, *SHAPE, "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["group"] for row in rows] == [0, 1, 2]
    assert rows[0]["shape"] == "inverted-u"
    assert rows[2]["shape"] in ("u-shaped", "u-then-rise")
    for row in rows:
        assert row["p_value_null"] > 0.05
        assert not row["beyond_sorting"]
        assert 0 < row["p_value"] <= 1
    assert (rows[2]["lo"], rows[2]["hi"], rows[2]["n"]) == (600, 900, 300)


def test_a_true_u(true_u, capsys):
    arguments = ["difficulty", "shape", true_u, *SHAPE, "--groups", "3", "--by", "brier"]
    assert run([*arguments, "--format", "json"]) == 0
    hard = json.loads(capsys.readouterr().out)[2]
    assert hard["shape"] == "u-then-rise"
    assert hard["p_value_null"] <= 0.05
    assert len(hard["arms"]) == len(hard["arms_p_value_null"]) == 3


def test_same_seed_same_bytes(no_ability, capsys):
    outputs = []
    for seed in ("0", "0", "1"):
        run(
            [
                "difficulty",
                "shape",
                no_ability,
                *SHAPE[:-1],
                "9",
                "--seed",
                seed,
                "--format",
                "json",
            ]
        )
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1] != outputs[2]


def test_table_csv_and_figure(no_ability, tmp_path, capsys):
    figure = tmp_path / "shape.svg"
    assert run(["difficulty", "shape", no_ability, *SHAPE, "--figure", str(figure)]) == 0
    captured = capsys.readouterr()
    assert "inverted-u" in captured.out
    assert "49 worlds of 900 questions with 4 options, sorted by" in captured.err
    assert figure.read_text().startswith("<svg")
    run(["difficulty", "shape", no_ability, *SHAPE, "--format", "csv"])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["easiness_rank"] for row in rows] == ["1", "2", "3"]


def test_only_models_below_a_cutoff(true_u, capsys):
    run(["difficulty", "shape", true_u, *SHAPE, "--cutoff", "0.9", "--format", "json"])
    assert json.loads(capsys.readouterr().out)[2]["shape"] == "falling"
    assert run(["difficulty", "shape", true_u, *SHAPE, "--cutoff", "-2"]) == 1
    assert "6 are needed" in capsys.readouterr().err


def test_onset(true_u, capsys):
    arguments = ["difficulty", "onset", true_u, "--chance", "0.25", "--format", "json"]
    assert run([*arguments, "--cutoff", "1.0", "2.8"]) == 0
    early, late = json.loads(capsys.readouterr().out)
    assert (early["cutoff"], late["cutoff"]) == (1.0, 2.8)
    assert early["status"] == "not yet"
    assert early["turning_point"] is None
    assert late["status"] == "turned"
    assert 0.6 < late["turning_point"] < 1.6
    assert late["turning_point_low"] <= late["turning_point"] <= late["turning_point_high"]
    assert late["soar"] == early["soar"]
    assert 1.5 < late["soar"] < 2.2
    assert late["published_threshold"] is None


def test_onset_needs_a_cutoff_and_chance(true_u, capsys):
    assert run(["difficulty", "onset", true_u]) == 1
    assert "--cutoff 1.5 looks at models below" in capsys.readouterr().err
    assert run(["difficulty", "onset", true_u, "--cutoff", "1.5"]) == 1
    assert "--chance" in capsys.readouterr().err


def test_answers_of_a_store(tmp_path, capsys):
    store = tmp_path / "made.store"
    write_store(small_world(models=14, questions=120), store)
    arguments = ["difficulty", "shape", str(store), "--worlds", "19", "--threshold", "1"]
    assert run([*arguments, "--by", "accuracy", "--groups", "2", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["easiness_rank"] for row in rows] == [2, 1]
    assert run(["difficulty", "onset", str(store), "--cutoff", "2", "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["sorted_up_to"] == 2
    assert row["soar_level"] == pytest.approx(0.325)


@pytest.mark.data
def test_published_table(shared_data, capsys):
    folder = shared_data / "tony10101105/ExpEmergence@288b731/data"
    file = folder / "mmlu/mmlu_instance_brier_-1000_31.622776601683793_3_redist.csv"
    arguments = ["difficulty", "shape", str(file), "--task", "mmlu", "--groups", "3"]
    assert run([*arguments, "--worlds", "59", "--format", "json"]) == 0
    easy, middle, hard = json.loads(capsys.readouterr().out)
    assert easy["shape"] == "u-then-rise"
    assert easy["p_value_null"] == pytest.approx(1 / 60)
    assert (middle["shape"], hard["shape"]) == ("rising", "rising")
    assert run(["difficulty", "onset", str(file), "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["cutoff"], row["published_threshold"], row["status"]) == (1.5, 1.5, "not yet")
