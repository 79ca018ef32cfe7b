"""Questions: test problems behind their own solved training problems, the same for every model."""

from __future__ import annotations

import numpy as np
import pytest

from lab.worked_answers import answer_to, task_of
from upswing.errors import InputError
from upswing.lab.alphabet import decode
from upswing.lab.mixture import CONTEXT
from upswing.lab.questions import ask
from upswing.lab.tasks import TASKS
from upswing.lab.tasks.task import Problem


def ask_for(name, count=40, shots=2, seed=0, **options):
    return ask(TASKS[name], count, shots, np.random.default_rng(seed), **options)


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("shots", [0, 2])
def test_prompts_are_solved_training_problems_and_the_question(name, shots):
    questions = ask_for(name, shots=shots)
    assert len(questions.prompts) == len(questions.problems) == len(set(questions.problems))
    for tokens, problem in zip(questions.prompts, questions.problems, strict=True):
        *solved, last = decode(tokens).split("\n")
        assert last == problem.prompt
        assert TASKS[name].split(problem) == "test"
        assert len(solved) == shots
        for line in solved:
            end = 1 + max(line.find(">"), line.find("="))
            assert task_of(line) == name
            assert line[end:] == answer_to(line[:end])
            assert TASKS[name].split(Problem(line[:end], line[end:])) == "train"


@pytest.mark.parametrize("name", TASKS)
def test_two_shots_and_an_answer_fit_into_the_context(name):
    questions = ask_for(name)
    assert questions.prompts.shape[1] + questions.options.shape[2] <= CONTEXT


@pytest.mark.parametrize("name", TASKS)
def test_options_are_tokens_and_text_alike_with_the_right_one_marked(name):
    questions = ask_for(name)
    for i, problem in enumerate(questions.problems):
        texts = [decode(option) for option in questions.options[i]]
        assert tuple(texts) == questions.option_texts[i]
        assert texts[questions.targets[i]] == problem.answer


def test_examples_differ_from_question_to_question():
    questions = ask_for("addition-2")
    shots = {decode(tokens).rsplit("\n", 1)[0] for tokens in questions.prompts}
    assert len(shots) == len(questions.prompts)


def test_a_small_task_gives_the_questions_it_has():
    task = TASKS["addition-1"]
    there_are = {p for p in map(task.problem, range(100)) if task.split(p) == "test"}
    questions = ask_for("addition-1", count=500)
    assert set(questions.problems) == there_are


def test_the_same_seed_asks_the_same():
    first, second, other = (ask_for("sort", seed=seed) for seed in (1, 1, 2))
    assert first.problems == second.problems != other.problems
    assert np.array_equal(first.prompts, second.prompts)
    assert np.array_equal(first.options, second.options)
    assert np.array_equal(first.targets, second.targets)


def test_questions_of_another_split():
    questions = ask_for("copy", split="validation")
    assert {TASKS["copy"].split(problem) for problem in questions.problems} == {"validation"}


def test_no_questions_are_refused():
    with pytest.raises(InputError, match="at least one question"):
        ask_for("copy", count=0)


@pytest.mark.parametrize("name", TASKS)
def test_more_questions_hold_the_fewer_and_shots_change_no_question(name):
    few = ask(TASKS[name], 5, 2, np.random.default_rng(3))
    many = ask(TASKS[name], 9, 0, np.random.default_rng(3))
    assert few.problems == many.problems[:5]
    assert few.option_texts == many.option_texts[:5]
