"""The job ``finetune``: one checkpoint on many amounts, draws and orders of examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from torch import Tensor

from upswing.errors import InputError
from upswing.lab.answer import answer
from upswing.lab.answer_rows import item_rows_of, scores_of
from upswing.lab.checkpoint import read_checkpoints
from upswing.lab.experiment_files import Trained, read_list
from upswing.lab.finetune import FULL, Finetuning, Run, finetune
from upswing.lab.model_shape import ModelShape
from upswing.lab.questions import ask
from upswing.lab.runner.workplace import Workplace
from upswing.lab.tasks import TASKS
from upswing.tables.reading import Reading, padded
from upswing.tables.schemas import FINETUNES

_KEPT_METRICS = ("acc", "exact_match", "target_logprob_per_token")
_SELECTING_SEED = 1_000_000
_SELECTING_SHARE = 0.25


def run(config: Mapping[str, Any], workplace: Workplace) -> Sequence[Reading]:
    """Finetune a checkpoint and score every run on the test problems.

    The learning rate of each amount of data is chosen by the loss on the validation problems, on
    runs of their own that are not in the table. Runs of one draw are nested: more examples hold
    the fewer.

    Parameters
    ----------
    config
        ``pretrain`` (key of the job), ``model``, ``revision``, ``task``, ``method``, ``d``,
        ``draws`` and ``seeds`` (how many), ``learning_rates``, ``steps``, ``rows``, ``questions``,
        ``shots`` (of the prompted model in the same table; null for none), ``seed``.
    workplace
        Gets no files.

    Raises
    ------
    InputError
        If the job has no such checkpoint, or the task fewer training problems than asked for.
    """
    pretrained = workplace.output(config["pretrain"])
    trained = _the(config, read_list(pretrained))
    shape, weights = read_checkpoints([pretrained / trained.folder])
    finetuning = Finetuning(
        TASKS[config["task"]], config["method"], config["steps"], config["rows"]
    )
    amounts, rates = config["d"], config["learning_rates"]
    selecting = [Run(d, 0, _SELECTING_SEED, rate) for d in amounts for rate in rates]
    chosen = dict.fromkeys(amounts, rates[0])
    share = _SELECTING_SHARE if len(rates) > 1 else 0.0
    if share:
        tried = finetune(
            weights,
            shape,
            finetuning,
            selecting,
            config["seed"],
            lambda done: workplace.progress(share * done),
            may_diverge=True,
        )
        for i, d in enumerate(amounts):
            losses = tried.losses[i * len(rates) : (i + 1) * len(rates)]
            chosen[d] = rates[int(losses.argmin())]
    runs = [
        Run(d, draw, seed, chosen[d])
        for d in amounts
        for draw in range(config["draws"])
        for seed in range(config["seeds"])
    ]
    tuned = finetune(
        weights,
        shape,
        finetuning,
        runs,
        config["seed"],
        lambda done: workplace.progress(share + (1.0 - share) * done),
    )
    labels = [(run.d, run.draw, run.seed) for run in runs]
    tables = [_scored(config, trained, shape, tuned.weights, 0, labels, workplace.source)]
    if config["shots"] is not None and config["method"] == FULL:
        prompted = [(None, None, None)]
        shots = config["shots"]
        tables.append(_scored(config, trained, shape, weights, shots, prompted, workplace.source))
    return [Reading(finetunes=pl.concat(tables))]


def _the(config: Mapping[str, Any], trained: Sequence[Trained]) -> Trained:
    for one in trained:
        if (one.model, one.revision) == (config["model"], config["revision"]):
            return one
    raise InputError(f"there is no checkpoint {config['model']} at {config['revision']}")


def _scored(
    config: Mapping[str, Any],
    trained: Trained,
    shape: ModelShape,
    weights: Mapping[str, Tensor],
    shots: int,
    labels: Sequence[tuple[int | None, int | None, int | None]],
    source: str,
) -> pl.DataFrame:
    """Return the scores of a stack on the test problems in the FINETUNES schema."""
    # The first questions of the evaluation with the same seed, with and without shots.
    rng = np.random.default_rng([config["seed"], *config["task"].encode()])
    questions = ask(TASKS[config["task"]], config["questions"], shots, rng)
    answers = answer(weights, shape, questions)
    numbered = [(trained.family, str(i), "") for i in range(len(labels))]
    scores = scores_of(item_rows_of(answers, questions, numbered, source))
    d, draw, seed = (pl.Series([label[i] for label in labels], dtype=pl.Int64) for i in range(3))
    run = pl.col("model").cast(pl.Int64)
    rows = scores.filter(pl.col("metric").is_in(_KEPT_METRICS)).select(
        pl.lit(trained.model).alias("model"),
        pl.lit(trained.revision).alias("revision"),
        "family",
        "task",
        "metric",
        pl.lit(config["method"] if d[0] is not None else "").alias("method"),
        *(
            pl.lit(values).gather(run).alias(n)
            for n, values in (("d", d), ("draw", draw), ("seed", seed))
        ),
        pl.lit(d[0] is None).alias("few_shot"),
        "value",
        "stderr",
        "n",
        "source",
    )
    return padded(rows, FINETUNES).select(*FINETUNES.polars)
