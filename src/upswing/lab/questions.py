"""The questions of an evaluation: solved examples before them, options to choose from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from upswing.errors import InputError
from upswing.lab.alphabet import Tokens, encode
from upswing.lab.tasks.task import OPTIONS, Problem, Split, Task


@dataclass(frozen=True, eq=False)
class Questions:
    """Questions on one task, the same for every model.

    Attributes
    ----------
    task
        The task.
    shots
        Solved training problems before each question.
    problems
        The problems, all different.
    prompts
        Tokens of examples and question, shape (n_questions, n_tokens).
    options
        Tokens of the answers to choose from, shape (n_questions, 4, n_answer_tokens).
    option_texts
        The same as text.
    targets
        Position of the right option, shape (n_questions,).
    """

    task: Task
    shots: int
    problems: tuple[Problem, ...]
    prompts: Tokens
    options: Tokens
    option_texts: tuple[tuple[str, ...], ...]
    targets: np.ndarray[tuple[int], np.dtype[np.int64]]


def ask(
    task: Task, count: int, shots: int, rng: np.random.Generator, split: Split = "test"
) -> Questions:
    """Make questions of a split, each behind its own solved examples from the training split.

    A task with fewer problems in the split gives those it has.

    Raises
    ------
    InputError
        If there would be no question, or more than half of a split too large to be listed.
    """
    if count < 1:
        raise InputError("an evaluation needs at least one question")
    # Streams of their own: more questions hold the fewer, and other shots change no question.
    drawing, choosing, solving = rng.spawn(3)
    problems = task.at_most(split, count, drawing)
    examples = task.endless("train", solving)
    prompts, options, targets = [], [], []
    for problem in problems:
        solved = [next(examples) for _ in range(shots)]
        text = "".join(f"{prompt}{answer}\n" for prompt, answer in solved)
        prompts.append(encode(text + problem.prompt))
        answers, target = task.options(problem, choosing)
        options.append(answers)
        targets.append(target)
    tokens = [encode("".join(answers)) for answers in options]
    return Questions(
        task,
        shots,
        tuple(problems),
        np.stack(prompts),
        np.stack(tokens).reshape(len(problems), OPTIONS, -1),
        tuple(map(tuple, options)),
        np.array(targets),
    )
