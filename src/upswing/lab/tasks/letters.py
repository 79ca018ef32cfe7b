"""Tasks on letters: copy, reverse, sort. The letters of a problem all differ.

Wrong options of copy and reverse are other orders of the same letters. Those of sort are sorted
too, or a model would tell them by their look long before it can sort.
"""

from __future__ import annotations

import math
from string import ascii_lowercase

from upswing.lab.tasks.task import Problem, Task, answer_of_another, arrangement, other_order


def _copied(number: int) -> Problem:
    word, _ = arrangement(number, ascii_lowercase, 6)
    return Problem(f"#{word}>", word)


def _reversed(number: int) -> Problem:
    word, _ = arrangement(number, ascii_lowercase, 5)
    return Problem(f"|{word}>", word[::-1])


def _sorted(number: int) -> Problem:
    word, _ = arrangement(number, ascii_lowercase, 4)
    return Problem(f"!{word}>", "".join(sorted(word)))


COPY = Task("copy", math.perm(26, 6), _copied, other_order, weight=1.0)
REVERSE = Task("reverse", math.perm(26, 5), _reversed, other_order, weight=1.5)
SORT = Task("sort", math.perm(26, 4), _sorted, answer_of_another, weight=1.5)
