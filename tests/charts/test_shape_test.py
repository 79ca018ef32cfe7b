from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from difficulty.grouped import groups_by_hand
from upswing.charts.save import render_chart
from upswing.charts.shape_test import shape_test, verdict_lines
from upswing.difficulty.shapes.task_shapes import TaskShapes, task_shapes

X = np.linspace(-1.0, 3.0, 30)


@pytest.fixture(scope="module")
def tested() -> TaskShapes:
    scores = np.column_stack([-0.3 + 0.1 * np.abs(X - 1), -0.5 + 0.05 * X, -0.7 - 0.02 * X])
    return task_shapes(groups_by_hand(X, scores, 0.3 + 0 * X), worlds=20)


def test_one_panel_per_group_with_its_numbers(tested: TaskShapes) -> None:
    spec = shape_test(tested.table, tested.points, tested.lines, title="sums").to_dict()
    assert [panel["title"]["text"] for panel in spec["concat"]] == [
        "Group 1 (easy)",
        "Group 2",
        "Group 3 (hard)",
    ]
    for group in range(3):
        own = tested.points.filter(group=group).sort("flops")
        drawn = spec["datasets"][f"points_{group}"]
        for name in ("flops", "score", "low", "high"):
            assert [row[name] for row in drawn] == own[name].to_list()
        assert len(spec["datasets"][f"lines_{group}"]) == len(tested.lines.filter(group=group))


def test_it_says_what_was_found(tested: TaskShapes) -> None:
    svg = render_chart(shape_test(tested.table, tested.points, tested.lines), ".svg").decode()
    for row in tested.table.iter_rows(named=True):
        for line in verdict_lines(row):
            assert line.replace("<", "&lt;") in svg
    assert "Training compute [FLOP]" in svg


def test_many_groups_on_dark_paper(tested: TaskShapes) -> None:
    group = pl.col("group") + 3 * pl.col("copy")
    table, points, lines = (
        pl.concat([frame.with_columns(copy=pl.lit(k)) for k in range(3)]).with_columns(group)
        for frame in (tested.table, tested.points, tested.lines)
    )
    table = table.with_columns(easiness_rank=1 + pl.col("group"))
    spec = shape_test(table, points, lines, mode="dark").to_dict()
    assert len(spec["concat"]) == 9
    assert spec["columns"] == 5
    assert spec["concat"][0]["layer"][0]["encoding"]["x"]["title"] == "Compute [FLOP]"


def test_names_are_made_fit(tested: TaskShapes) -> None:
    odd = tested.points.with_columns(model=pl.lit("a/\u202eb\x00"))
    rows = shape_test(tested.table, odd, tested.lines).to_dict()["datasets"]["points_0"]
    assert all("\u202e" not in row["model"] for row in rows)
