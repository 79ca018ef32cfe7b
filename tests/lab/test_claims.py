"""Two settings never share a name in one store."""

from __future__ import annotations

import pytest

from upswing.errors import InputError
from upswing.lab.alphabet import encode
from upswing.lab.claims import check_claims, claims
from upswing.lab.corpus import Corpus
from upswing.lab.plans import EvaluationPlan, FinetunePlan
from upswing.lab.presets import FULL, QUICK, RESULTS
from upswing.lab.runner.job import Job

TEXT = Corpus("text", "0" * 64, encode("abc"), encode("abc"))


@pytest.mark.parametrize("preset", [QUICK, FULL, RESULTS])
def test_presets_claim_nothing_twice(preset, tmp_path):
    check_claims(preset.jobs(TEXT, 0), tmp_path)
    assert all(list(claims(job)) for job in preset.jobs(TEXT, 0))


def test_the_same_model_trained_in_another_way_is_refused(tmp_path):
    (ladder,) = QUICK.ladders
    longer = ladder.changed(None, 2000, 1, None)
    with pytest.raises(InputError, match=r"model char-quick-d16L2 .*steps 1000, not 2000"):
        check_claims([*ladder.jobs(TEXT, 0), *longer.jobs(TEXT, 0)], tmp_path)
    check_claims([*ladder.jobs(TEXT, 0), *longer.jobs(TEXT, 1)], tmp_path)


def test_more_questions_are_another_evaluation_but_other_checkpoints_are_not(tmp_path):
    pretrained = QUICK.ladder_jobs(TEXT, 0)
    few, many = (EvaluationPlan(("copy",), n).jobs(pretrained, 0) for n in (50, 500))
    check_claims([*few, *many], tmp_path)
    some = EvaluationPlan(("copy",), 50, revisions=("step100",)).jobs(pretrained, 0)
    with pytest.raises(InputError, match="copy with 2 shots, 50 questions") as error:
        check_claims([*few, *some], tmp_path)
    assert "--questions or --seed" in error.value.hint


def test_finetuning_again_with_other_steps_is_refused(tmp_path):
    pretrained = QUICK.ladder_jobs(TEXT, 0)
    short, long = (FinetunePlan("sort", (8,), 1, 1, steps=n).jobs(pretrained, 0) for n in (32, 64))
    with pytest.raises(InputError, match=r"sort full finetuning of char-quick-.*steps 32, not 64"):
        check_claims([*short, *long], tmp_path)


def test_a_job_of_another_kind_claims_nothing():
    assert not list(claims(Job("count", {"n": 1})))


def test_more_amounts_can_be_added_without_the_prompted_model(tmp_path):
    pretrained = QUICK.ladder_jobs(TEXT, 0)
    few, more = (FinetunePlan("sort", d, 1, 1).jobs(pretrained, 0) for d in ((8,), (16,)))
    with pytest.raises(InputError, match="prompting of char-quick-"):
        check_claims([*few, *more], tmp_path)
    more = FinetunePlan("sort", (16,), 1, 1, shots=None).jobs(pretrained, 0)
    check_claims([*few, *more], tmp_path)
