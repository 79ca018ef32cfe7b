"""``upswing mirage meta`` as a user calls it."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import polars as pl
import pytest

from upswing.cli import run


@pytest.fixture
def scores(tidy) -> list[str]:
    jump = tidy([0.0, 0.0, 0.0, 0.0, 0.0, 0.5], n=8, task="jump", name="jump.csv")
    line = tidy([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], task="line", name="line.csv")
    return [str(jump), str(line)]


@pytest.fixture
def annotation(tmp_path) -> str:
    path = tmp_path / "annotation.csv"
    path.write_text(
        "task,wei_category,preferred_metric\njump,emergent_x,exact_str_match\nline,smooth,bleu\n"
    )
    return str(path)


def test_json_is_one_object_without_infinity(scores, annotation, capsys):
    arguments = ["mirage", "meta", *scores, "--annotation", annotation, "--format", "json"]
    assert run([*arguments, "--cutoff", "4", "100"]) == 0
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert found["cutoffs"] == [4, 100]
    (infinite,) = found["infinite"]
    assert (infinite["task"], infinite["emergence_score"]) == ("jump", None)
    assert (infinite["emergence_score_status"], infinite["under_resolved"]) == ("+inf", True)
    assert infinite["questions_least"] == 8
    assert [row["above"] for row in found["by_metric"]] == [2, 1]
    assert found["base_rates"][0]["share_emergent"] == 1.0


def test_same_seed_same_bytes(scores, capsys):
    outputs = []
    for seed in ("3", "3", "4"):
        run(["mirage", "meta", *scores, "--format", "json", "--seed", seed])
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1] != outputs[2]


@pytest.mark.parametrize("form", ["csv", "md"])
def test_csv_and_md_print_one_table(scores, capsys, form):
    assert run(["mirage", "meta", *scores, "--format", form, "--table", "curves"]) == 0
    out = capsys.readouterr().out
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(out)))
        assert [row["task"] for row in rows] == ["jump", "line"]
    else:
        assert out.count("\n") == 4
        assert out.startswith("| family |")


def test_a_terminal_gets_tables_and_sentences(scores, annotation, capsys):
    assert run(["mirage", "meta", *scores, "--annotation", annotation]) == 0
    captured = capsys.readouterr()
    assert "Infinite scores" in captured.out
    assert "1 infinite score, from 8 questions a point: 1 under-resolved." in captured.err


def test_the_figure_is_written(scores, annotation, tmp_path, capsys):
    path = tmp_path / "figure.svg"
    arguments = ["mirage", "meta", *scores, "--annotation", annotation, "--figure", str(path)]
    assert run(arguments) == 0
    assert "Emergence score above 100" in path.read_text()


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        ("a,b\n1,2\n", ["--annotation", "F"], r"F:1: column 'task' is missing"),
        ("task,x\n1,2\n", ["--annotation", "F"], r"F:1: column 'wei_category' is missing"),
        ("task,x\n1,2\n", ["--metadata", "F"], r"F:1: column 'subtask' is missing"),
        ("metric\nbleu\n", ["--metrics", "F"], r"F:1: column 'n_tasks_task_level' is missing"),
        ("", ["--annotation", "nothing"], r"nothing: cannot be read"),
        ("", ["--cutoff", "-3"], r"cut-offs are -3"),
        ("", ["--task", "x"], r"no task matches 'x'"),
    ],
)
def test_errors_are_one_line(scores, tmp_path, monkeypatch, capsys, content, arguments, message):
    monkeypatch.chdir(tmp_path)
    Path("F").write_text(content)
    assert run(["mirage", "meta", *scores, *arguments]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert re.search(message, err)


@pytest.mark.data
def test_bigg_with_weis_list(shared_data, tmp_path, capsys):
    """The paper's count by BIG-bench's rule and ours by the column, side by side."""
    tables = shared_data / "tables"
    path = tmp_path / "bigg.csv"
    scores = pl.read_csv(tables / "bigbench_bigg_t0_lass.csv", infer_schema_length=None)
    scores.filter(run="2024-07-25_3shot").write_csv(path)
    assert (
        run(
            [
                *("mirage", "meta", str(path), "--draws", "5"),
                *("--annotation", str(tables / "wei_handannotated_bigbench.csv")),
                *("--metadata", str(tables / "bigbench_task_metadata.csv")),
                *("--metrics", str(tables / "bigbench_preferred_metrics.csv")),
            ]
        )
        == 0
    )
    err = " ".join(capsys.readouterr().err.split())
    assert "multiple_choice_grade: 3 infinite scores, from 2 to 11 questions a point" in err
    assert "94.0 % of the 67 emergent tasks, and by 72.3 % of all 202 tasks, 90.1 %" in err
    assert "92.5 % of the 67 emergent tasks, and by 66.3 % of all 202 tasks, 82.7 %" in err
