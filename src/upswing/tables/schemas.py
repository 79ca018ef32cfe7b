"""The four tables that everything else is made of, and what each column means.

``SCORES`` holds one number per model, task and metric; ``SCALES`` how large each model is;
``ITEMS`` one row per question; ``FINETUNES`` one row per finetuned model.
"""

from __future__ import annotations

import polars as pl

from upswing.tables.schema import Column, Schema

_MODEL = Column("model", pl.String, "Identifier of the model as its log names it.", nullable=False)
_FAMILY = Column(
    "family",
    pl.String,
    "Models that differ in scale only; a curve joins one family.",
    nullable=False,
)
_REVISION = Column(
    "revision",
    pl.String,
    "Checkpoint or version, such as step3000; empty for the released model.",
    nullable=False,
)
_TASK = Column("task", pl.String, "Name of the task.", nullable=False)
_TASK_VERSION = Column("task_version", pl.String, "Version of the task.", nullable=False)
_METRIC = Column("metric", pl.String, "Name of the metric.", nullable=False)
_FILTER = Column("filter", pl.String, "Answer filter of the harness; none if none.", nullable=False)
_SHOTS = Column("n_shot", pl.Int64, "Number of solved examples in the prompt.", minimum=0)
_ELICITATION = Column(
    "elicitation",
    pl.String,
    "How the answer was asked for beyond the shots, such as chat; empty if plainly.",
    nullable=False,
)
_HARNESS = Column("harness", pl.String, "Software that made the score.", nullable=False)
_SOURCE = Column("source", pl.String, "File the row comes from.")
_LINE = Column("line", pl.Int64, "Line in that file, from 1; null where it has none.")

IDENTITY = (
    "model",
    "revision",
    "task",
    "task_version",
    "metric",
    "filter",
    "n_shot",
    "elicitation",
    "harness",
)
"""The columns that identify a score. Two rows that agree in them claim to be the same number."""

SCORES = Schema(
    "scores",
    (
        _MODEL,
        _FAMILY,
        _REVISION,
        _TASK,
        _TASK_VERSION,
        _METRIC,
        _FILTER,
        _SHOTS,
        _ELICITATION,
        _HARNESS,
        Column("value", pl.Float64, "The score, in the metric's own unit.", nullable=False),
        Column("stderr", pl.Float64, "Standard error of the score over questions.", minimum=0),
        Column("n", pl.Int64, "Number of questions.", minimum=1),
        Column(
            "n_source",
            pl.String,
            "Where n comes from: input, stderr, siblings, inferred, items, rescored.",
        ),
        Column("n_clusters", pl.Int64, "Number of groups of questions, if clustered.", minimum=1),
        Column("chance", pl.Float64, "Score of a model that knows nothing."),
        Column("chance_source", pl.String, "Where the chance level comes from."),
        Column("higher_is_better", pl.Boolean, "Direction of the metric; null if not known."),
        Column("level", pl.String, "task, or group where sub-tasks are listed beside it."),
        Column("date", pl.String, "When the score was made (ISO 8601)."),
        _SOURCE,
        _LINE,
    ),
    IDENTITY,
)

SCALES = Schema(
    "scales",
    (
        _MODEL,
        _REVISION,
        _FAMILY,
        Column("params", pl.Float64, "Parameters, all of them.", "parameters", minimum=1),
        Column(
            "params_nonembedding",
            pl.Float64,
            "Parameters without embeddings.",
            "parameters",
            minimum=1,
        ),
        Column("tokens", pl.Float64, "Training tokens seen so far.", "tokens", minimum=0),
        Column("flops", pl.Float64, "Training compute.", "FLOP", minimum=0),
        Column(
            "params_source",
            pl.String,
            "input, table (the model table), or path (the same, by the model's path).",
        ),
        Column("tokens_source", pl.String, "input, table, or revision for the checkpoint's name."),
        Column("flops_source", pl.String, "input, paper, or 6ND (6 x params x tokens)."),
        Column("loss", pl.Float64, "Loss on held-out text.", "nats/token"),
        Column("loss_corpus", pl.String, "The text that the loss was measured on."),
        Column("date", pl.String, "When the model became public (ISO 8601)."),
        Column("step", pl.Int64, "Optimiser steps taken.", "steps", minimum=0),
        Column("reference", pl.String, "Where the sizes come from."),
    ),
    ("model", "revision"),
)

ITEMS = Schema(
    "items",
    (
        _MODEL,
        _FAMILY,
        _REVISION,
        _TASK,
        _TASK_VERSION,
        _FILTER,
        _SHOTS,
        _ELICITATION,
        _HARNESS,
        Column("item", pl.String, "Identifier of the question.", nullable=False),
        Column(
            "repeat",
            pl.Int64,
            "Which of several answers to the question, from 0.",
            nullable=False,
            minimum=0,
        ),
        Column("cluster", pl.String, "Group of questions that stand or fall together."),
        Column("targets", pl.List(pl.String), "The right answers as text; any of them counts."),
        Column("output", pl.String, "What the model answered."),
        Column("target_index", pl.Int64, "Position of the right option, from 0.", minimum=0),
        Column(
            "option_logprobs", pl.List(pl.Float64), "Log-likelihood of each option.", "nats/answer"
        ),
        Column("option_tokens", pl.List(pl.Int64), "Length of each option.", "tokens"),
        Column("option_characters", pl.List(pl.Int64), "Length of each option.", "characters"),
        Column("option_bytes", pl.List(pl.Int64), "Length of each option in UTF-8.", "bytes"),
        Column("target_logprob", pl.Float64, "Log-likelihood of the right answer.", "nats/answer"),
        Column("target_tokens", pl.Int64, "Length of the right answer.", "tokens", minimum=0),
        Column(
            "target_bytes", pl.Int64, "Length of the right answer in UTF-8.", "bytes", minimum=0
        ),
        Column("correct", pl.Float64, "Score of the answer in the log.", minimum=0, maximum=1),
        Column("correct_metric", pl.String, "The log's name for that score, such as acc."),
        Column("date", pl.String, "When the answer was scored (ISO 8601)."),
        _SOURCE,
        _LINE,
    ),
    (
        "model",
        "revision",
        "task",
        "task_version",
        "filter",
        "n_shot",
        "elicitation",
        "harness",
        "item",
        "repeat",
    ),
)

FINETUNES = Schema(
    "finetunes",
    (
        _MODEL,
        _FAMILY,
        _REVISION,
        _TASK,
        _METRIC,
        Column(
            "method",
            pl.String,
            "What was changed: full for all weights, lora-RANK; empty if nothing or not said.",
        ),
        Column("d", pl.Int64, "Finetuning examples.", "examples", minimum=0),
        Column("draw", pl.Int64, "Which random subset of the examples.", minimum=0),
        Column("seed", pl.Int64, "Seed of the finetuning run."),
        Column("few_shot", pl.Boolean, "True for the prompted, not finetuned, model."),
        Column("value", pl.Float64, "The score after finetuning.", nullable=False),
        Column("stderr", pl.Float64, "Standard error over questions.", minimum=0),
        Column("n", pl.Int64, "Number of questions.", minimum=1),
        _SOURCE,
        _LINE,
    ),
    ("model", "revision", "task", "metric", "method", "d", "draw", "seed", "few_shot"),
)

SCHEMAS = {schema.name: schema for schema in (ITEMS, SCORES, SCALES, FINETUNES)}
