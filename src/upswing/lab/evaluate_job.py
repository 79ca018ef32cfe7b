"""The job ``evaluate``: the checkpoints of a pretraining job on questions of one task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from upswing.lab.answer import answer
from upswing.lab.answer_rows import item_rows_of, scores_of
from upswing.lab.checkpoint import read_checkpoints
from upswing.lab.experiment_files import read_list
from upswing.lab.questions import ask
from upswing.lab.runner.workplace import Workplace
from upswing.lab.tasks import find_task
from upswing.tables.reading import Reading


def run(config: Mapping[str, Any], workplace: Workplace) -> Sequence[Reading]:
    """Ask checkpoints and score their answers.

    Parameters
    ----------
    config
        ``pretrain`` (key of the job), ``task``, ``revisions`` (of its checkpoints), ``questions``
        (at most), ``shots``, ``seed`` of the questions, and ``keeps_answers``: whether every answer
        is kept. Number and seed of the questions are the version of the task.
    workplace
        Gets no files.
    """
    pretrained = workplace.output(config["pretrain"])
    trained = [t for t in read_list(pretrained) if t.revision in config["revisions"]]
    shape, weights = read_checkpoints([pretrained / t.folder for t in trained])
    rng = np.random.default_rng([config["seed"], *config["task"].encode()])
    questions = ask(find_task(config["task"]), config["questions"], config["shots"], rng)
    items = item_rows_of(
        answer(weights, shape, questions),
        questions,
        [(t.family, t.model, t.revision) for t in trained],
        workplace.source,
        version=f"{config['questions']}q-seed{config['seed']}",
    )
    scores = scores_of(items)
    return [Reading(scores=scores, items=items) if config["keeps_answers"] else Reading(scores)]
