"""``upswing mirage model`` from the command line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from upswing.cli import run


def test_json_has_one_object_per_curve_and_no_infinity(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["mirage", "model", "--exponent", "-0.3", "--scale", "3e9",
                "--length", "3", "5", "--spread", "0", "--format", "json"]) == 0  # fmt: skip
    text = capsys.readouterr().out
    assert "Infinity" not in text
    rows = json.loads(text)
    exact = {row["length"]: row for row in rows if row["metric"] == "exact_match"}
    assert round(exact[3]["emergence_score"], 1) == 37.1
    assert round(exact[5]["emergence_score"]) == 298
    (grade,) = [row for row in rows if row["metric"] == "multiple_choice_grade"]
    assert (grade["emergence_score"], grade["emergence_score_status"]) == (None, "+inf")


def test_tests_are_drawn_with_a_seed(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["mirage", "model", "--length", "3", "--spread", "0.5", "--n", "50", "200",
               "--every", "1", "2", "--draws", "100", "--format", "csv"]  # fmt: skip
    texts = []
    for seed in ("0", "0", "1"):
        assert run([*command, "--seed", seed]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] != texts[2]
    rows = list(csv.DictReader(io.StringIO(texts[0])))
    assert {(row["n"], row["every"]) for row in rows} == {
        (n, every) for n in ("", "50", "200") for every in ("1", "2")
    }


def test_sizes_options_and_points(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["mirage", "model", "--points", "--sizes", "1e8", "1e9", "1e10", "--options", "4",
                "--format", "json"]) == 0  # fmt: skip
    rows = json.loads(capsys.readouterr().out)
    assert {row["params"] for row in rows} == {1e8, 1e9, 1e10}
    assert {row["chance"] for row in rows if row["metric"] == "multiple_choice_grade"} == {0.25}


def test_the_table_for_a_terminal_says_infinite_in_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["mirage", "model", "--n", "8", "--draws", "50"]) == 0
    text = capsys.readouterr().out
    for words in ("exact_match", "37.1", "298", "+inf", "share +inf"):
        assert words in text


def test_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.svg"
    assert run(["mirage", "model", "--n", "20", "--draws", "20", "--figure", str(path)]) == 0
    assert capsys.readouterr().out.strip() == str(path)
    assert "Exact match, 20 questions" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--exponent", "0.3"], "must be negative"),
        (["--every", "0"], "every 0th"),
        (["--n", "0"], "cannot be drawn"),
        (["--n", "-5"], "cannot be drawn"),
        (["--n", "5", "--seed", "-1"], "cannot be drawn"),
        (["--n", "5", "--draws", "0"], "cannot be drawn"),
        (["--figure", "model.gif"], "no figure format"),
    ],
)
def test_errors_are_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(["mirage", "model", *arguments]) == 1
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.err.count("\n") == 1
    assert not shown.out
