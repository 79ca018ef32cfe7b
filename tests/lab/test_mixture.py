"""Training rows: text and solved training problems in their shares, and never test problems."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from lab.worked_answers import answer_to, task_of
from upswing.errors import InputError, UnknownNameError
from upswing.lab.alphabet import SIGNS, decode
from upswing.lab.mixture import CONTEXT, Mixture, held_out_windows, training_batches
from upswing.lab.tasks import TASKS
from upswing.lab.tasks.task import Problem


def rows_of(mixture, corpus, batches=20, rows=50, seed=0):
    stream = training_batches(mixture, corpus, rows, np.random.default_rng(seed))
    return np.concatenate(list(itertools.islice(stream, batches)))


def is_of_tasks(row: str) -> bool:
    return not set(SIGNS).isdisjoint(row)


def solved_in(row: str) -> list[Problem]:
    """Return the problems of a row that stand in it with all of their answer."""
    found = []
    for line in row.split("\n")[:-1]:
        end = 1 + max(line.find(">"), line.find("="))
        found.append(Problem(line[:end], line[end:]))
    return found


@pytest.fixture(scope="module")
def texts(corpus) -> list[str]:
    """Rows of all tasks with the tasks' own weights."""
    return [decode(row) for row in rows_of(Mixture("all", 0.8), corpus)]


def test_rows_have_one_more_token_than_the_context(corpus):
    stream = training_batches(Mixture("all"), corpus, 7, np.random.default_rng(0))
    for batch in itertools.islice(stream, 3):
        assert batch.shape == (7, CONTEXT + 1)
        assert batch.dtype == np.uint8


def test_problems_are_solved_and_only_of_the_training_split(texts):
    problems = [problem for row in texts if is_of_tasks(row) for problem in solved_in(row)]
    assert len(problems) > 2000
    assert {task_of(problem.prompt) for problem in problems} == set(TASKS)
    for problem in problems:
        assert problem.answer == answer_to(problem.prompt)
        assert TASKS[task_of(problem.prompt)].split(problem) == "train"


def test_a_row_begins_with_a_problem_and_is_of_one_task(texts):
    for row in filter(is_of_tasks, texts):
        solved = solved_in(row)
        assert solved
        assert len({task_of(problem.prompt) for problem in solved}) == 1
        whole = "".join(f"{prompt}{answer}\n" for prompt, answer in solved)
        assert row.startswith(whole)
        width = len("".join(solved[0])) + 1
        assert len(row) - len(whole) < width  # what is cut off is less than a problem


def test_rows_of_text_are_windows_of_the_training_text(texts, corpus):
    whole = decode(corpus.train)
    rows = [row for row in texts if not is_of_tasks(row)]
    assert len(set(rows)) > 0.9 * len(rows) > 90
    assert all(row in whole for row in rows)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_tasks_have_their_share_of_the_rows(corpus, share):
    rows = [decode(row) for row in rows_of(Mixture("m", share, {"copy": 1.0}), corpus)]
    found = np.mean([is_of_tasks(row) for row in rows])
    assert found == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / len(rows)))


def test_tasks_occur_by_their_weights(corpus):
    weights = {"reverse": 3.0, "addition-2": 1.0, "lookup": 0.0}
    rows = [decode(row) for row in rows_of(Mixture("m", 1.0, weights), corpus)]
    found = Counter(task_of(solved_in(row)[0].prompt) for row in rows)
    assert set(found) == {"reverse", "addition-2"}
    assert found["reverse"] / len(rows) == pytest.approx(0.75, abs=4 * math.sqrt(0.1875 / 1000))


def test_the_same_seed_gives_the_same_rows_and_another_one_others(corpus):
    mixture = Mixture("all")
    first = rows_of(mixture, corpus, batches=3)
    assert np.array_equal(first, rows_of(mixture, corpus, batches=3))
    assert not np.array_equal(first, rows_of(mixture, corpus, batches=3, seed=1))


def test_the_training_text_stays_as_it_is(corpus):
    before = corpus.train.copy()
    rows_of(Mixture("all", 1.0), corpus, batches=3)
    assert np.array_equal(corpus.train, before)


def test_text_alone_needs_no_tasks(corpus):
    rows = rows_of(Mixture("text", 0.0, {}), corpus, batches=2)
    assert not any(is_of_tasks(decode(row)) for row in rows)


def test_a_task_that_does_not_exist_is_named():
    with pytest.raises(UnknownNameError, match=r"no task 'addition-9'.*addition-4"):
        Mixture("m", weights={"addition-9": 1.0})


@pytest.mark.parametrize(
    ("share", "weights"),
    [
        (1.5, {"copy": 1.0}),
        (-0.1, {"copy": 1.0}),
        (math.nan, {"copy": 1.0}),
        (0.5, {}),
        (0.5, {"copy": 0.0}),
        (0.5, {"copy": 1.0, "sort": -1.0}),
        (0.5, {"copy": math.inf}),
    ],
)
def test_shares_and_weights_that_make_no_mixture_are_refused(share, weights):
    with pytest.raises(InputError, match="mixture 'm'"):
        Mixture("m", share, weights)


def test_held_out_windows_are_spread_over_the_held_out_text(corpus):
    windows = held_out_windows(corpus, 10)
    assert windows.shape == (10, CONTEXT + 1)
    assert np.array_equal(windows[0], corpus.held_out[: CONTEXT + 1])
    assert np.array_equal(windows[-1], corpus.held_out[-CONTEXT - 1 :])
    whole = decode(corpus.held_out)
    starts = [whole.index(decode(window)) for window in windows]
    gaps = np.diff(starts)
    assert gaps.min() >= gaps.max() - 1
