"""Figures of finetuned models hold the numbers of their tables, and draw in every mode."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import polars as pl
import pytest

from sample_finetunes import finetune_rows, finetune_tables, score_row
from upswing.charts.finetune_data import (
    PROMPTED,
    UNSAID,
    mean_rows,
    method_panels,
    panel_subtitle,
    scale_panels,
)
from upswing.charts.finetune_layers import FinetuneLook, finetune_layers
from upswing.charts.finetune_panel import finetune_panel
from upswing.charts.save import render_chart
from upswing.charts.theme import SEQUENCE, sequence, text_colour
from upswing.curves.finetuned import Finetuned, finetuned

from .test_theme import PAPER, contrast, luminance


def made(rows: list[dict[str, Any]], scores: list[dict[str, Any]] | None = None) -> Finetuned:
    result = finetuned(finetune_tables(rows, scores or []))
    assert result is not None
    return result


@pytest.fixture(scope="module")
def found() -> Finetuned:
    rows = [*finetune_rows(methods=True), *finetune_rows(metric="acc", methods=True)]
    return made(rows, [score_row("sums", "acc", chance=0.25)])


def test_one_panel_per_metric_and_method_with_the_numbers_of_the_table(found: Finetuned) -> None:
    spec = finetune_panel(found.points, found.runs).to_dict()
    assert [panel["title"]["text"] for panel in spec["concat"]] == [
        f"sums · {metric} · {method}"
        for metric in ("acc", "exact_match")
        for method in ("full", "lora-16", "lora-2")
    ]
    means, runs = spec["datasets"]["means_0"], spec["datasets"]["runs_0"]
    own = pl.col("method") == "full"
    table = found.points.filter((pl.col("metric") == "acc") & (own | pl.col("few_shot")))
    drawn = sorted((row["x"], row["amount"], row["value"]) for row in means)
    wanted = [
        (row["x"], PROMPTED if row["few_shot"] else f"{row['d']}", row["value"])
        for row in table.to_dicts()
    ]
    assert drawn == sorted(wanted)
    every = found.runs.filter((pl.col("metric") == "acc") & own)
    assert len(runs) == len(every) == 24  # every single run, not only the means
    assert sorted(row["value"] for row in runs) == sorted(every["value"])
    (chance,) = {row["chance"] for row in spec["datasets"]["chance_0"]}
    assert chance == 0.25


def test_amounts_are_in_order_and_the_prompted_model_has_its_own_mark(found: Finetuned) -> None:
    spec = finetune_panel(found.points, found.runs).to_dict()
    marks = spec["concat"][0]["layer"][-1]["encoding"]
    assert marks["color"]["scale"]["domain"] == [PROMPTED, "16", "64"]
    assert marks["shape"]["scale"]["range"] == ["diamond", "circle", "circle"]
    assert marks["color"]["scale"]["range"] == [text_colour("light"), *sequence(2)]


def test_better_models_stand_right_on_the_loss_axis(found: Finetuned) -> None:
    layers = finetune_panel(found.points, found.runs).to_dict()["concat"][0]["layer"]
    assert layers[0]["encoding"]["x"]["scale"]["reverse"] is True
    svg = render_chart(finetune_panel(found.points, found.runs), ".svg").decode()
    assert "Loss [nats/token] on web" in svg
    assert "4 runs · 100 questions" in svg


def test_methods_side_by_side_at_each_checkpoint(found: Finetuned) -> None:
    panels = method_panels(found.points, found.runs)
    assert [(panel.metric, panel.point) for panel in panels] == [
        (metric, f"tiny-m at step{i}") for metric in ("acc", "exact_match") for i in (1, 2, 3)
    ]
    one = panels[0]
    assert one.methods == [PROMPTED, "lora-2", "lora-16", "full"]
    assert one.amounts == [PROMPTED, "64"]  # 16 examples had one method only
    assert panel_subtitle(one)[0] == "tiny-m at step1"
    svg = render_chart(finetune_panel(found.points, found.runs, over="methods"), ".svg").decode()
    assert "lora-16" in svg


def test_one_method_has_no_panel_over_methods_and_no_method_in_its_title() -> None:
    result = made(finetune_rows())
    assert method_panels(result.points, result.runs) == []
    assert finetune_panel(result.points, result.runs, over="methods").to_dict()["concat"] == []
    (panel,) = finetune_panel(result.points, result.runs).to_dict()["concat"]
    assert panel["title"]["text"] == "sums · exact_match"


def test_losses_on_different_texts_are_no_common_axis() -> None:
    result = made(finetune_rows())
    text = pl.when(pl.col("revision") == "step1").then(pl.lit("books")).otherwise("loss_corpus")
    points = result.points.with_columns(text.alias("loss_corpus"))
    panels = scale_panels(points, result.runs)
    assert sorted(len(panel.points) for panel in panels) == [3, 6]


def test_amounts_and_methods_that_are_not_said_are_named_so() -> None:
    rows = [{**row, "d": None, "method": None} for row in finetune_rows()[-4:]]
    result = made(rows)
    (panel,) = scale_panels(result.points, result.runs)
    assert panel.amounts == [UNSAID]
    assert panel.methods == [UNSAID]
    assert render_chart(finetune_panel(result.points, result.runs), ".svg")


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_ordered_colours_stand_out_and_differ_in_lightness(mode: str) -> None:
    colours = sequence(7, mode)  # type: ignore[arg-type]
    assert (colours[0], colours[-1]) == (SEQUENCE[mode][0], SEQUENCE[mode][-1])  # type: ignore[index]
    assert all(contrast(colour, PAPER[mode]) >= 3 for colour in colours)
    light = [luminance(colour) for colour in colours]
    assert light == sorted(light, reverse=mode == "light")
    assert all(abs(a - b) > 0.008 for a, b in pairwise(light))
    assert sequence(0) == []


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("over", ["scale", "methods"])
def test_it_draws_in_both_modes(found: Finetuned, mode: Any, over: str) -> None:
    chart = finetune_panel(found.points, found.runs, over=over, mode=mode)
    svg = render_chart(chart, ".svg").decode()
    assert sequence(2 if over == "scale" else 1, mode)[-1] in svg
    assert text_colour(mode) in svg


@pytest.mark.parametrize("axis", ["flops", "params", "tokens"])
def test_it_draws_on_every_axis(found: Finetuned, axis: str) -> None:
    points = found.points.with_columns(pl.lit(axis).alias("axis"), pl.col("x") * 1e9)
    assert b"acc" in render_chart(finetune_panel(points, found.runs), ".svg")


def test_templates_hold_no_scores() -> None:
    look = FinetuneLook("loss", (PROMPTED, "16"), True)
    text = finetune_layers(look).to_json()
    assert '"datasets"' not in text
    assert "per_row" in text


def test_nothing_to_draw_is_no_error(found: Finetuned) -> None:
    nowhere = found.points.with_columns(pl.lit(None, pl.Float64).alias("x"))
    assert finetune_panel(nowhere, found.runs).to_dict()["concat"] == []
    assert finetune_panel(found.points.clear(), found.runs.clear()).to_dict()["concat"] == []


def test_names_from_logs_are_made_visible() -> None:
    rows = [{**row, "model": "a\u202eb", "method": "x\x00y"} for row in finetune_rows("t\u2028")]
    result = made(rows)
    (panel,) = scale_panels(result.points, result.runs)
    (point,) = {row["point"].split(" at ")[0] for row in mean_rows(panel)}
    assert point == "a�b"
    page = render_chart(finetune_panel(result.points, result.runs), ".html").decode()
    for mark in ("\u202e", "\u2028", "\x00"):
        assert mark not in page


def test_a_range_runs_from_the_lowest_to_the_highest_run(found: Finetuned) -> None:
    (first, *_) = scale_panels(found.points, found.runs)
    (row,) = [r for r in mean_rows(first) if (r["x"], r["amount"]) == (1.0, "16")]
    assert (row["lowest"], row["highest"]) == (0.2, 0.9)
    assert math.isclose(row["value"], 0.55)
