"""A task that a small model learns in a second, and models that have learnt it more or less."""

from __future__ import annotations

from functools import cache
from string import ascii_lowercase

import torch

from upswing.lab.finetune import Finetuning, Run, finetune
from upswing.lab.model_shape import ModelShape
from upswing.lab.tasks.task import Problem, Task
from upswing.lab.transformer import initial_weights

TINY = ModelShape.named("d8L1")
SMALL = ModelShape.named("d16L2")


def _in_the_alphabet(number: int) -> Problem:
    first, last = divmod(number, 26)
    following = [ascii_lowercase[(last + step) % 26] for step in range(1, 4)]
    return Problem(f"#{ascii_lowercase[first]}{ascii_lowercase[last]}>", "".join(following))


ALPHABET = Task(
    "alphabet",
    26 * 26,
    _in_the_alphabet,
    lambda task, problem, rng: _in_the_alphabet(int(rng.integers(26))).answer,
)
"""What follows the second letter in the alphabet: ``#xc>def``."""


@cache
def alphabet_models() -> dict[str, torch.Tensor]:
    """Return a stack of three models: fresh, right in 4 of 10 questions, right in all."""
    start = initial_weights(SMALL, [0])
    stack = {name: [weight[0]] for name, weight in start.items()}
    for steps in (32, 64):
        tuned = finetune(start, SMALL, Finetuning(ALPHABET, steps=steps), [Run(200, 0, 0, 1e-2)], 0)
        for name, weight in tuned.weights.items():
            stack[name].append(weight[0])
    return {name: torch.stack(weights) for name, weights in stack.items()}
