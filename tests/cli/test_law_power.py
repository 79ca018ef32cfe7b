"""``upswing law power`` as a user calls it."""

from __future__ import annotations

import json

from upswing.cli import run

LOSSES = ["--losses", "2.28", "2.2", "2.13", "2.08", "2.03", "1.99"]
PLAN = [
    "--amounts",
    "256",
    "1448",
    "8192",
    "--draws",
    "1",
    "--questions",
    "4000",
    "--elbow",
    "1.95",
]
QUICK = ["--replicates", "3", "--intervals", "0"]


def test_json_has_the_plan_and_its_power(capsys):
    assert run(["law", "power", *LOSSES, *PLAN, *QUICK, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["assumed"]["amounts"] == [256, 1448, 8192]
    assert found["runs"] == 18
    assert [row["forecast"] for row in found["forecasts"]][1:] == [
        "just past the best random checkpoint",
        "elbow at the smallest D",
    ]


def test_losses_come_from_a_table_too(tmp_path, capsys):
    path = tmp_path / "ladder.csv"
    path.write_text("model,family,loss\n" + "".join(f"m,a,{2.3 - i / 20}\n" for i in range(6)))
    assert run(["law", "power", "--table", str(path), *PLAN[:-2], *QUICK]) == 0
    # the best loss is 2.05, and the elbow is assumed just below it
    assert "6 models above an assumed elbow of 2.02 nats" in capsys.readouterr().out
    assert run(["law", "power", "--table", str(path), "--family", "b"]) == 1
    assert "no family 'b' (there are a)" in capsys.readouterr().err


def test_a_target_is_searched_for(capsys):
    target = ["--target-probability", "0.3", "--most", "8000", "--format", "csv"]
    assert run(["law", "power", *LOSSES, *PLAN, *QUICK, *target]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("draws,questions,runs,within")
    assert "questions reach the target" in err


def test_losses_are_needed_and_enough_of_them(capsys):
    assert run(["law", "power"]) == 1
    assert "give --losses or --table" in capsys.readouterr().err
    assert run(["law", "power", "--losses", "2.1", "2.0"]) == 1
    assert "the law needs 4" in capsys.readouterr().err
