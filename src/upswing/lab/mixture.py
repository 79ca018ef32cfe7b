"""What a model reads in training: rows of text, and rows of solved problems of one task."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from upswing.errors import InputError
from upswing.lab.alphabet import Tokens, encode
from upswing.lab.corpus import Corpus
from upswing.lab.tasks import TASKS, find_task

CONTEXT = 64
"""Tokens that a model reads at once in training."""


@dataclass(frozen=True)
class Mixture:
    """How often which task stands among the text.

    Attributes
    ----------
    name
        Goes into the names of the models.
    task_share
        Share of the rows that hold tasks instead of text, in [0, 1].
    weights
        Relative frequency by task. Tasks that are not named do not occur.
    """

    name: str
    task_share: float = 0.3
    weights: dict[str, float] = field(
        default_factory=lambda: {t.name: t.weight for t in TASKS.values()}
    )

    def __post_init__(self) -> None:
        """Check names, share and weights.

        Raises
        ------
        UnknownNameError
            If a task does not exist.
        InputError
            If the share is outside [0, 1], a weight is negative or infinite, or all are zero.
        """
        for name in self.weights:
            find_task(name)
        if not 0.0 <= self.task_share <= 1.0:
            raise InputError(
                f"mixture {self.name!r} has tasks in a share of {self.task_share:g} of its rows",
                hint="give a share in [0, 1]",
            )
        if not all(0.0 <= weight < math.inf for weight in self.weights.values()):
            raise InputError(f"mixture {self.name!r} has a weight that is no frequency")
        if self.task_share and not any(self.weights.values()):
            raise InputError(
                f"mixture {self.name!r} has no task with a weight above zero",
                hint="give it one, or a task share of 0",
            )


def training_batches(
    mixture: Mixture, corpus: Corpus, rows: int, rng: np.random.Generator
) -> Iterator[Tokens]:
    """Yield batches of tokens for ever, shape (rows, CONTEXT + 1).

    A row of a task is solved training problems of that task, one a line, cut at the end; so the
    models see problems as a few-shot prompt shows them.
    """
    names = list(mixture.weights)
    weights = np.array([mixture.weights[name] for name in names], dtype=float)
    streams = [TASKS[name].endless("train", rng) for name in names]
    width = CONTEXT + 1
    windows = np.lib.stride_tricks.sliding_window_view(corpus.train, width)
    while True:
        batch = windows[rng.integers(len(windows), size=rows)]
        of_tasks = np.flatnonzero(rng.random(rows) < mixture.task_share)
        if not len(of_tasks):
            yield batch
            continue
        chosen = rng.choice(len(names), size=len(of_tasks), p=weights / weights.sum())
        for row, choice in zip(of_tasks.tolist(), chosen.tolist(), strict=True):
            text = ""
            while len(text) < width:
                prompt, answer = next(streams[choice])
                text += f"{prompt}{answer}\n"
            batch[row] = encode(text[:width])
        yield batch


def held_out_windows(corpus: Corpus, count: int = 256) -> Tokens:
    """Return windows spread evenly over the held-out text, shape (count, CONTEXT + 1)."""
    starts = np.linspace(0, len(corpus.held_out) - CONTEXT - 1, count).astype(int)
    return np.stack([corpus.held_out[start : start + CONTEXT + 1] for start in starts])
