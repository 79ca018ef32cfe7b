"""The results that come with Upswing: complete, small, and what issue 4 asks for."""

from __future__ import annotations

import polars as pl
import pytest

import upswing
from upswing.errors import InputError
from upswing.lab.presets import RESULTS
from upswing.lab.shipped import FOLDER, KEPT_CHECKPOINTS, demo_tables, lab_jobs, pack
from upswing.lab.tasks import TASKS

TABLES = upswing.read_lab_results()


def size(folder) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_it_is_small():
    assert size(FOLDER) <= 10 * 2**20
    assert 0 < size(FOLDER / "checkpoints") <= 2 * 2**20


def test_every_task_is_scored_at_every_checkpoint_of_every_model():
    sizes = {ladder.mixture.name: len(ladder.shapes) for ladder in RESULTS.ladders}
    cells = TABLES.scores.select("family", "model", "revision", "task", "metric").unique()
    per_family = dict(cells.group_by("family").len().iter_rows())
    checkpoints = len(RESULTS.ladders[0].checkpoints)
    assert per_family == {
        f"char-{name}": count * checkpoints * len(TASKS) * 5 for name, count in sizes.items()
    }
    assert (
        TABLES.scales.select("params", "tokens", "flops", "loss").null_count().sum_horizontal()[0]
        == 0
    )


def test_items_of_the_full_ladder_are_there():
    tasks = {"reverse", "multiplication-2", *(f"addition-{digits}" for digits in range(1, 5))}
    assert set(TABLES.items["task"]) == tasks
    models = set(TABLES.scores.filter(family="char-v1")["model"])
    assert set(TABLES.items["model"]) == models
    assert len(models) == 6


def test_scores_are_the_means_of_the_items():
    own = (
        TABLES.items.filter(pl.col("elicitation") == "")
        .with_columns((pl.col("output") == pl.col("targets").list.first()).alias("right"))
        .group_by("model", "revision", "task")
        .agg(pl.col("right").mean())
    )
    both = own.join(
        TABLES.scores.filter(metric="exact_match"),
        on=["model", "revision", "task"],
        validate="1:1",
    )
    assert len(both) == len(own)
    assert (both["right"] - both["value"]).abs().max() < 1e-12


def test_addition_is_finetuned_on_draws_and_seeds():
    tuned = TABLES.finetunes.filter((pl.col("family") == "char-v1") & (pl.col("method") == "full"))
    assert set(tuned["task"]) == {"addition-2"}
    cells = tuned.group_by("model", "revision", "metric", "d").agg(
        pl.col("draw").n_unique().alias("draws"), pl.col("seed").n_unique().alias("seeds")
    )
    assert (cells["draws"] >= 2).all()
    assert (cells["seeds"] >= 3).all()
    assert cells["d"].n_unique() >= 5
    assert {"char-v1", "char-v2"} == set(TABLES.finetunes["family"])
    assert {"lora-1", "lora-2", "lora-4", "lora-16"} < set(TABLES.finetunes["method"])


def test_every_row_names_its_job_and_every_job_its_seed():
    jobs = {record.source: record for record in lab_jobs()}
    for frame in (TABLES.scores, TABLES.items, TABLES.finetunes):
        assert set(frame["source"]) <= set(jobs)
    for record in jobs.values():
        assert record.config.get("seed", record.config.get("seeds")) in (0, [0])
        assert record.cpu_seconds > 0
        assert "torch" in record.libraries


def test_abilities_emerge_and_controls_do_not():
    """Inequalities with slack, for other processors round otherwise."""
    last = TABLES.scores.filter((pl.col("revision") == "step4000") & (pl.col("metric") == "acc"))
    large = last.filter(model="char-v1-d96L4")
    value = dict(large.select("task", "value").iter_rows())
    assert value["reverse"] > 0.9
    assert value["addition-2"] > 0.7
    assert abs(value["lookup"] - 0.25) < 0.08
    assert abs(value["modular-addition"] - 0.25) < 0.1
    small = last.filter(model="char-v1-d16L2")
    assert dict(small.select("task", "value").iter_rows())["copy"] < 0.4


def test_checkpoints_can_be_asked_more():
    torch = pytest.importorskip("torch")
    import numpy as np

    from upswing.lab.answer import answer
    from upswing.lab.checkpoint import read_checkpoints
    from upswing.lab.questions import ask

    torch.set_num_threads(1)
    model, revision = "char-v1-d24L2", "step4000"
    shape, weights = read_checkpoints([upswing.lab_checkpoint(model, revision)])
    questions = ask(TASKS["reverse"], 500, 2, np.random.default_rng([0, *b"reverse"]))
    right = answer(weights, shape, questions).option_logprobs[0].argmax(1) == questions.targets
    stored = TABLES.scores.filter(model=model, revision=revision, task="reverse", metric="acc")[
        "value"
    ][0]
    assert right.mean() == pytest.approx(stored, abs=0.01)


def test_a_checkpoint_that_did_not_come_is_refused():
    for model, revision in KEPT_CHECKPOINTS:
        assert (upswing.lab_checkpoint(model, revision) / "model.safetensors").is_file()
    with pytest.raises(InputError, match="no checkpoint char-v1-d96L4@step1"):
        upswing.lab_checkpoint("char-v1-d96L4", "step1")


def test_an_unfinished_store_is_not_packed_and_nothing_is_lost(tmp_path):
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "kept").touch()
    with pytest.raises(InputError):
        pack(tmp_path / "nowhere", folder)
    assert (folder / "kept").exists()


def test_the_demo_has_both_kinds_of_data():
    tables = demo_tables()
    assert {"GPT-3", "char-v1"} < set(tables.scores["family"])
    assert set(tables.items["task"]) == {"reverse", "addition-2"}
    assert len(tables.finetunes) == len(TABLES.finetunes)
