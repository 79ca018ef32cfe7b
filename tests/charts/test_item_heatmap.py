from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from upswing.charts.item_heatmap import bins_text, cell_rows, column_labels, item_heatmap
from upswing.charts.save import render_chart
from upswing.detection.evaluations import evaluations
from upswing.detection.item_bins import item_bins
from upswing.simulate import MultipleChoiceWorld, simulate_multiple_choice


@pytest.fixture(scope="module")
def bins() -> pl.DataFrame:
    world = MultipleChoiceWorld(np.geomspace(1e18, 1e23, 5), np.linspace(18, 23, 500))
    (one,) = evaluations(simulate_multiple_choice(world, np.random.default_rng(0)))
    return item_bins(one.matrix(["target_probability"]), "target_probability", most=100)


def test_cells_are_those_of_the_table(bins: pl.DataFrame) -> None:
    rows = item_heatmap(bins).to_dict()["datasets"]["cells"]
    assert [row["value"] for row in rows] == bins["value"].to_list()
    assert (rows[0]["from"], rows[0]["to"], rows[-1]["to"]) == (0, 5, 500)
    assert rows[0]["model"] == "1.0e18"
    assert bins_text(bins) == "100 rows of 5 questions"


def test_it_says_what_colour_and_axes_are(bins: pl.DataFrame) -> None:
    svg = render_chart(item_heatmap(bins, title="quiz"), ".svg").decode()
    for words in (
        "target_probability (higher is better)",
        "Questions, easiest on top",
        "Models, by training compute, 6ND [FLOP]",
        "quiz",
    ):
        assert words in svg


def test_lighter_is_better_in_both_directions(bins: pl.DataFrame) -> None:
    def scale(frame: pl.DataFrame) -> dict[str, object]:
        found: dict[str, object] = item_heatmap(frame).to_dict()["encoding"]["color"]["scale"]
        return found

    assert scale(bins) == {"scheme": "viridis", "reverse": False}
    lower = bins.with_columns(pl.lit(False).alias("higher_is_better"))
    assert scale(lower) == {"scheme": "viridis", "reverse": True}


def test_models_of_one_scale_keep_their_columns(bins: pl.DataFrame) -> None:
    same = bins.with_columns(pl.lit(1e20).alias("x"))
    assert column_labels(same) == ["1.0e20", *(f"1.0e20 ({i})" for i in range(2, 6))]
    nameless = bins.with_columns(pl.lit(None, pl.Float64).alias("x"))
    assert column_labels(nameless)[0] == "simulated-00"
    assert "Models, by name" in render_chart(item_heatmap(nameless), ".svg").decode()


def test_rows_in_words() -> None:
    one = pl.DataFrame({"bin": [0, 1], "first": [1, 2], "last": [1, 2]})
    assert bins_text(one) == "2 rows of one question each"
    assert bins_text(one.clear()) == "no questions"


def test_nothing_to_draw_is_no_error(bins: pl.DataFrame) -> None:
    none = bins.clear()
    assert cell_rows(none) == []
    assert render_chart(item_heatmap(none), ".svg")


def test_titles_are_made_fit(bins: pl.DataFrame) -> None:
    title = item_heatmap(bins, title="a\u202eb\x00").to_dict()["title"]["text"]
    assert not {"\u202e", "\x00"} & set(title)
