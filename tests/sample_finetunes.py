"""A small table of finetuned models, made by hand: what tests of tables and figures share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from upswing.tables.bundle import Tables
from upswing.tables.reading import padded
from upswing.tables.schemas import SCORES

LOSSES = {"step1": 2.0, "step2": 1.5, "step3": 1.0}
PROMPTED = {"step1": 0.0, "step2": 0.1, "step3": 0.2}
RUNS = {
    ("step1", 16): [0.0, 0.0, 0.0, 0.1],
    ("step2", 16): [0.1, 0.1, 0.3, 0.3],
    ("step3", 16): [0.2, 0.2, 0.9, 0.9],
    ("step1", 64): [0.1, 0.1, 0.1, 0.1],
    ("step2", 64): [0.2, 0.8, 0.2, 0.8],
    ("step3", 64): [1.0, 1.0, 1.0, 1.0],
}
"""Scores by checkpoint and examples: of draw 0 with seeds 0 and 1, then of draw 1."""


def finetune_rows(
    task: str = "sums", metric: str = "exact_match", family: str = "tiny", methods: bool = False
) -> list[dict[str, Any]]:
    """Return rows of one task: prompted, and finetuned on two draws with two seeds each."""
    common = {"model": f"{family}-m", "family": family, "task": task, "metric": metric, "n": 100}
    rows: list[dict[str, Any]] = [
        {**common, "revision": step, "few_shot": True, "value": value, "stderr": 0.03}
        for step, value in PROMPTED.items()
    ]
    for (step, d), values in RUNS.items():
        for method in ("full", "lora-2", "lora-16") if methods and d == 64 else ("full",):
            rows += [
                {
                    **common, "revision": step, "method": method, "d": d, "draw": i // 2,
                    "seed": i % 2, "few_shot": False, "stderr": 0.04,
                    "value": value if method == "full" else 0.5 * value,
                }
                for i, value in enumerate(values)
            ]  # fmt: skip
    return rows


def finetune_tables(
    rows: Sequence[dict[str, Any]], scores: Sequence[dict[str, Any]] = ()
) -> Tables:
    """Return tables with these finetunes, and a loss for the checkpoints that have a step."""
    frame = pl.DataFrame(rows, infer_schema_length=None)
    loss = pl.col("revision").replace_strict(LOSSES, default=None, return_dtype=pl.Float64)
    scales = (
        frame.select("model", "revision", "family")
        .unique(["model", "revision"], maintain_order=True)
        .with_columns(
            loss.alias("loss"), pl.when(loss.is_not_null()).then(pl.lit("web")).alias("loss_corpus")
        )
    )
    made = padded(pl.DataFrame(scores), SCORES) if scores else SCORES.empty()
    return Tables(finetunes=frame, scales=scales, scores=made)


def score_row(task: str, metric: str, **more: Any) -> dict[str, Any]:
    """Return one score, such as the chance level of a task is taken from."""
    return {
        "model": "tiny-m", "family": "tiny", "revision": "step1", "task": task, "metric": metric,
        "task_version": "", "filter": "none", "elicitation": "", "harness": "test", "value": 0.5,
        "level": "task", **more,
    }  # fmt: skip
