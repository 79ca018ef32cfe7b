from __future__ import annotations

import polars as pl
import pytest

from upswing.charts.ablation_errors import (
    ablation_errors,
    error_scale,
    highest_shown,
    setting_labels,
)
from upswing.charts.save import render_chart
from upswing.forecast.studies.ablations import COLUMNS
from upswing.forecast.studies.published_ablations import published_ablations


@pytest.fixture(scope="module")
def published() -> pl.DataFrame:
    return published_ablations()


@pytest.fixture(scope="module")
def own() -> pl.DataFrame:
    shared = {"task": "sums", "status": "forecast", "reason": ""}
    rows = [
        {**shared, "study": "full", "setting": "all data", "absolute_error": 0.02,
         "error_q05": 0.0, "error_q95": 7.0, "within_criterion": True,
         "best_still_random_error": 0.05, "smallest_amount_error": 0.12},
        {**shared, "study": "d0", "setting": "D0 = 10", "absolute_error": 0.3,
         "error_q05": 0.2, "error_q95": 0.4, "within_criterion": False,
         "best_still_random_error": 0.05},
        {**shared, "study": "draws", "setting": "only subset draw 1", "status": "refused",
         "reason": "<b>too little</b>"},
    ]  # fmt: skip
    return pl.DataFrame(rows, COLUMNS)


def test_the_published_table_is_a_panel_per_task(published: pl.DataFrame) -> None:
    spec = ablation_errors(published).to_dict()
    assert [panel["title"]["text"] for panel in spec["hconcat"]] == [
        "GSM8K",
        "MMLU",
        "CSQA",
        "CoLA",
    ]
    rows = spec["datasets"]["errors"]
    assert [row["error"] for row in rows] == published["absolute_error"].to_list()
    assert sum(row["mark"] == "not within" for row in rows) == 26
    assert {row["mark"] for row in spec["datasets"]["naive"]} == {"mean truth of other tasks"}
    # the longest lines are cut and end with a number
    assert [row["beyond"] for row in rows if row["beyond"]] == ["4.2", "4.9", "57"]


def test_settings_stand_under_the_head_of_their_study(own: pl.DataFrame) -> None:
    assert setting_labels(own) == [
        "all data",
        "Draws of the examples",
        "only subset draw 1",
        "Low-data limit",
        "D0 = 10",
    ]
    assert highest_shown(own) == pytest.approx(1.15 * 0.3)


def test_refusals_and_naive_forecasts_are_rows_of_their_own(own: pl.DataFrame) -> None:
    data = ablation_errors(own).to_dict()["datasets"]
    full, limit, draw = data["errors"]
    assert (full["mark"], limit["mark"]) == ("within 0.1 nats", "not within")
    assert (full["high"], full["beyond"]) == (pytest.approx(0.345), "7")
    assert (draw["refused"], draw["error"]) == ("refused", None)
    assert [(row["mark"], row["error"]) for row in data["naive"]] == [
        ("just past the best random checkpoint", 0.05),
        ("elbow at the smallest D", 0.12),
        ("just past the best random checkpoint", 0.05),
    ]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_it_is_drawn_with_its_words(own: pl.DataFrame, mode) -> None:
    svg = render_chart(ablation_errors(own, title="A title", mode=mode), ".svg").decode()
    for words in ("A title", "Draws of the examples", "refused", "not within", "elbow at the"):
        assert words in svg
    assert "mean truth" not in svg
    assert "<b>" not in svg


def test_an_empty_table_gives_an_empty_figure() -> None:
    assert ablation_errors(pl.DataFrame(schema=COLUMNS)).to_dict()["hconcat"] == []


@pytest.mark.parametrize("top", [0.12, 0.17, 0.9, 4.0, 60.0])
def test_a_bent_scale_has_ticks_enough_to_see_it(top: float) -> None:
    ticks = error_scale(top)["axis"].to_dict()["values"]
    assert len(ticks) >= 4
    assert {0.0, 0.1} <= set(ticks)
    assert max(ticks) <= top
