from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from upswing import Curve
from upswing.charts.meta_analysis import (
    NULLS,
    annotated_rows,
    expected_rows,
    meta_analysis_figure,
    share_rows,
)
from upswing.charts.save import render_chart
from upswing.mirage.meta.analysis import MetaAnalysis, meta_analysis
from upswing.mirage.meta.null_scores import NULLS as KNOWN_NULLS

ANNOTATION = pl.DataFrame(
    {
        "task": [f"t{i}" for i in range(8)],
        "category": ["emergent"] * 3 + ["flat"] * 5,
        "emergent": [True] * 3 + [False] * 5,
        "first_emerges_at": None,
        "preferred_metric": [
            *["exact_match"] * 2,
            None,
            "exact_match",
            "bleu",
            "f1",
            *["rouge1"] * 2,
        ],
    },
    schema_overrides={"first_emerges_at": pl.String},
)


@pytest.fixture(scope="module")
def analysis() -> MetaAnalysis:
    rng = np.random.default_rng(0)
    x = np.geomspace(1e7, 1e11, 9)
    scores = {"exact_match": [0] * 8 + [0.5], "acc": np.linspace(0.1, 0.9, 9)}
    curves = [
        Curve(x, y, axis="params", task=f"t{i}", metric=metric, n=40, chance=0.0)
        for metric, y in scores.items()
        for i in range(3)
    ]
    noise = rng.binomial(40, 0.5, 9) / 40
    curves.append(Curve(x, noise, axis="params", task="t9", metric="<b>odd</b>", n=40, chance=0.5))
    return meta_analysis(curves, cutoffs=(5, 100), annotation=ANNOTATION, draws=50)


def test_bars_add_up_and_the_sharpest_metric_is_first(analysis: MetaAnalysis) -> None:
    rows = share_rows(analysis.by_metric)
    assert [row["metric"] for row in rows][::4] == ["exact_match", "acc", "<b>odd</b>"]
    for row in rows:
        assert row["end"] - row["start"] == pytest.approx(
            row["count"] / int(row["text"].split()[2])
        )
    kinds = {(r["metric"], r["cutoff"], r["kind"]): r["count"] for r in rows}
    assert kinds["exact_match", 100.0, "infinite score"] == 3
    assert kinds["acc", 5.0, "finite score"] == 3
    assert kinds["acc", 100.0, "finite score"] == 0


def test_marks_of_chance_are_shares_of_the_same_curves(analysis: MetaAnalysis) -> None:
    marks = expected_rows(analysis.expected, analysis.by_metric)
    table = analysis.expected.filter(by="metric")
    assert [m["share"] for m in marks] == (table["expected"] / table["curves"]).to_list()
    assert {m["null"] for m in marks} == set(NULLS.values())
    assert set(NULLS) == set(KNOWN_NULLS)


def test_metrics_of_one_task_are_one_row_and_the_unknown_come_last(
    analysis: MetaAnalysis,
) -> None:
    rows = annotated_rows(analysis.preferred)
    assert [(row["metric"], row["text"]) for row in rows] == [
        ("exact_match", "2 of 3 emergent, 3 of 8"),
        ("rouge1", "0 of 3 emergent, 2 of 8"),
        ("2 metrics of one task", "0 of 3 emergent, 2 of 8"),
        ("not known", "1 of 3 emergent, 1 of 8"),
    ]
    assert sum(row["all"] for row in rows) == pytest.approx(1)
    assert sum(row["emergent"] for row in rows) == pytest.approx(1)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_figure_shows_both_parts(analysis: MetaAnalysis, mode: str) -> None:
    chart = meta_analysis_figure(
        analysis.by_metric, analysis.expected, analysis.preferred, mode=mode
    )
    svg = render_chart(chart, ".svg").decode()
    for text in ("Emergence score above 100", "3 of 3", "exact_match", "annotation", "not known"):
        assert text in svg
    assert "<b>odd" not in svg  # names are escaped


def test_without_annotation_and_without_curves(analysis: MetaAnalysis) -> None:
    spec = meta_analysis_figure(analysis.by_metric).to_dict()
    assert len(spec["vconcat"]) == 1
    assert spec["datasets"]["annotated"] == []
    empty = meta_analysis([])
    chart = meta_analysis_figure(empty.by_metric, empty.expected, empty.preferred)
    assert render_chart(chart, ".svg")
