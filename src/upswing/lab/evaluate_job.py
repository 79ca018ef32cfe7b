"""The job ``evaluate``: all checkpoints of a pretraining job on questions of some tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from upswing.errors import InputError
from upswing.lab.answer import answer
from upswing.lab.answer_rows import item_rows_of, scores_of
from upswing.lab.checkpoint import read_checkpoints
from upswing.lab.experiment_files import read_list
from upswing.lab.questions import ask
from upswing.lab.runner.workplace import Workplace
from upswing.lab.tasks import TASKS
from upswing.tables.reading import Reading


def run(config: Mapping[str, Any], workplace: Workplace) -> Sequence[Reading]:
    """Ask all checkpoints of a job, or those of some revisions, and score their answers.

    Parameters
    ----------
    config
        ``pretrain`` (key of the job), ``tasks``, ``questions`` (per task, at most), ``shots``,
        ``seed`` of the questions, ``keep_items`` (tasks of which every answer is kept), and maybe
        ``revisions``. Number and seed of the questions are the version of the task.
    workplace
        Gets no files.

    Raises
    ------
    InputError
        If the job lacks one of the revisions.
    """
    pretrained = workplace.output(config["pretrain"])
    wanted = config.get("revisions")
    trained = read_list(pretrained)
    if wanted is not None:
        missing = sorted(set(wanted) - {t.revision for t in trained})
        if missing:
            there_are = ", ".join(dict.fromkeys(t.revision for t in trained))
            raise InputError(f"no checkpoint {', '.join(missing)}", hint=f"there are {there_are}")
        trained = [t for t in trained if t.revision in wanted]
    shape, weights = read_checkpoints([pretrained / t.folder for t in trained])
    models = [(t.family, t.model, t.revision) for t in trained]
    scores, kept = [], []
    for i, name in enumerate(config["tasks"]):
        rng = np.random.default_rng([config["seed"], *name.encode()])
        questions = ask(TASKS[name], config["questions"], config["shots"], rng)
        answers = answer(weights, shape, questions)
        version = f"{config['questions']}q-seed{config['seed']}"
        items = item_rows_of(answers, questions, models, workplace.source, version)
        scores.append(scores_of(items))
        if name in config["keep_items"]:
            kept.append(items)
        workplace.progress((i + 1) / len(config["tasks"]))
    return [
        Reading(scores=pl.concat(scores), items=pl.concat(kept))
        if kept
        else Reading(scores=pl.concat(scores))
    ]
