"""From a stack's answers to rows of the tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from upswing.lab.alphabet import decode
from upswing.lab.answer import Answers
from upswing.lab.questions import Questions
from upswing.metrics.registry import find_metric
from upswing.metrics.score_items import score_items
from upswing.tables.reading import item_columns

HARNESS = "upswing-lab"

MULTIPLE_CHOICE = "multiple-choice"
"""How a question was asked (column ``elicitation``) whose rows hold log-likelihoods of options. The
rows of written answers have none."""

CHOSEN = ("acc", "target_probability")
"""Metrics of multiple choice."""

WRITTEN = ("exact_match", "character_edit_distance_norm", "target_logprob_per_token")
"""Metrics of free text: all or nothing, and partial credit."""

_DECIMALS = 4


def item_rows_of(
    answers: Answers,
    questions: Questions,
    models: Sequence[tuple[str, str, str]],
    source: str,
    version: str = "",
) -> pl.DataFrame:
    """Return two rows per model and question in the ITEMS schema.

    One is multiple choice: the log-likelihoods of the options. The other is free text: what greedy
    decoding wrote, and the log-likelihood of the right answer.

    Parameters
    ----------
    answers
        Of n_models models.
    questions
        What they were asked.
    models
        Family, model and revision of each.
    source
        Name of the experiment.
    version
        Version of the task.
    """
    count, choices, length = questions.options.shape
    flat = answers.option_logprobs.round(_DECIMALS).reshape(-1, choices)
    targets = np.tile(questions.targets, len(models))
    family, model, revision = (pl.Series([m[i] for m in models]) for i in range(3))
    each = np.repeat(np.arange(len(models)), count)

    def tiled(values: Sequence[object]) -> pl.Series:
        return pl.Series(values).gather(np.tile(np.arange(count), len(models)))

    common = {
        "family": family.gather(each),
        "model": model.gather(each),
        "revision": revision.gather(each),
        "task": questions.task.name,
        "task_version": version,
        "n_shot": questions.shots,
        "harness": HARNESS,
        "item": tiled([problem.prompt for problem in questions.problems]),
        "source": source,
    }
    chosen = item_columns(
        {
            **common,
            "elicitation": MULTIPLE_CHOICE,
            "target_index": pl.Series(targets),
            "option_logprobs": pl.Series(flat).arr.to_list(),
        }
    )
    lengths = pl.lit(pl.Series([[length] * choices], dtype=pl.List(pl.Int64))).first()
    written = item_columns(
        {
            **common,
            "targets": tiled([[problem.answer] for problem in questions.problems]),
            "output": [decode(output) for output in answers.outputs.reshape(-1, length)],
            "target_logprob": pl.Series(flat[np.arange(len(flat)), targets]),
        }
    )
    return pl.concat(
        [
            chosen.with_columns(
                lengths.alias(name)
                for name in ("option_tokens", "option_characters", "option_bytes")
            ),
            written.with_columns(
                pl.lit(length, pl.Int64).alias(name) for name in ("target_tokens", "target_bytes")
            ),
        ]
    )


def scores_of(items: pl.DataFrame) -> pl.DataFrame:
    """Return the scores of the lab's metrics in the SCORES schema."""
    is_chosen = pl.col("elicitation") == MULTIPLE_CHOICE
    parts = (items.filter(is_chosen), CHOSEN), (items.filter(~is_chosen), WRITTEN)
    return pl.concat(
        [score_items(rows, [find_metric(name) for name in metrics]) for rows, metrics in parts]
    )
