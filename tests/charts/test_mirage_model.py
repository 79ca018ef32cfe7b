from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from upswing.charts.mirage_model import (
    TITLES,
    infinite_text,
    mirage_model,
    model_panels,
    score_text,
)
from upswing.charts.save import render_chart
from upswing.charts.theme import SHAPES
from upswing.mirage.model.mirage_model import MirageModel
from upswing.mirage.model.table import model_points, model_scores

MODEL = MirageModel(lengths=(1, 3, 5))


@pytest.fixture(scope="module")
def points() -> pl.DataFrame:
    return model_points(MODEL, n=(50,), every=(1, 3))


@pytest.fixture(scope="module")
def scores() -> pl.DataFrame:
    return model_scores(MODEL, n=(50,), every=(1, 3), draws=200)


@pytest.fixture(scope="module")
def chart(points: pl.DataFrame, scores: pl.DataFrame) -> Any:
    return mirage_model(points, scores, title="All of it", subtitle="a = −0.3", mode="dark")


@pytest.fixture(scope="module")
def spec(chart: Any) -> dict[str, Any]:
    found: dict[str, Any] = chart.to_dict()
    return found


def test_a_panel_per_metric_then_few_questions_then_few_sizes(
    points: pl.DataFrame, scores: pl.DataFrame
) -> None:
    panels = list(model_panels(points, scores))
    assert [panel.title for panel in panels] == [
        *TITLES.values(), "Exact match, 50 questions", "Exact match, 1 in 3 sizes",
    ]  # fmt: skip
    assert panels[0].subtitle[1] == "emergence score 16.8; perplexity 2465"
    assert panels[2].subtitle == ["linear · ↓ lower is better", "emergence score 9.4"]
    assert panels[3].subtitle[1] == "emergence scores 9.4, 37.1, 298"
    assert panels[4].subtitle[1].startswith("emergence scores ∞, ")
    shares = scores.filter(metric="exact_match", n=50, every=1)["share_plus_infinite"]
    assert f"{100 * shares[1]:.0f}, " in panels[6].subtitle[1]
    assert panels[7].subtitle[0] == "5 sizes, expected score"


def test_panels_hold_the_numbers_of_the_table(points: pl.DataFrame, spec: dict[str, Any]) -> None:
    assert len(spec["concat"]) == 8
    exact = points.filter(metric="exact_match")
    whole = exact.filter(pl.col("n").is_null(), every=1)
    drawn = [(row["x"], row["value"]) for row in spec["datasets"]["panel_3"]]
    assert sorted(drawn) == sorted(whole.select("params", "value").rows())
    test = [row["value"] for row in spec["datasets"]["panel_6"] if row["n"] == 50]
    assert sorted(test) == sorted(exact.filter(n=50, every=1)["value"])
    assert {row["chance"] for row in spec["datasets"]["panel_4"]} == {0.5}
    assert len({row["x"] for row in spec["datasets"]["panel_7"]}) == 5


def test_curves_are_told_by_colour_and_by_marker(spec: dict[str, Any]) -> None:
    panel = spec["concat"][3]
    colour, shape = (panel["layer"][2]["encoding"][name] for name in ("color", "shape"))
    assert colour["scale"]["domain"] == ["L = 1", "L = 3", "L = 5"]
    assert len(set(colour["scale"]["range"])) == 3
    assert shape["scale"]["range"] == list(SHAPES[:3])


def test_it_renders(chart: Any) -> None:
    svg = render_chart(chart, ".svg").decode()
    for words in ("All of it", "Exact match, 50 questions", "L = 5", "s = 0.5", "10¹⁰"):
        assert words in svg


def test_legends_stand_where_curves_are_not() -> None:
    late = model_points(MirageModel())
    early = model_points(MirageModel(exponent=-0.5, scale=1e5))
    corners = [
        {panel.title: panel.corner for panel in model_panels(p, model_scores(MirageModel()))}
        for p in (late, early)
    ]
    assert [corner["Exact match, p^L"] for corner in corners] == ["top-left", "bottom-right"]
    assert {corner["Brier score, (1 − p)²"] for corner in corners} == {"top-right"}


def test_texts_of_many_curves_are_short() -> None:
    shares = pl.DataFrame({"share_plus_infinite": [0.0, 0.2, 0.999, 0.5, 0.4, 0.3]})
    assert infinite_text(shares) == "score is ∞ in 0 to >99 % of tests"
    frame = pl.DataFrame(
        {
            "emergence_score": [9.0, None, 2e7, -3.0, 1.0, 2.0],
            "emergence_score_status": ["finite", "+inf", *["finite"] * 4],
        }
    )
    assert score_text(frame) == "emergence scores -3.0 to ∞"
    assert score_text(frame[2:4]) == "emergence scores 2e7, -3.0"
    none = pl.DataFrame({"emergence_score": [None], "emergence_score_status": ["too_few"]})
    assert score_text(none) == "emergence score none"
