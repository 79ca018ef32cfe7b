"""Ask the lab's shipped checkpoints more questions than the shipped results hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from upswing.lab.shipped import lab_checkpoint, read_lab_results
from upswing.lab.tasks import find_task

SHOTS = 2


def more_questions(
    checkpoints: Sequence[tuple[str, str]], task: str, n: int, seed: int = 0
) -> pl.DataFrame:
    """Ask checkpoints up to n questions of a task and return what they answered.

    The questions are drawn as in the lab's evaluations, so that with seed 0 the first of them are
    those of the shipped results. A task has as many as its test split holds: 40 in ``addition-1``
    and just under 1,000 in ``addition-2`` and ``multiplication-2``, whatever n is. It takes some
    seconds per checkpoint and 5,000 questions, and PyTorch.

    Parameters
    ----------
    checkpoints
        Models and revisions that come with Upswing, see :func:`upswing.lab_checkpoint`.
    task
        Name of a task of the lab.
    n
        Questions.
    seed
        Seed of the questions.

    Returns
    -------
    polars.DataFrame
        Rows in the ITEMS columns, free text only, checkpoint by checkpoint, in the order asked.

    Raises
    ------
    InputError, UnknownNameError
        If a checkpoint or the task does not exist, or n is below 1 or more than half of a split
        that is too large to be listed.
    """
    from upswing.lab.answer import answer
    from upswing.lab.answer_rows import item_rows_of
    from upswing.lab.checkpoint import read_checkpoints
    from upswing.lab.questions import ask

    folders = [lab_checkpoint(model, revision) for model, revision in checkpoints]
    rng = np.random.default_rng([seed, *task.encode()])
    questions = ask(find_task(task), n, SHOTS, rng)
    scores = read_lab_results(items=False).scores
    families = dict(scores.select("model", "family").unique().iter_rows())
    parts = []
    for (model, revision), folder in zip(checkpoints, folders, strict=True):
        shape, weights = read_checkpoints([folder])
        rows = item_rows_of(
            answer(weights, shape, questions),
            questions,
            [(families[model], model, revision)],
            "lab/more-questions",
            version=f"{n}q-seed{seed}",
        )
        parts.append(rows.filter(pl.col("output").is_not_null()))
    return pl.concat(parts)
