"""The grids that come with Upswing: whole, consistent, and of the cost they promise."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from lab.small_grid import PRESET
from upswing.lab.finetune import Finetuning
from upswing.lab.plans import model_name, revision_name
from upswing.lab.presets import FULL, QUICK, RESULTS, V1_MIXTURE, V2_MIXTURE
from upswing.lab.runner.plan import plan
from upswing.lab.tasks import CONTROLS, TASKS

PRESETS = {"quick": QUICK, "full": FULL, "results": RESULTS, "tiny": PRESET}
every_preset = pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)


@every_preset
def test_every_glob_matches_a_checkpoint(preset):
    names = [
        f"{model_name(ladder.mixture.name, shape, 0)}@{revision_name(step)}"
        for ladder in preset.ladders
        for shape in ladder.shapes
        for step in ladder.checkpoints
    ]
    for finetune in preset.finetunes:
        for pattern in finetune.checkpoints:
            assert any(fnmatchcase(name, pattern) for name in names), pattern


@every_preset
def test_jobs_are_all_different_and_need_what_is_in_the_grid(preset, corpus):
    jobs = preset.jobs(corpus, 0)
    keys = [job.key for job in jobs]
    assert len(set(keys)) == len(keys)
    labels = [(job.label, str(job.config.get("d"))) for job in jobs]
    assert len(set(labels)) == len(labels)
    assert all(job.cost > 0 for job in jobs)
    for job in jobs:
        assert set(job.needs) <= set(keys)
    assert [job.key for job in preset.jobs(corpus, 0)] == keys
    assert not set(keys) & {job.key for job in preset.jobs(corpus, 1)}


@every_preset
def test_no_two_jobs_write_the_same_row(preset, corpus):
    """Two plans that finetune one checkpoint would both write its prompted row."""
    rows = []
    for job in preset.jobs(corpus, 0):
        c = job.config
        if job.kind == "finetune":
            name = (c["pretrain"], c["model"], c["revision"], c["task"])
            rows += [(*name, c["method"], d) for d in c["d"]]
            if c["shots"] is not None and c["method"] == "full":
                rows.append((*name, "prompted"))
    assert len(set(rows)) == len(rows)


@every_preset
def test_tasks_are_learnt_before_they_are_asked_and_have_enough_examples(preset):
    learnt = {task for ladder in preset.ladders for task in ladder.mixture.weights}
    assert set(preset.evaluation.tasks or learnt) <= learnt
    assert set(preset.evaluation.kept or ()) <= learnt
    for finetune in preset.finetunes:
        task = TASKS[finetune.task]
        assert finetune.task in learnt
        assert max(finetune.d) <= 0.75 * task.space
        assert list(finetune.d) == sorted(set(finetune.d))
        for method in finetune.methods:
            assert (Finetuning(task, method).rank is None) == (method == "full")


@every_preset
def test_the_last_checkpoint_is_the_end_of_the_training(preset):
    for ladder in preset.ladders:
        assert list(ladder.checkpoints) == sorted(set(ladder.checkpoints))
        assert ladder.checkpoints[-1] == ladder.steps


@pytest.mark.parametrize(
    ("preset", "seconds"), [(QUICK, 200), (FULL, 2 * 25 * 60), (RESULTS, 2 * 150 * 60)]
)
def test_estimated_costs_are_within_what_is_promised(preset, seconds, corpus):
    """CPU seconds: quick 3 minutes, full 25 and the shipped results 150 minutes on two cores."""
    jobs = preset.jobs(corpus, 0)
    assert 0.1 * seconds < sum(job.cost for job in jobs) < seconds


def test_a_dry_run_lists_the_grid_and_writes_nothing(tmp_path, corpus):
    jobs = QUICK.jobs(corpus, 0)
    frame = plan(jobs, tmp_path / "store")
    assert frame["key"].to_list() == [job.key for job in jobs]
    assert set(frame["state"]) == {"to do"}
    assert not (tmp_path / "store").exists()


def test_the_shipped_results_hold_what_the_studies_need():
    for ladder in RESULTS.ladders:
        assert set(ladder.mixture.weights) == set(TASKS) >= set(CONTROLS)
    kept = set(RESULTS.evaluation.kept)
    assert {"reverse", "addition-2", "multiplication-2"} <= kept
    assert {ladder.mixture.name for ladder in RESULTS.ladders} == {"v1", "v2"}
    main = [f for f in RESULTS.finetunes if f.task == "addition-2" and f.methods == ("full",)]
    assert any(len(f.d) >= 5 and f.draws >= 2 and f.seeds >= 3 for f in main)
    methods = {method for finetune in RESULTS.finetunes for method in finetune.methods}
    assert {"lora-1", "lora-2", "lora-4", "lora-16"} <= methods


def test_the_second_mixture_differs_in_one_task():
    assert V1_MIXTURE.task_share == V2_MIXTURE.task_share
    different = {t for t in TASKS if V1_MIXTURE.weights[t] != V2_MIXTURE.weights[t]}
    assert different == {"addition-2"}
