"""``Task``: a numbered space of problems, split by hash, all of one width.

All prompts of a task are equally long and so are all its answers, so a batch needs no padding and
the answer is as many tokens for every question.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from upswing.errors import InputError

Split = Literal["train", "validation", "test"]

OPTIONS = 4
"""Options of a multiple-choice question."""

_SMALL = 2000
_SHARES = (80, 90)
_SHARES_OF_SMALL = (50, 60)
_ENUMERABLE = 200_000


class Problem(NamedTuple):
    """A question and its right answer, as the models read and write them."""

    prompt: str
    answer: str


@dataclass(frozen=True)
class Task:
    """A task whose problems are numbered.

    Attributes
    ----------
    name
        Such as ``addition-2``.
    space
        Number of problems.
    problem
        The problem of a number in ``range(space)``.
    distractor
        A wrong answer to a problem, at random. Wrong options must be *exchangeable* with the right
        one for a model that knows how answers look and nothing else; else its accuracy is not 1/4.
    weight
        Share in the tasks of the mixture, relative to the other tasks.
    """

    name: str
    space: int
    problem: Callable[[int], Problem]
    distractor: Callable[[Task, Problem, np.random.Generator], str]
    weight: float = 1.0

    @property
    def shares(self) -> tuple[int, int]:
        """Percent below which a problem is for training, and below which for validation.

        80 and 90; for tasks of fewer than 2,000 problems 50 and 60, so that enough are left to
        test with.
        """
        return _SHARES_OF_SMALL if self.space < _SMALL else _SHARES

    def split(self, problem: Problem) -> Split:
        """Return what a problem is for, by the MD5 of its prompt.

        >>> from upswing.lab.tasks import TASKS
        >>> TASKS["addition-2"].split(Problem("34+25=", "059"))
        'test'
        """
        percent = int.from_bytes(hashlib.md5(problem.prompt.encode()).digest()[:8], "big") % 100
        train, validation = self.shares
        return "train" if percent < train else "validation" if percent < validation else "test"

    def endless(self, split: Split, rng: np.random.Generator) -> Iterator[Problem]:
        """Yield problems of a split at random, with repeats."""
        while True:
            for number in rng.integers(self.space, size=256).tolist():
                problem = self.problem(number)
                if self.split(problem) == split:
                    yield problem

    def draw(self, split: Split, count: int, rng: np.random.Generator) -> list[Problem]:
        """Return different problems of a split, in random order.

        The first problems of a larger draw with the same ``rng`` are those of a smaller one, so
        subsets are nested.

        Raises
        ------
        InputError
            If the split has fewer problems, or is too large to be listed and ``count`` is more than
            half of it.
        """
        if self.space > _ENUMERABLE:
            return self._sample(split, count, rng)
        numbers = rng.permutation(self.space).tolist()
        problems = [p for p in map(self.problem, numbers) if self.split(p) == split]
        if len(problems) < count:
            raise self._too_few(split, count, f"has {len(problems):,}")
        return problems[:count]

    def at_most(self, split: Split, count: int, rng: np.random.Generator) -> list[Problem]:
        """Return as many different problems of a split as there are, up to ``count``.

        Raises
        ------
        InputError
            If ``count`` is more than half of a split too large to be listed.
        """
        if self.space > _ENUMERABLE:
            return self._sample(split, count, rng)
        numbers = rng.permutation(self.space).tolist()
        return [p for p in map(self.problem, numbers) if self.split(p) == split][:count]

    def _sample(self, split: Split, count: int, rng: np.random.Generator) -> list[Problem]:
        train, validation = self.shares
        share = {"train": train, "validation": validation - train, "test": 100 - validation}[split]
        most = self.space * share // 200  # half of the split: beyond it, drawing is slow
        if count > most:
            raise self._too_few(split, count, f"gives at most {most:,}")
        found: dict[Problem, None] = {}
        stream = self.endless(split, rng)
        while len(found) < count:
            found.setdefault(next(stream))
        return list(found)

    def _too_few(self, split: Split, count: int, there_are: str) -> InputError:
        return InputError(
            f"{self.name} {there_are} {split} problems, not {count:,}",
            hint="ask for fewer examples",
        )

    def options(self, problem: Problem, rng: np.random.Generator) -> tuple[list[str], int]:
        """Return the answers to choose from in random order, and the position of the right one."""
        wrong: list[str] = []
        while len(wrong) < OPTIONS - 1:
            answer = self.distractor(self, problem, rng)
            if answer != problem.answer and answer not in wrong:
                wrong.append(answer)
        place = int(rng.integers(OPTIONS))
        return [*wrong[:place], problem.answer, *wrong[place:]], place


def arrangement(number: int, symbols: str, length: int) -> tuple[str, int]:
    """Return the ``number``-th arrangement of different symbols, and what is left of the number.

    >>> [arrangement(n, "abc", 2)[0] for n in range(6)]
    ['ab', 'ac', 'ba', 'bc', 'ca', 'cb']
    """
    rest, arranged = number % math.perm(len(symbols), length), []
    left = list(symbols)
    for i in range(length):
        place, rest = divmod(rest, math.perm(len(symbols) - i - 1, length - i - 1))
        arranged.append(left.pop(place))
    return "".join(arranged), number // math.perm(len(symbols), length)


def answer_of_another(task: Task, problem: Problem, rng: np.random.Generator) -> str:
    """Return the right answer of another problem of the same split.

    The right answer to a problem that is held out is rarer in training than an answer drawn from
    all problems, which a model can learn without any arithmetic.
    """
    split = task.split(problem)
    return next(p.answer for p in task.endless(split, rng))


def other_order(task: Task, problem: Problem, rng: np.random.Generator) -> str:
    """Return the letters of the answer in a random order."""
    return "".join(np.array(list(problem.answer))[rng.permutation(len(problem.answer))])
