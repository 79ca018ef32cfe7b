"""BIG-bench's rule of preferred metrics, by hand; on its metadata in test_base_rates."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from upswing.errors import InputError
from upswing.mirage.meta.preferred_metric import (
    preferred_by_rule,
    read_metric_tasks,
    read_task_metadata,
)

GRADE = "multiple_choice_grade"


@pytest.mark.parametrize(
    ("own", "parts", "preferred"),
    [
        ("bleu", [], "bleu"),
        (None, [], None),
        (None, [GRADE, GRADE], GRADE),
        ("bleu", [GRADE, GRADE], GRADE),
        (None, [GRADE, "exact_str_match"], "normalized_aggregate_score"),
        ("exact_str_match", ["exact_str_match"] * 2, "normalized_aggregate_score"),
        (GRADE, [GRADE, None], "normalized_aggregate_score"),
    ],
)
def test_the_rule(own: str | None, parts: list[str | None], preferred: str | None) -> None:
    metadata = pl.DataFrame(
        {
            "task": "t",
            "subtask": [None, *(str(i) for i in range(len(parts)))],
            "preferred_metric": [own, *parts],
        },
        schema_overrides={"subtask": pl.String, "preferred_metric": pl.String},
    )
    assert preferred_by_rule(metadata)["preferred_metric"].to_list() == [preferred]


def test_reading_metadata(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("task,subtask,preferred_score,n_examples,chance_mc\na,,,0,\na,1,bleu,20,0.5\n")
    assert read_task_metadata(path).rows() == [
        ("a", None, None, None, None),
        ("a", "1", "bleu", 20.0, 0.5),
    ]
    path.write_text("task,subtask,preferred_score\na,,bleu\n")
    assert read_task_metadata(path).rows() == [("a", None, "bleu", None, None)]
    path.write_text("task,subtask,preferred_score,n_examples\na,,bleu,many\n")
    with pytest.raises(InputError, match=r"m\.csv:2: column 'n_examples' holds 'many'"):
        read_task_metadata(path)


def test_reading_a_list_of_metrics(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    names = "metric,n_tasks_task_level,n_tasks_any_level,n_wei_emergent_task_level"
    path.write_text(f"{names}\nbleu,2,3,1\n")
    assert read_metric_tasks(path).rows() == [("bleu", 2, 3, 1)]
    path.write_text("metric\nbleu\n")
    with pytest.raises(InputError, match="n_tasks_task_level"):
        read_metric_tasks(path)
