from __future__ import annotations

import polars as pl
import pytest

from upswing.charts.forecast_advance import default_lead, forecast_advance
from upswing.charts.save import render_chart
from upswing.forecast.studies.advance import COLUMNS


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    rows = [
        {"dropped": 0, "gap": 0.01, "lead_flops": 1.5, "status": "forecast",
         "absolute_error": 0.1, "error_q05": 0.01, "error_q95": 0.2,
         "best_still_random_error": 0.04},
        {"dropped": 1, "gap": 0.08, "lead_flops": 3.0, "status": "forecast",
         "absolute_error": 0.5, "error_q05": 0.1, "error_q95": 2.0,
         "best_still_random_error": 0.03},
        {"dropped": 2, "gap": 0.2, "lead_flops": 6.0, "status": "refused",
         "reason": "only one amount", "best_still_random_error": 0.15},
    ]  # fmt: skip
    return pl.DataFrame(rows, COLUMNS)


def test_errors_over_the_lead(table: pl.DataFrame) -> None:
    data = forecast_advance(table).to_dict()["datasets"]
    law = [row for row in data["errors"] if row["forecast"] == "emergence law"]
    assert [(row["lead"], row["error"], row["result"]) for row in law] == [
        (1.5, 0.1, "within 0.1 nats"),
        (3.0, 0.5, "not within"),
    ]
    assert [row["shown_high"] for row in law] == pytest.approx([0.2, 1.15 * 0.5])
    naive = [row for row in data["errors"] if row["forecast"].startswith("just past")]
    assert [row["result"] for row in naive] == ["within 0.1 nats"] * 2 + ["not within"]
    assert data["refused"] == [{"lead": 6.0, "dropped": 2, "reason": "only one amount"}]


def test_the_gap_is_the_lead_where_compute_does_not_tell(table: pl.DataFrame) -> None:
    assert default_lead(table) == "flops"
    assert default_lead(table.with_columns(lead_flops=pl.lit(2.0))) == "gap"
    unknown = table.with_columns(lead_flops=pl.lit(None, pl.Float64))
    assert default_lead(unknown) == "gap"
    rows = forecast_advance(unknown).to_dict()["datasets"]["errors"]
    assert sorted({row["lead"] for row in rows}) == [0.01, 0.08, 0.2]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_it_is_drawn_with_its_words(table: pl.DataFrame, mode) -> None:
    svg = render_chart(forecast_advance(table, title="sums", mode=mode), ".svg").decode()
    for words in ("sums", "refused", "not within", "largest used", "just past the best random"):
        assert words in svg
    svg = render_chart(forecast_advance(table, x="gap", mode=mode), ".svg").decode()
    assert "from the true elbow" in svg
