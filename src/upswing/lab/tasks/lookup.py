"""Looking up one of six pairs in the prompt: with these few steps a control that stays at chance.

The values all differ, and the wrong options are the other values of the prompt.
"""

from __future__ import annotations

import math
from string import ascii_lowercase, digits

import numpy as np

from upswing.lab.tasks.task import Problem, Task, arrangement

_PAIRS = 6


def _looked_up(number: int) -> Problem:
    asked, number = number % _PAIRS, number // _PAIRS
    keys, number = arrangement(number, ascii_lowercase, _PAIRS)
    values, _ = arrangement(number, digits, _PAIRS)
    pairs = "".join(key + value for key, value in zip(keys, values, strict=True))
    return Problem(f"@{pairs}@{keys[asked]}>", values[asked])


def _another_value(task: Task, problem: Problem, rng: np.random.Generator) -> str:
    return problem.prompt[2 + 2 * int(rng.integers(_PAIRS))]


LOOKUP = Task(
    "lookup",
    _PAIRS * math.perm(26, _PAIRS) * math.perm(10, _PAIRS),
    _looked_up,
    _another_value,
    weight=0.5,
)
