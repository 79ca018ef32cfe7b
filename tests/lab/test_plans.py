"""Plans to jobs: what is in them, what they need, and what cannot be planned."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.small_grid import EVALUATION, FINETUNE, LADDER
from upswing.errors import InputError, UnknownNameError
from upswing.lab.mixture import Mixture
from upswing.lab.plans import EvaluationPlan, FinetunePlan, model_name
from upswing.lab.tasks import TASKS


@pytest.fixture
def ladder(corpus):
    return replace(LADDER, shapes=("d8L1", "d16L2")).jobs(corpus, 0)


def test_a_ladder_is_a_job_per_size(ladder, corpus):
    assert [job.config["shape"] for job in ladder] == ["d8L1", "d16L2"]
    for job in ladder:
        assert (job.kind, job.needs) == ("pretrain", ())
        assert job.config["corpus_sha256"] == corpus.sha256
        assert job.config["seeds"] == [0]


def test_jobs_with_one_config_have_one_key_and_other_configs_others(corpus):
    base = LADDER.jobs(corpus, 0)[0]
    assert LADDER.jobs(corpus, 0)[0].key == base.key
    turned = Mixture("tiny", 0.5, {"addition-2": 1.0, "copy": 1.0})
    assert replace(LADDER, mixture=turned).jobs(corpus, 0)[0].key == base.key
    others = [
        replace(LADDER, steps=21),
        replace(LADDER, rows=5),
        replace(LADDER, learning_rate=1e-3),
        replace(LADDER, checkpoints=(10,)),
        replace(LADDER, models=2),
        replace(LADDER, mixture=Mixture("tiny", 0.6, {"copy": 1.0, "addition-2": 1.0})),
        replace(LADDER, mixture=Mixture("tiny", 0.5, {"copy": 1.0, "addition-2": 2.0})),
    ]
    jobs = [plan.jobs(corpus, 0)[0] for plan in others]
    jobs += [base, LADDER.jobs(corpus, 1)[0], LADDER.jobs(replace(corpus, sha256="0"), 0)[0]]
    assert len({job.key for job in jobs}) == len(jobs)


def test_models_of_a_size_differ_in_their_seed(corpus):
    assert replace(LADDER, models=3).jobs(corpus, 4)[0].config["seeds"] == [4, 5, 6]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"checkpoints": (10, 21)}, "no checkpoint at step 21"),
        ({"checkpoints": (0,)}, "no checkpoint at step 0"),
        ({"shapes": ("48",)}, "no model size '48'"),
        ({"models": 0}, "0 models"),
    ],
)
def test_ladders_that_cannot_be_are_refused(corpus, changes, message):
    with pytest.raises(InputError, match=message):
        replace(LADDER, **changes).jobs(corpus, 0)


def test_a_changed_ladder_keeps_the_share_of_its_checkpoints(corpus):
    changed = LADDER.changed(("d16L2",), 200, 3, 1e-2)
    assert changed == replace(
        LADDER, shapes=("d16L2",), steps=200, checkpoints=(100, 200), models=3, learning_rate=1e-2
    )
    assert LADDER.changed(None, None, 1, None) == LADDER
    assert LADDER.changed(None, 1, 1, None).checkpoints == (1,)
    assert LADDER.changed(None, 3, 1, None).jobs(corpus, 0)


def test_an_evaluation_needs_its_pretraining(ladder):
    jobs = EVALUATION.jobs(ladder, 0)
    pretrained = [job.key for job in ladder for _ in EVALUATION.tasks]
    assert [job.needs for job in jobs] == [(key,) for key in pretrained]
    assert [job.config["pretrain"] for job in jobs] == pretrained
    assert [job.config["task"] for job in jobs] == [*EVALUATION.tasks] * len(ladder)
    assert jobs[0].config["revisions"] == ["step10", "step20"]
    some, *_ = replace(EVALUATION, revisions=("step20",)).jobs(ladder, 0)
    assert some.key != jobs[0].key
    assert some.cost == pytest.approx(jobs[0].cost / 2)


def test_a_task_that_does_not_exist_is_refused_before_anything_runs(ladder):
    with pytest.raises(UnknownNameError, match="no task 'sing'"):
        replace(EVALUATION, tasks=("copy", "sing")).jobs(ladder, 0)
    with pytest.raises(UnknownNameError, match="no task 'sing'"):
        replace(FINETUNE, task="sing").jobs(ladder, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"questions": 0}, "0 questions are too few"),
        ({"shots": -1}, "cannot have -1 shots"),
        # a line of lookup is 18 characters and its question 17: 3 shots are 71 of the 64
        ({"tasks": ("lookup",), "shots": 3}, "lookup cannot have 3 shots"),
    ],
)
def test_evaluations_that_cannot_be_are_refused_before_anything_runs(ladder, changes, message):
    with pytest.raises(InputError, match=message):
        replace(EVALUATION, **changes).jobs(ladder, 0)
    assert EvaluationPlan(("lookup",), shots=2).jobs(ladder, 0)
    assert EvaluationPlan(("addition-1",), shots=8).jobs(ladder, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"draws": 0}, "0 draws are too few"),
        ({"seeds": 0}, "0 seeds are too few"),
        ({"steps": 0}, "0 steps are too few"),
        ({"questions": 0}, "0 questions are too few"),
        ({"d": ()}, "at least one example"),
        ({"d": (8, 0)}, "at least one example"),
        ({"methods": ("full", "lora-0")}, "no method 'lora-0'"),
        ({"methods": ("lora-04",)}, "no method 'lora-04'"),
        ({"shots": 12}, "shots"),
    ],
)
def test_finetuning_that_cannot_be_is_refused_before_anything_runs(ladder, changes, message):
    with pytest.raises(InputError, match=message):
        replace(FINETUNE, **changes).jobs(ladder, 0)


def test_finetuning_is_a_job_per_checkpoint_and_method(corpus):
    jobs = replace(LADDER, shapes=("d8L1", "d16L2"), models=2).jobs(corpus, 0)
    plan = replace(FINETUNE, checkpoints=("*-d8L1@step20", "*seed1@*"), methods=("full", "lora-4"))
    found = [
        (j.config["model"], j.config["revision"], j.config["method"]) for j in plan.jobs(jobs, 0)
    ]
    expected = [
        ("char-tiny-d8L1", "step20"),
        ("char-tiny-d8L1-seed1", "step10"),
        ("char-tiny-d8L1-seed1", "step20"),
        ("char-tiny-d16L2-seed1", "step10"),
        ("char-tiny-d16L2-seed1", "step20"),
    ]
    assert found == [(*one, method) for one in expected for method in ("full", "lora-4")]
    keys = {job.key for job in jobs}
    assert all(set(job.needs) <= keys for job in plan.jobs(jobs, 0))


def test_globs_that_match_nothing_are_refused(ladder):
    with pytest.raises(InputError, match="no checkpoint matches char-x@step1") as error:
        replace(FINETUNE, checkpoints=("char-x@step1",)).jobs(ladder, 0)
    assert "MODEL@REVISION" in error.value.hint


def test_costs_follow_the_work(corpus):
    small, large = replace(LADDER, shapes=("d8L1", "d64L4")).jobs(corpus, 0)
    assert 0 < small.cost < large.cost
    assert replace(LADDER, models=3).jobs(corpus, 0)[0].cost == pytest.approx(3 * small.cost)
    assert replace(LADDER, steps=40).jobs(corpus, 0)[0].cost == pytest.approx(2 * small.cost)
    plan = FinetunePlan("addition-2", (8,), draws=1, seeds=1, learning_rates=(1e-3,))
    once = plan.jobs([small], 0)[0].cost
    assert replace(plan, seeds=3).jobs([small], 0)[0].cost == pytest.approx(3 * once)
    assert replace(plan, learning_rates=(1e-3, 1e-2)).jobs([small], 0)[0].cost == pytest.approx(
        3 * once
    )


def test_names_of_models_differ_by_mixture_shape_and_seed():
    names = {model_name(m, s, seed) for m in ("v1", "v2") for s in ("d8L1",) for seed in (0, 1, 2)}
    assert len(names) == 6


def test_configs_name_tasks_that_exist(ladder):
    for job in EVALUATION.jobs(ladder, 0):
        assert job.config["task"] in TASKS
