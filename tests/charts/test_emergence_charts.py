"""Figures of emergence laws hold the numbers of their tables, and draw in every mode."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest

from upswing.charts.emergence_comparison import (
    FanTables,
    comparison_rows,
    emergence_comparison,
    first_words,
)
from upswing.charts.emergence_fan import emergence_fan, fan_rows
from upswing.charts.emergence_fan_layers import fan_amounts, signs_drawn
from upswing.charts.emergence_marks import (
    FORECAST,
    MEASURED,
    PROMPTED_HELD,
    PROMPTED_USED,
    answer,
    loss_span,
    truth_colour,
)
from upswing.charts.emergence_posterior import emergence_posterior, posterior_rows
from upswing.charts.save import render_chart
from upswing.charts.theme import Mode, sequence
from upswing.forecast.finetuning.emergence_law import EmergenceLaw
from upswing.forecast.finetuning.figure_tables import EmergenceFigures, emergence_figures
from upswing.forecast.finetuning.table import finetune_table
from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning

from .test_theme import PAPER, contrast

MODES: tuple[Mode, ...] = ("light", "dark")


def figures(before: float | None = 1.98, resamples: int = 100) -> EmergenceFigures:
    law = EmergenceLaw(intervals="iid", resamples=resamples, cap=False, before=before)
    world = FinetuningWorld(draws=2)
    frame = simulate_finetuning(world, np.random.default_rng(3), None, "all")
    return emergence_figures(law.fit(frame), finetune_table(frame), law, 0.25)


@pytest.fixture(scope="module")
def made() -> EmergenceFigures:
    return figures()


@pytest.fixture(scope="module")
def refused() -> EmergenceFigures:
    return figures(before=2.21, resamples=0)


def fan(made: EmergenceFigures, **look: Any) -> Any:
    return emergence_fan(made.means, made.runs, made.curves, made.marks, **look)


def row_of(marks: pl.DataFrame, kind: str) -> dict[str, Any]:
    return marks.filter(pl.col("kind") == kind).row(0, named=True)


def test_the_fan_holds_the_numbers_of_its_tables(made: EmergenceFigures) -> None:
    data = fan(made).to_dict()["datasets"]
    tuned = made.means.filter(~pl.col("few_shot"))
    assert sorted(row["value"] for row in data["means"]) == sorted(tuned["value"])
    assert len(data["runs"]) == len(made.runs.filter(~pl.col("few_shot")))
    assert sum(row["used"] for row in data["means"]) == tuned["used"].sum()
    signs = [row["sign"] for row in data["signs"]]
    assert (signs.count(PROMPTED_USED), signs.count(PROMPTED_HELD)) == (14, 10)
    star = next(row for row in data["signs"] if row["sign"] == MEASURED)
    assert star["loss"] == row_of(made.marks, "truth")["elbow"]
    assert len(data["elbows"]) == 6
    assert len(data["curves"]) == 7 * 3  # six amounts and D0, by their corners


def test_one_run_per_point_draws_no_dots() -> None:
    frame = simulate_finetuning(FinetuningWorld(), np.random.default_rng(0))
    law = EmergenceLaw(intervals="iid", resamples=0)
    single = emergence_figures(None, finetune_table(frame), law)
    assert fan_rows(single.means, single.runs, single.curves, single.marks)["runs"] == []


def test_the_title_is_the_answer(made: EmergenceFigures, refused: EmergenceFigures) -> None:
    forecast, truth = (row_of(made.marks, kind) for kind in ("forecast", "truth"))
    median = made.marks.filter(pl.col("name") == "q50")["elbow"][0]
    assert fan(made).to_dict()["title"]["text"] == (
        f"Forecast: leaves chance at {median:.2f} ({forecast['low']:.2f} to "
        f"{forecast['high']:.2f}) nats/token; measured: {truth['elbow']:.2f}"
    )
    assert answer(refused.marks) == f"No forecast; measured: {truth['elbow']:.2f} nats/token"
    beyond = made.marks.with_columns(
        pl.when(pl.col("kind") == "forecast").then(pl.lit("beyond reach")).otherwise("name")
        .alias("name")
    )  # fmt: skip
    assert answer(beyond).startswith("Forecast: beyond reach (")


def test_better_models_stand_right_and_colours_follow_the_data(made: EmergenceFigures) -> None:
    spec = fan(made).to_dict()
    assert "'reverse': True" in str(spec["layer"])
    text = json.dumps(spec)
    for colour in sequence(6):
        assert colour in text
    assert fan_amounts(made.means) == ["256", "512", "1,024", "2,048", "4,096", "8,192"]
    svg = render_chart(fan(made), ".svg").decode()
    for words in ("← used", "held out →", "Finetuned on", "better models →", MEASURED, FORECAST):
        assert words in svg


def test_the_legend_names_what_is_drawn(refused: EmergenceFigures) -> None:
    assert signs_drawn(refused.means, refused.marks) == [PROMPTED_USED, PROMPTED_HELD, MEASURED]
    assert FORECAST not in render_chart(fan(refused), ".svg").decode()


def test_an_elbow_that_is_too_far_is_told_and_does_not_stretch_the_axis(
    made: EmergenceFigures,
) -> None:
    far = made.marks.with_columns(
        pl.when(pl.col("kind") == "forecast").then(0.4).otherwise("elbow").alias("elbow"),
        pl.when(pl.col("kind") == "forecast").then(0.3).otherwise("low").alias("low"),
    )
    losses = made.means["loss"].to_numpy()
    span = loss_span(made.means["loss"], far)
    assert np.ptp(losses) < span.high - span.low < 1.5 * np.ptp(losses)
    drawn = emergence_fan(made.means, made.runs, made.curves, far)
    assert "most likely elbow 0.40 →" in render_chart(drawn, ".svg").decode()


@pytest.mark.parametrize("mode", MODES)
def test_figures_draw_in_both_modes(
    made: EmergenceFigures, refused: EmergenceFigures, mode: Mode
) -> None:
    tables = made if mode == "dark" else refused
    posterior = emergence_posterior(
        tables.distribution, tables.means, tables.marks, mode=mode, width=300, corpus="C4"
    )
    assert b"on C4" in render_chart(posterior, ".svg")
    assert truth_colour(mode) in str(fan(made, mode=mode).to_dict()["layer"])
    assert contrast(truth_colour(mode), PAPER[mode]) >= 3


def test_the_distribution_rises_to_better_models(made: EmergenceFigures) -> None:
    rows = posterior_rows(made.distribution, made.means, made.marks)
    main = [row for row in rows["distribution"] if row["main"]]
    falling = sorted(main, key=lambda row: -row["loss"])
    assert [row["emerged"] for row in falling] == sorted(row["emerged"] for row in main)
    median = next(row for row in rows["quantiles"] if row["emerged"] == 0.5)
    assert median["loss"] == made.marks.filter(pl.col("name") == "q50")["elbow"][0]
    assert len(rows["prompted"]) == 24
    assert {row["name"] for row in rows["rules"]} == {
        MEASURED, "just past the best random checkpoint", "elbow at the smallest D"
    }  # fmt: skip


def test_the_posterior_says_what_its_lines_are(made: EmergenceFigures) -> None:
    spec = emergence_posterior(made.distribution, made.means, made.marks).to_dict()
    assert spec["title"]["subtitle"].startswith("line: posterior; dashed: bootstrap")
    assert spec["resolve"]["scale"]["y"] == "independent"


def test_no_prompted_model_draws_no_second_axis(made: EmergenceFigures) -> None:
    tuned = made.means.filter(~pl.col("few_shot"))
    spec = emergence_posterior(made.distribution, tuned, made.marks).to_dict()
    assert len(spec["layer"]) == 1


def series(p_first: float | None, truth: float | None = 2.05) -> pl.DataFrame:
    ends = {"truth_q05": None, "truth_q95": None, "best_loss": 2.1}
    rows = [
        {"family": "V1", "q50": 1.95, "truth": 1.98, **ends,
         "p_first": None if p_first is None else 1 - p_first},
        {"family": "V2", "q50": 2.04, "truth": truth, **ends, "p_first": p_first},
        {"family": "V2 - V1", "q50": 0.09, "truth": 0.07, **dict.fromkeys(ends), "p_first": None},
    ]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


CDF = pl.DataFrame(
    {"family": ["V1"] * 3 + ["V2"] * 3, "elbow": [1.9, 1.95, 2.0, 1.99, 2.04, 2.09],
     "cdf": [0.01, 0.5, 0.99] * 2}
)  # fmt: skip


def test_the_comparison_says_which_comes_first() -> None:
    assert first_words(series(0.93)) == "P(V2 emerges first) = 0.93; measured: V2 first"
    assert first_words(series(0.2, truth=None)) == "P(V1 emerges first) = 0.80"
    assert first_words(series(None, truth=None)) == "Which emerges first: no forecast"


def test_the_comparison_overlays_the_distributions() -> None:
    rows = comparison_rows(CDF, series(0.93))
    assert [row["emerged"] for row in rows["forecasts"]] == pytest.approx([0.99, 0.5, 0.01] * 2)
    assert [row["family"] for row in rows["measured"]] == ["V1", "V2"]
    svg = render_chart(emergence_comparison(CDF, series(0.93)), ".svg").decode()
    assert "P(V2 emerges first) = 0.93" in svg


def test_fans_of_a_comparison_share_axes_and_colours(made: EmergenceFigures) -> None:
    one = FanTables(made.means, made.runs, made.curves, made.marks)
    fewer = one._replace(means=made.means.filter(pl.col("d").fill_null(0) < 5000))
    chart = emergence_comparison(CDF, series(0.93), {"V1": one, "V2": fewer})
    spec = chart.to_dict()
    panels = [panel["layer"] for panel in spec["vconcat"][0]["hconcat"]]
    domains = [
        {str(layer["encoding"]["x"]["scale"]["domain"]) for layer in layers
         if "scale" in layer["encoding"].get("x", {})}
        for layers in panels
    ]  # fmt: skip
    assert domains[0] == domains[1]
    assert len(domains[0]) == 1
    assert len(spec["datasets"]["means_1"]) < len(spec["datasets"]["means_0"])
    assert render_chart(chart, ".svg")


def test_tables_without_forecasts_are_compared_as_such() -> None:
    chart = emergence_comparison(CDF.clear(), series(None, truth=None))
    assert "no forecast" in render_chart(chart, ".svg").decode()
