"""Every task: right answers, one width, splits that hold, options that give nothing away."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein
from scipy import stats

from lab.worked_answers import answer_to, task_of
from upswing.errors import InputError
from upswing.lab.alphabet import SYMBOLS, encode
from upswing.lab.tasks import CONTROLS, TASKS
from upswing.lab.tasks.letters import SORT
from upswing.lab.tasks.task import OPTIONS, Problem, Split, Task, arrangement, other_order

Question = tuple[Problem, list[str], int]

SPLITS = ("train", "validation", "test")
ENUMERATED = [name for name, task in TASKS.items() if task.space <= 200_000]
SAMPLED = [name for name in TASKS if name not in ENUMERATED]

every_task = pytest.mark.parametrize("name", TASKS)


@cache
def some_problems(name: str) -> list[Problem]:
    """Return all problems of a small task, or many of a large one with the first and the last."""
    task = TASKS[name]
    if name in ENUMERATED and task.space <= 10_000:
        numbers = range(task.space)
    else:
        drawn = np.random.default_rng(0).integers(task.space, size=5000).tolist()
        numbers = [0, task.space - 1, *drawn]
    return [task.problem(number) for number in numbers]


def test_the_tasks_are_those_of_the_ladder():
    assert list(TASKS) == [
        "copy",
        "reverse",
        "sort",
        *(f"addition-{digits}" for digits in range(1, 5)),
        "multiplication-2",
        "lookup",
        "modular-addition",
    ]
    assert set(CONTROLS) == {"lookup", "modular-addition"}


@every_task
def test_answers_are_right(name):
    for prompt, answer in some_problems(name):
        assert task_of(prompt) == name
        assert answer == answer_to(prompt)


@every_task
def test_prompts_have_one_width_and_answers_one(name):
    problems = some_problems(name)
    assert len({len(problem.prompt) for problem in problems}) == 1
    assert len({len(problem.answer) for problem in problems}) == 1
    assert set("".join(map("".join, problems))) <= set(SYMBOLS)
    assert all("\n" not in prompt + answer for prompt, answer in problems)


@every_task
def test_numbers_name_different_problems(name):
    task = TASKS[name]
    numbers = range(task.space)
    if task.space > 10_000:
        numbers = np.unique(np.random.default_rng(1).integers(task.space, size=5000)).tolist()
    assert len({task.problem(number).prompt for number in numbers}) == len(numbers)


def test_letters_of_a_problem_all_differ():
    for name in ("copy", "reverse", "sort"):
        assert all(len(set(p.answer)) == len(p.answer) for p in some_problems(name))
    for prompt, _ in some_problems("lookup"):
        pairs = prompt[1:13]
        assert len(set(pairs[::2])) == len(set(pairs[1::2])) == 6


def test_lookup_asks_for_every_place_alike():
    asked = Counter(prompt[1:13:2].index(prompt[14]) for prompt, _ in some_problems("lookup"))
    assert stats.chisquare([asked[i] for i in range(6)]).pvalue > 1e-4


@pytest.mark.parametrize(("symbols", "length"), [("abcd", 2), ("abcde", 5), ("xyz", 1)])
def test_arrangements_are_all_there_once_in_order(symbols, length):
    count = math.perm(len(symbols), length)
    found = [arrangement(number, symbols, length) for number in range(count)]
    expected = ["".join(chosen) for chosen in itertools.permutations(symbols, length)]
    assert found == [(word, 0) for word in expected]


@given(st.integers(0, 10**12))
def test_the_rest_of_a_number_is_left_for_more(number):
    word, rest = arrangement(number, "abcdef", 3)
    assert arrangement(number % 120, "abcdef", 3) == (word, 0)
    assert rest == number // 120


# Splits


def test_the_split_of_a_problem_stays_what_it_was():
    """Other splits would mix training and test of shipped checkpoints.

    The percents are the first 16 digits of ``printf '34+25=' | md5sum``, modulo 100.
    """
    percents = {"34+25=": 93, "00+00=": 26, "99+99=": 21, "07+80=": 83, "50+50=": 96, "05+05=": 33}
    for prompt, percent in percents.items():
        expected = "train" if percent < 80 else "validation" if percent < 90 else "test"
        assert TASKS["addition-2"].split(Problem(prompt, "")) == expected
        small = "train" if percent < 50 else "validation" if percent < 60 else "test"
        assert TASKS["addition-1"].split(Problem(prompt, "")) == small


@every_task
def test_shares_of_the_splits_are_near_the_nominal_ones(name):
    task, problems = TASKS[name], some_problems(name)
    nominal = {"train": 0.8, "validation": 0.1, "test": 0.1}
    if task.space < 2000:
        nominal = {"train": 0.5, "validation": 0.1, "test": 0.4}
    found = Counter(map(task.split, problems))
    assert set(found) == set(SPLITS)
    for split, share in nominal.items():
        error = math.sqrt(share * (1 - share) / len(problems))
        assert found[split] / len(problems) == pytest.approx(share, abs=4 * error)


@every_task
@pytest.mark.parametrize("split", SPLITS)
def test_draws_are_nested_distinct_and_of_the_split(name, split):
    task = TASKS[name]
    most = min(300, sum(task.split(p) == split for p in some_problems(name)))
    whole = task.draw(split, most, np.random.default_rng(5))
    assert len(set(whole)) == len(whole) == most
    assert {task.split(problem) for problem in whole} == {split}
    for count in (1, 7, most // 2, most):
        assert task.draw(split, count, np.random.default_rng(5)) == whole[:count]
    assert task.draw(split, 7, np.random.default_rng(6)) != whole[:7]


@every_task
def test_a_draw_of_nothing_is_empty(name):
    assert TASKS[name].draw("train", 0, np.random.default_rng(0)) == []
    assert TASKS[name].at_most("test", 0, np.random.default_rng(0)) == []


@pytest.mark.parametrize("name", ["addition-1", "addition-2", "modular-addition"])
@pytest.mark.parametrize("split", SPLITS)
def test_too_many_examples_are_refused_with_how_many_there_are(name, split):
    task = TASKS[name]
    there_are = sum(task.split(task.problem(i)) == split for i in range(task.space))
    rng = np.random.default_rng(0)
    assert len(task.draw(split, there_are, rng)) == there_are
    with pytest.raises(InputError, match=f"{name} has {there_are:,} {split} problems, not") as e:
        task.draw(split, there_are + 1, rng)
    assert e.value.hint == "ask for fewer examples"
    assert len(task.at_most(split, there_are + 1, rng)) == there_are


@pytest.mark.parametrize("name", SAMPLED)
@pytest.mark.parametrize("split", SPLITS)
def test_too_many_examples_of_a_large_task_are_refused_at_once(name, split):
    """The number in the message can be drawn, so it must be less than what was asked for."""
    task = TASKS[name]
    asked = task.space
    with pytest.raises(InputError, match=f"{name} .* {split} problems") as error:
        task.draw(split, asked, np.random.default_rng(0))
    numbers = [int(word.replace(",", "")) for word in str(error.value).split() if word[0].isdigit()]
    assert numbers
    assert min(numbers) < asked


def test_half_of_a_large_split_can_be_drawn():
    task = replace(TASKS["addition-3"], space=200_001)
    half = task.draw("test", 10_000, np.random.default_rng(0))
    assert len(set(half)) == 10_000
    with pytest.raises(InputError, match="gives at most 10,000 test problems, not 10,001"):
        task.draw("test", 10_001, np.random.default_rng(0))
    with pytest.raises(InputError, match="gives at most 80,000 train problems"):
        task.draw("train", 80_001, np.random.default_rng(0))


def test_endless_problems_are_of_the_split_and_spread_over_it():
    task = TASKS["addition-1"]
    stream = task.endless("train", np.random.default_rng(2))
    found = Counter(itertools.islice(stream, 10_000))
    there_are = [task.problem(i) for i in range(100) if task.split(task.problem(i)) == "train"]
    assert set(found) == set(there_are)
    assert stats.chisquare(list(found.values())).pvalue > 1e-4


# Options


@cache
def some_questions(name: str, split: Split | None = "test", count: int = 2000) -> list[Question]:
    """Return problems of a split or of all, with repeats where there are few, and their options."""
    task, rng = TASKS[name], np.random.default_rng(11)
    if split is None:
        problems = [task.problem(i) for i in rng.integers(task.space, size=count).tolist()]
    else:
        problems = list(itertools.islice(task.endless(split, rng), count))
    return [(problem, *task.options(problem, rng)) for problem in problems]


@every_task
def test_options_all_differ_and_the_right_one_is_where_it_is_said(name):
    width = len(TASKS[name].problem(0).answer)
    for problem, options, target in some_questions(name):
        assert len(set(options)) == OPTIONS == 4
        assert options[target] == problem.answer
        assert {len(option) for option in options} == {width}


@every_task
def test_the_right_option_is_at_each_place_as_often(name):
    places = Counter(target for _, _, target in some_questions(name))
    assert stats.chisquare([places[i] for i in range(OPTIONS)]).pvalue > 1e-4


def letter_pairs(task: Task) -> Callable[[str], float]:
    """Return the log-likelihood of answers by their pairs of letters, learnt from training."""
    follows: dict[str, Counter[str]] = defaultdict(Counter)
    for _, answer in itertools.islice(task.endless("train", np.random.default_rng(3)), 20_000):
        for first, second in itertools.pairwise(f"^{answer}$"):
            follows[first][second] += 1

    def score(option: str) -> float:
        return sum(
            math.log((follows[first][second] + 0.5) / (follows[first].total() + 0.5 * len(SYMBOLS)))
            for first, second in itertools.pairwise(f"^{option}$")
        )

    return score


def training_answers(task: Task) -> Callable[[str], float]:
    """Return how often each answer occurs in training problems."""
    if task.space <= 10_000:
        problems = [p for p in map(task.problem, range(task.space)) if task.split(p) == "train"]
    else:
        problems = itertools.islice(task.endless("train", np.random.default_rng(3)), 20_000)
    return Counter(answer for _, answer in problems).__getitem__


def accuracy(questions: Sequence[Question], score: Callable[[str, list[str]], float]) -> float:
    """Return how often the option with the best score is right; ties share."""
    right = 0.0
    for _, options, target in questions:
        scores = [score(option, options) for option in options]
        best = [i for i, value in enumerate(scores) if value == max(scores)]
        right += (target in best) / len(best)
    return right / len(questions)


def in_the_middle(option: str, options: list[str]) -> float:
    return -sum(Levenshtein.distance(option, other) for other in options)


def near_chance(value: float, count: int) -> bool:
    return abs(value - 0.25) < 4 * math.sqrt(0.25 * 0.75 / count)


@every_task
def test_who_knows_how_answers_look_and_nothing_else_is_right_in_a_quarter(name):
    """Of a task with few problems over all of them; the test problems are a test of their own."""
    score = letter_pairs(TASKS[name])
    questions = some_questions(name, None if TASKS[name].space < 2000 else "test")
    assert near_chance(accuracy(questions, lambda option, _: score(option)), 2000)


@every_task
def test_the_right_option_is_not_in_the_middle_of_the_others(name):
    """Wrong options made from the right one are all near it, so the middle one would be right."""
    assert near_chance(accuracy(some_questions(name), in_the_middle), 2000)


@every_task
def test_who_remembers_the_answers_of_training_is_right_in_a_quarter(name):
    """Answers of held-out problems are rarer in training, so wrong options are answers of such too.

    Of addition-1, with 19 answers for 40 test problems, chance itself is 0.26: wrong options are
    drawn as answers are but must differ, which costs the frequent answers.
    """
    score, count = training_answers(TASKS[name]), 8000 if TASKS[name].space <= 10_000 else 2000
    questions = some_questions(name, count=count)
    assert near_chance(accuracy(questions, lambda option, _: score(option)), count)


def test_options_that_give_themselves_away_are_found_out():
    """The tests above can fail: with unsorted options of sort, and with options one letter off."""

    def one_letter_off(task: Task, problem: Problem, rng: np.random.Generator) -> str:
        place, letter = rng.integers(4), "abcdefghijklmnopqrstuvwxyz"[rng.integers(26)]
        return problem.answer[:place] + letter + problem.answer[place + 1 :]

    rng, score = np.random.default_rng(4), letter_pairs(SORT)
    problems = list(itertools.islice(SORT.endless("test", rng), 500))
    unsorted, near = replace(SORT, distractor=other_order), replace(SORT, distractor=one_letter_off)
    questions = [(problem, *unsorted.options(problem, rng)) for problem in problems]
    assert accuracy(questions, lambda option, _: score(option)) > 0.6
    questions = [(problem, *near.options(problem, rng)) for problem in problems]
    assert accuracy(questions, in_the_middle) > 0.6


def test_options_are_texts_that_the_models_can_read():
    for name in TASKS:
        for _, options, _ in some_questions(name)[:50]:
            encode("".join(options))
