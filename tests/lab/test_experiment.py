"""A whole grid through the runner's processes: complete tables, the same as without them."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from lab.small_grid import EVALUATION, LADDER, PRESET, finish  # noqa: E402
from upswing import read  # noqa: E402
from upswing.errors import ExperimentError, InputError  # noqa: E402
from upswing.lab.answer_rows import CHOSEN, WRITTEN  # noqa: E402
from upswing.lab.experiment import job_seconds, pretrained_jobs, run_experiment  # noqa: E402
from upswing.lab.experiment_files import keep_corpus  # noqa: E402
from upswing.lab.runner.output import output_folder  # noqa: E402
from upswing.tables.schemas import FINETUNES, SCORES  # noqa: E402


@pytest.fixture(scope="module")
def store(tmp_path_factory, corpus):
    """A grid that two workers have run."""
    folder = tmp_path_factory.mktemp("lab") / "store"
    jobs = PRESET.jobs(corpus, 0)
    result = run_experiment(jobs, folder, corpus, workers=2)
    assert not result.failed
    assert not result.waiting
    assert {job.key for job in result.done} == {job.key for job in jobs}
    return folder


@pytest.fixture(scope="module")
def tables(store):
    return read(store)


def test_the_tables_are_complete(tables):
    checkpoints = {("char-tiny-d8L1", "step10"), ("char-tiny-d8L1", "step20")}
    assert set(tables.scales.select("model", "revision").iter_rows()) == checkpoints
    assert tables.scales["loss"].is_finite().all()
    assert set(tables.scores.select("model", "revision", "task", "metric").iter_rows()) == {
        (*one, task, metric)
        for one in checkpoints
        for task in EVALUATION.tasks
        for metric in CHOSEN + WRITTEN
    }
    assert len(tables.items) == 2 * 2 * 12
    full = tables.finetunes.filter(method="full")
    assert len(full) == 3 * 2 * 2 * 2
    assert len(tables.finetunes.filter(method="lora-1")) == 3 * 2 * 2
    assert tables.finetunes["few_shot"].sum() == 3
    assert not [note for note in tables.notes if note.severity == "warning"]


def test_every_row_names_a_job_that_is_listed(tables, corpus):
    sources = {job.source for job in PRESET.jobs(corpus, 0)}
    assert set(tables.files["source"]) == sources
    assert len(tables.files) == len(sources)
    for rows in (tables.scores, tables.items, tables.finetunes):
        assert not rows.is_empty()
        assert set(rows["source"]) <= sources
    kinds = {source.split("/")[1] for source in tables.scores["source"]}
    assert kinds == {"evaluate"}
    assert {source.split("/")[1] for source in tables.finetunes["source"]} == {"finetune"}
    assert tables.files["rows"].sum() == sum(
        len(rows) for rows in (tables.scores, tables.items, tables.finetunes, tables.scales)
    )


def test_a_second_run_skips_everything(store, corpus):
    jobs = PRESET.jobs(corpus, 0)
    result = run_experiment(jobs, store, corpus)
    assert not result.done
    assert {job.key for job in result.skipped} == {job.key for job in jobs}


def test_processes_change_nothing(tables, tmp_path, corpus):
    """Same seeds, same numbers, but for the order of sums: 1e-4 on losses and log-likelihoods."""
    keep_corpus(tmp_path, corpus)
    finish(PRESET.jobs(corpus, 0), tmp_path)
    direct = read(tmp_path)

    def same(name: str, key: list[str], values: list[str]) -> None:
        here, there = (
            getattr(one, name).select(*key, *values).sort(key) for one in (direct, tables)
        )
        assert here.select(key).equals(there.select(key))
        for value in values:
            assert np.allclose(here[value], there[value], atol=1e-4)

    same("scales", ["model", "revision"], ["params", "tokens", "flops", "loss"])
    smooth = pl.col("metric") == "target_logprob_per_token"
    direct, tables = (
        replace(t, scores=t.scores.filter(smooth), finetunes=t.finetunes.filter(smooth))
        for t in (direct, tables)
    )
    same("scores", list(SCORES.key), ["value"])
    same("finetunes", list(FINETUNES.key), ["value"])


def test_finished_pretraining_is_found_for_more_experiments(store, tmp_path, corpus):
    assert pretrained_jobs(store) == LADDER.jobs(corpus, 0)
    with pytest.raises(InputError, match="no models of the lab") as error:
        pretrained_jobs(tmp_path)
    assert "upswing lab ladder" in error.value.hint


def test_what_jobs_took_is_listed(store, corpus):
    frame = job_seconds(store)
    assert set(frame["key"]) == {job.key for job in PRESET.jobs(corpus, 0)}
    assert (frame["cpu_seconds"] > 0).all()
    assert (frame["wall_seconds"] > 0).all()


def test_a_job_that_cannot_be_done_leaves_the_others(tmp_path, corpus):
    """A learning rate that breaks the model, and more examples than there are."""
    good = LADDER.jobs(corpus, 0)
    bad = replace(LADDER, learning_rate=1e30).jobs(corpus, 1)
    (many,) = replace(
        PRESET.finetunes[0], d=(8, 100_000), checkpoints=("char-tiny-d8L1@step20",)
    ).jobs(good, 0)
    waiting = EVALUATION.jobs(bad, 0)
    good += EVALUATION.jobs(good, 0)
    result = run_experiment([*bad, *good, many, *waiting], tmp_path, corpus, workers=1)
    assert set(result.done) == set(good)
    assert list(result.waiting) == waiting
    errors = {failure.job.key: failure.error for failure in result.failed}
    assert "the loss of d8L1 after" in errors[bad[0].key]
    assert "not finite (the learning rate is 1e+30" in errors[bad[0].key]
    assert "addition-2 has" in errors[many.key]
    assert "not 100,000" in errors[many.key]
    assert not output_folder(tmp_path, bad[0].key).exists()
    assert len(read(tmp_path).scales) == 2


def test_without_torch_the_way_out_is_told(tmp_path, corpus, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "torch" else found(name)
    )
    with pytest.raises(ExperimentError, match="the lab needs torch") as error:
        run_experiment(LADDER.jobs(corpus, 0), tmp_path / "store", corpus)
    assert "upswing[lab]" in error.value.hint
    assert not (tmp_path / "store").exists()
