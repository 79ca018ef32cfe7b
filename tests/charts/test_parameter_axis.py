"""The forecast over sizes: quantiles, what is beyond reach, known models."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from upswing.charts.parameter_axis import (
    parameter_axis,
    size_answer,
    size_quantile,
    size_reach,
    size_rows,
)
from upswing.charts.save import render_chart
from upswing.charts.theme import Mode
from upswing.errors import InputError
from upswing.forecast.conversion.convert import convert_elbow
from upswing.laws.loss.fit import fit_loss_law

SIZES = np.geomspace(1e10, 1e12, 41)
SHARE = np.linspace(0.0, 0.9, 41)
CURVE = pl.DataFrame(
    {"unit": "params", "value": SIZES, "cdf": SHARE, "cdf_low": 0.9 * SHARE, "cdf_high": SHARE,
     "extrapolated": SIZES > 7.1e10}
)  # fmt: skip
KNOWN = pl.DataFrame(
    {"name": ["nano", "70B", "<b>400B</b>"], "value": [1e6, 7e10, 4e11]},
)


def test_quantiles_lie_on_the_curve() -> None:
    assert size_quantile(CURVE, 0.45) == pytest.approx(1e11)
    assert size_quantile(CURVE, 0.95) is None
    rows = size_rows(CURVE, None)["quantiles"]
    assert [row["emerged"] for row in rows] == [0.05, 0.25, 0.5, 0.75]


def test_what_no_size_reaches_is_told() -> None:
    assert size_reach(0.1).startswith("beyond the reach of any size: 10 %")
    assert size_answer(CURVE) == "Forecast: emerges at 129B parameters (12.9B to beyond reach)"
    unreached = CURVE.with_columns(pl.col("cdf") / 3)
    assert size_answer(unreached).startswith("Forecast: more likely than not beyond reach")
    begun = CURVE.with_columns(pl.col("cdf") + 0.1)
    assert "(below 10B to " in size_answer(begun)


def test_known_models_far_away_are_left_out() -> None:
    assert [row["name"] for row in size_rows(CURVE, KNOWN)["known"]] == ["70B", "<b>400B</b>"]


@pytest.mark.parametrize("unit", ["params", "flops"])
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_it_draws(unit: str, mode: Mode) -> None:
    curve = CURVE.with_columns(pl.lit(unit).alias("unit"))
    svg = render_chart(parameter_axis(curve, KNOWN, mode=mode), ".svg").decode()
    assert "70B" in svg
    assert "<b>" not in svg
    assert {"params": "parameters", "flops": "FLOP"}[unit] in svg


def test_a_loss_law_without_resamples_has_no_band() -> None:
    bare = CURVE.with_columns(pl.lit(None, pl.Float64).alias("cdf_low"))
    assert all(row["low"] is None for row in size_rows(bare, None)["sizes"])
    assert render_chart(parameter_axis(bare), ".svg")


def test_the_curve_of_a_conversion_is_drawn_as_it_is() -> None:
    sizes = np.geomspace(1e8, 1e10, 12)
    table = pl.DataFrame({"params": sizes, "loss": 1.7 + 400.0 * sizes**-0.34})
    made = convert_elbow(2.0, fit_loss_law(table, resamples=0))
    figure = parameter_axis(made.curve, p_beyond_reach=made.p_beyond_reach).to_dict()
    drawn = figure["datasets"]["sizes"]
    assert [row["x"] for row in drawn] == made.curve["value"].to_list()
    assert render_chart(parameter_axis(made.curve), ".svg")


def test_no_curve_is_an_error() -> None:
    with pytest.raises(InputError, match="no curve"):
        parameter_axis(CURVE.clear())


def test_the_dashed_line_starts_where_the_solid_one_ends() -> None:
    rows = size_rows(CURVE, None)["sizes"]
    solid = [row["x"] for row in rows if not row["extrapolated"]]
    dashed = [row["x"] for row in rows if row["beyond"]]
    assert dashed[0] == solid[-1]
    assert dashed[1] > 7.1e10
