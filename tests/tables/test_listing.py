"""What is listed of finetuned models."""

from __future__ import annotations

from sample_finetunes import finetune_rows, finetune_tables
from upswing.tables.bundle import Tables
from upswing.tables.listing import list_finetunes, list_models


def test_finetunes_are_counted_by_method() -> None:
    rows = [*finetune_rows(methods=True), *finetune_rows(metric="acc")]
    listed = list_finetunes(finetune_tables(rows))
    found = {(row["metric"], row["method"]): row for row in listed.to_dicts()}
    assert set(found) == {("acc", "full")} | {
        ("exact_match", method) for method in ("full", "lora-2", "lora-16")
    }
    full = found["exact_match", "full"]
    assert (full["d"], full["checkpoints"], full["draws"], full["seeds"]) == ("16, 64", 3, 2, 2)
    assert (full["runs"], full["prompted"], full["questions"]) == (24, 3, 100)
    assert (full["lowest"], full["highest"]) == (0.0, 1.0)
    assert found["exact_match", "lora-2"]["d"] == "64"


def test_models_name_their_finetunes_only_where_there_are_some() -> None:
    tables = finetune_tables([*finetune_rows(), *finetune_rows(metric="acc")])
    (row,) = list_models(tables).to_dicts()
    assert row["finetuned"] == 24  # runs, not their scores under two metrics
    assert "finetuned" not in list_models(Tables(scales=tables.scales)).columns


def test_nothing_finetuned() -> None:
    assert list_finetunes(Tables()).is_empty()
