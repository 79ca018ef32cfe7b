"""``upswing lab``: grids from the command line, on models that train in a second."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import upswing
from upswing.cli import run


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("corpus") / "text.txt"
    path.write_text("the quick brown fox jumps over the lazy dog.\n" * 3000)
    return str(path)


@pytest.fixture(scope="module")
def store(tmp_path_factory, corpus) -> Path:
    """A ladder of two tiny models, evaluated and finetuned by three commands."""
    out = tmp_path_factory.mktemp("lab") / "store"
    grid = ["--out", str(out)]
    assert run(["lab", "ladder", *grid, "--preset", "quick", "--size", "d8L1", "d16L1",
                "--steps", "20", "--corpus", corpus]) == 0  # fmt: skip
    assert run(["lab", "evaluate", *grid, "--task", "copy", "addition-1", "--questions", "40"]) == 0
    assert run(["lab", "finetune", *grid, "--task", "addition-2", "--checkpoint", "*-d16L1@step20",
                "--d", "8", "16", "--draws", "2", "--seeds", "1", "--steps", "32",
                "--method", "full", "lora-2"]) == 0  # fmt: skip
    return out


def test_the_store_is_read_by_every_command(store, capsys):
    tables = upswing.read(store)
    assert set(tables.scores["model"]) == {"char-quick-d8L1", "char-quick-d16L1"}
    assert set(tables.scores["task"]) == {"copy", "addition-1"}
    assert tables.scales["loss"].is_finite().all()
    assert set(tables.files["reader"]) == {"lab"}
    assert run(["ls", str(store)]) == 0
    assert "char-quick" in capsys.readouterr().out
    assert run(["validate", str(store)]) in (0, 2)


def test_finetunes_are_complete(store):
    tuned = upswing.read(store).finetunes
    runs = tuned.filter(~pl.col("few_shot")).group_by("method", "d", "draw", "seed").len()
    # full and lora-2, two amounts, two draws, one seed; three metrics each
    assert len(runs) == 8
    assert set(runs["len"]) == {3}
    prompted = tuned.filter("few_shot")
    assert set(prompted["method"]) == {""}
    assert len(prompted) == 3


def test_a_second_run_does_nothing(store, capsys):
    before = sorted(p.name for p in (store / "jobs").iterdir())
    assert run(["lab", "evaluate", "--out", str(store), "--task", "copy", "addition-1",
                "--questions", "40"]) == 0  # fmt: skip
    assert "0 jobs done, 4 were there" in capsys.readouterr().err
    assert sorted(p.name for p in (store / "jobs").iterdir()) == before


def test_a_dry_run_refuses_what_a_run_would_refuse(store, corpus, capsys):
    arguments = ["ladder", "--preset", "quick", "--out", str(store), "--size", "d8L1"]
    arguments += ["--steps", "30"]
    assert run(["lab", *arguments, "--corpus", corpus, "--dry-run"]) == 1
    assert "steps 20, not 30" in capsys.readouterr().err


def test_amounts_named_twice_or_in_another_order_are_the_same_job(store, capsys):
    assert run(["lab", "finetune", "--out", str(store), "--task", "addition-2", "--checkpoint",
                "*-d16L1@step20", "--d", "16", "8", "8", "--draws", "2", "--seeds", "1", "--steps",
                "32", "--method", "full", "lora-2"]) == 0  # fmt: skip
    assert "0 jobs done, 2 were there" in capsys.readouterr().err


def test_dry_run_prints_the_grid_and_writes_nothing(tmp_path, capsys, corpus):
    out = tmp_path / "store"
    code = run(["lab", "quick", "--out", str(out), "--dry-run", "--format", "json",
                "--corpus", corpus])  # fmt: skip
    printed = capsys.readouterr()
    rows = json.loads(printed.out)
    assert code == 0
    assert {row["kind"] for row in rows} == {"pretrain", "evaluate", "finetune"}
    assert all(row["state"] == "to do" and row["cpu_seconds"] > 0 for row in rows)
    assert "CPU minutes left" in printed.err
    assert not out.exists()


def test_a_failed_job_is_told_and_the_others_go_on(store, capsys):
    """The pool of 2-digit additions has about 8,000 training problems."""
    code = run(["lab", "finetune", "--out", str(store), "--checkpoint", "*-d8L1@step20",
                "--d", "100000", "--draws", "1", "--seeds", "1"])  # fmt: skip
    error = capsys.readouterr().err
    assert code == 1
    assert "addition-2 has " in error
    assert "not 100,000" in error


def test_a_loss_that_is_not_finite_is_told(tmp_path, capsys, corpus):
    text = "upswing.lab.pretrain"
    code = run(["lab", "ladder", "--out", str(tmp_path / "s"), "--size", "d8L1", "--steps", "40",
                "--learning-rate", "1e30", "--corpus", corpus])  # fmt: skip
    error = capsys.readouterr().err
    assert code == 1
    assert "the loss of d8L1 after" in error
    assert "try a smaller one" in error
    assert text not in error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate"], "no models of the lab are here"),
        (["ladder", "--size", "huge"], "write it like d48L3"),
        (["ladder", "--corpus", "nowhere.txt"], "cannot be read"),
        (["ladder", "--workers", "0"], "workers"),
        (["quick", "--workers", "0", "--dry-run"], "workers"),
        (["quick", "--seed", "-1", "--dry-run"], "seed"),
    ],
)
def test_errors_tell_the_way_out(tmp_path, capsys, arguments, words):
    assert run(["lab", *arguments, "--out", str(tmp_path / "s")]) == 1
    assert words in capsys.readouterr().err
