"""Meta-analysis: by hand, curve by curve, and on BIG-G."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upswing import Curve, read
from upswing.curves.build import build_curves
from upswing.detection.emergence_score import describe_emergence_score
from upswing.errors import InputError
from upswing.findings.detect import detect
from upswing.mirage.meta.analysis import COLUMN, RULE, meta_analysis
from upswing.mirage.meta.classes import metric_class
from upswing.mirage.meta.curves import curve_rows
from upswing.mirage.meta.preferred_metric import read_task_metadata
from upswing.mirage.meta.text import meta_analysis_text

RUNS = ("2024-07-19_3shot", "2024-07-20_0shot", "2024-07-25_3shot")


def make(y, task="sums", metric="exact_match", family="F", n=1000.0, chance=0.0, **more):
    return Curve(
        x=np.geomspace(1e7, 1e10, len(y)),
        y=y,
        n=n,
        chance=chance,
        axis="params",
        task=task,
        metric=metric,
        family=family,
        **more,
    )


JUMP = make([0, 0, 0, 0, 0.5], task="jump", n=8)
LINE = make([0.1, 0.2, 0.3, 0.4, 0.5], task="line", metric="acc", chance=0.1)
DROP = make([0.5, 0.5, 0.5, 0.5, 0.1], task="drop", family="G")
BRIER = make(
    [0.9, 0.9, 0.9, 0.9, 0.1],
    task="jump",
    metric="tc_brier",
    chance=None,
    n=None,
    higher_is_better=False,
    proportion=False,
)
SHORT = make([0.1, 0.9], task="short")
CURVES = [JUMP, LINE, DROP, BRIER, SHORT]
ANNOTATION = pl.DataFrame(
    {
        "task": ["jump", "line", "drop", "elsewhere"],
        "category": ["emergent_x", "smooth", "flat", "emergent_x"],
        "emergent": [True, False, False, True],
        "first_emerges_at": ["big", None, None, "big"],
        "preferred_metric": ["exact_str_match", "acc", "bleu", None],
    }
)


def test_a_row_of_each_kind() -> None:
    rows = curve_rows(CURVES).to_dicts()
    assert [row["emergence_score_status"] for row in rows] == [
        "+inf",
        "finite",
        "-inf",
        "+inf",  # lower is better
        "too_few",
    ]
    assert [row["emergence_score"] for row in rows] == [None, pytest.approx(4), None, None, None]
    assert [row["at_worst"] for row in rows] == [4, 0, 0, 0, 0]
    assert rows[0]["zero_steps"] == 0.75
    assert [row["under_resolved"] for row in rows] == [True, False, False, None, None]
    assert rows[0]["questions_least"] == rows[0]["questions_most"] == 8
    assert [row["metric_class"] for row in rows[:4]] == [
        "exact match",
        "accuracy",
        "exact match",
        "Brier",
    ]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 8), min_size=1, max_size=7), min_size=1, max_size=6))
def test_many_at_once_agree_with_one_at_a_time(counts: list[list[int]]) -> None:
    curves = [make(np.array(k) / 8, n=8, higher_is_better=i % 2 == 0) for i, k in enumerate(counts)]
    for row, curve in zip(curve_rows(curves).to_dicts(), curves, strict=True):
        one = describe_emergence_score(curve.y, curve.higher_is_better)
        assert row["emergence_score_status"] == one.status
        assert row["tie_sign"] == one.tie_sign
        expected = one.score if np.isfinite(one.score) else None
        assert row["emergence_score"] == (None if expected is None else pytest.approx(expected))


def test_counts_by_metric_class_and_family() -> None:
    found = meta_analysis(CURVES, cutoffs=(3, 100))
    by_metric = {(r["metric"], r["cutoff"]): r for r in found.by_metric.to_dicts()}
    exact = by_metric["exact_match", 3.0]
    assert (exact["curves"], exact["above"], exact["above_infinite"]) == (2, 1, 1)
    assert (exact["below"], exact["share"], exact["pairs_above"]) == (1, 0.5, 1)
    assert by_metric["acc", 3.0]["above_finite"] == 1
    assert by_metric["acc", 100.0]["above"] == 0
    assert found.by_class.filter(cutoff=3.0)["curves"].sum() == 4  # one is too short
    assert found.by_family.filter(family="G", cutoff=3.0)["above"].item() == 0
    assert set(found.by_shape["metric_shape"]) == {"nonlinear", "discontinuous"}
    every = found.any_metric.filter(scope="all curves").sort("cutoff")
    assert every["metrics"].to_list() == [3, 3]
    assert every["metrics_above"].to_list() == [3, 2]
    assert every["metrics_above_finite"].to_list() == [1, 0]


def test_infinite_scores_stand_beside_their_questions() -> None:
    found = meta_analysis(CURVES)
    assert sorted(found.infinite["task"]) == ["drop", "jump", "jump"]
    by_metric = {row["metric"]: row for row in found.infinite_by_metric.to_dicts()}
    exact = by_metric["exact_match"]
    assert (exact["questions_least"], exact["questions_most"]) == (8, 1000)
    assert (exact["infinite"], exact["under_resolved"], exact["resolved"]) == (2, 1, 1)
    assert by_metric["tc_brier"]["unknown"] == 1
    texts = meta_analysis_text(found)
    assert texts[0].startswith("exact_match: 2 infinite scores, from 8 to 1000 questions a point")
    assert "from an unknown number of questions a point: 1 of unknown resolution." in texts[1]


def test_annotation_and_preferred_metrics_are_joined() -> None:
    found = meta_analysis(CURVES, annotation=ANNOTATION)
    jump = found.curves.filter(task="jump", metric="exact_match").to_dicts()[0]
    assert (jump["category"], jump["emergent_by_hand"]) == ("emergent_x", True)
    top = {row["category"]: row for row in found.annotation.filter(cutoff=100.0).to_dicts()}
    assert (top["emergent_x"]["curves"], top["emergent_x"]["tasks_above"]) == (2, 1)
    # under the preferred metric are jump (by its alias) and line; drop prefers another
    scope = found.any_metric.filter(scope=COLUMN, cutoff=100.0).to_dicts()[0]
    assert (scope["metrics"], scope["metrics_above"]) == (2, 1)
    rates = found.base_rates.to_dicts()[0]
    assert (rates["tasks"], rates["known"], rates["emergent"]) == (4, 3, 2)
    assert (rates["compared"], rates["compared_emergent"]) == (1, 1)
    text = "1 of 1 tasks that were called emergent by hand have a curve above 100, and 0 of 2"
    assert any(text in line for line in meta_analysis_text(found))


def test_an_annotation_of_other_tasks_is_told() -> None:
    found = meta_analysis([JUMP], annotation=ANNOTATION.filter(task="elsewhere"))
    assert "annotation-unmatched" in [note.code for note in found.notes]
    assert not len(found.annotation)


def test_metadata_fills_what_a_curve_lacks() -> None:
    bare = make([0, 0, 0, 0, 0.5], metric="multiple_choice_grade", n=None, chance=None)
    metadata = pl.DataFrame(
        {
            "task": ["sums"],
            "subtask": [None],
            "preferred_metric": ["multiple_choice_grade"],
            "n": [6.0],
            "chance": [0.25],
        }
    )
    row = meta_analysis([bare], metadata=metadata).curves.to_dicts()[0]
    assert (row["questions_least"], row["chance"], row["under_resolved"]) == (6, 0.25, True)
    assert row["n_source"] == "task metadata"
    assert meta_analysis([bare]).curves["under_resolved"].to_list() == [None]
    known = replace(bare, n=500.0, chance=0.5)
    row = meta_analysis([known], metadata=metadata).curves.to_dicts()[0]
    assert (row["questions_least"], row["chance"]) == (500, 0.5)
    scopes = meta_analysis([bare], metadata=metadata).any_metric["scope"].unique()
    assert sorted(scopes) == [RULE, "all curves"]


def test_json_has_no_infinity_and_the_seed_decides() -> None:
    found = meta_analysis(CURVES, annotation=ANNOTATION, seed=1)
    text = json.dumps(found.to_dict(), allow_nan=False)
    assert text == json.dumps(meta_analysis(CURVES, annotation=ANNOTATION, seed=1).to_dict())
    assert text != json.dumps(meta_analysis(CURVES, annotation=ANNOTATION, seed=2).to_dict())
    assert json.loads(text)["infinite"][0]["emergence_score"] is None
    assert {"too-few-scales", "noise-unknown"} <= {note.code for note in found.notes}


def test_no_curve_is_no_error() -> None:
    found = meta_analysis([])
    assert not any(len(table) for table in found.tables().values())
    assert meta_analysis_text(found) == []
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize("cutoffs", [(), (0,), (-5, 20), (np.inf,), (np.nan,)])
def test_cutoffs_that_make_no_sense(cutoffs: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="cut-offs"):
        meta_analysis([JUMP], cutoffs=cutoffs)


@pytest.mark.parametrize(
    ("metric", "group"),
    [
        ("pass@10", "exact match"),
        ("mc1", "accuracy"),
        ("calibration_multiple_choice_brier_score", "Brier"),
        ("target_logprob_per_token", "log-likelihood"),
        ("ppl", "log-likelihood"),
        ("option_mass", "probability"),
        ("rougeLsum", "text overlap"),
        ("token_edit_distance_norm", "edit distance"),
        ("mcc", "other"),
        ("nobody knows", "other"),
    ],
)
def test_classes_of_metrics(metric: str, group: str) -> None:
    assert metric_class(metric).group == group


@pytest.fixture(scope="module")
def bigg(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Curve]]:
    """Curves of each run of BIG-G T=0; the two 3-shot runs overlap, so they are read apart."""
    scores = pl.read_csv(
        shared_data / "tables" / "bigbench_bigg_t0_lass.csv", infer_schema_length=None
    )
    curves = {}
    for run in RUNS:
        path = tmp_path_factory.mktemp("bigg") / f"{run}.csv"
        scores.filter(run=run).write_csv(path)
        curves[run] = build_curves(read(path), "params")[0]
    return curves


@pytest.mark.data
def test_counts_per_class_on_bigg(bigg: dict[str, list[Curve]], reference: Path) -> None:
    """`shared/reference/emergence-score/emergence_scores.csv`: 294 scores of BIG-G T=0, 3-shot."""
    found = meta_analysis(bigg["2024-07-25_3shot"], draws=5)
    expected = pl.read_csv(
        reference / "emergence-score" / "emergence_scores.csv", infer_schema_length=None
    )
    for cutoff in found.cutoffs:
        wanted = expected.group_by("metric").agg(
            pl.len().alias("curves"),
            (pl.col("score") > cutoff).sum().alias("above"),
            (pl.col("score") == float("inf")).sum().alias("above_infinite"),
        )
        names = ("metric", "curves", "above", "above_infinite")
        mine = found.by_metric.filter(cutoff=cutoff).select(names)
        assert sorted(mine.rows()) == sorted(wanted.select(names).rows())
    top = {
        row["metric"]: (row["above"], row["curves"])
        for row in found.by_metric.filter(cutoff=100.0).to_dicts()
    }
    assert top["exact_str_match"] == (4, 23)
    assert top["multiple_choice_grade"] == (2, 62)
    assert top["top_choice_brier"] == top["top_choice_confidence_auroc"] == (0, 62)


@pytest.mark.data
def test_every_infinite_grade_score_on_bigg_is_under_resolved(
    bigg: dict[str, list[Curve]],
) -> None:
    total = 0
    for curves in bigg.values():
        found = meta_analysis(curves, draws=1).infinite.filter(metric="multiple_choice_grade")
        assert found["under_resolved"].all()
        assert found["questions_least"].min() == 2
        assert found["questions_most"].max() <= 12
        total += len(found)
    assert total == 10


@pytest.mark.data
def test_the_verdict_agrees_on_infinite_grade_scores(bigg: dict[str, list[Curve]]) -> None:
    grades = [
        curve
        for curves in bigg.values()
        for curve, status in zip(curves, curve_rows(curves)["emergence_score_status"], strict=True)
        if curve.metric == "multiple_choice_grade" and status in ("+inf", "-inf")
    ]
    assert {finding.verdict.word for finding in detect(grades)} == {"under-resolved"}


@pytest.mark.data
def test_infinite_exact_match_on_bigg_is_mostly_zero_accuracy(
    bigg: dict[str, list[Curve]],
) -> None:
    """At three shots most scales score exactly 0; not so modified_arithmetic at none."""
    for run, curves in bigg.items():
        found = meta_analysis(curves, draws=1).infinite.filter(metric="exact_str_match")
        at_zero = found["at_worst"] / found["n_scales"]
        if "3shot" in run:
            assert at_zero.min() >= 0.75
        else:
            assert found["task"].to_list() == ["modified_arithmetic"]
            assert at_zero.to_list() == [0.0]  # 1 of 204 at eight scales


@pytest.mark.data
def test_chance_explains_the_counts_on_bigg(bigg: dict[str, list[Curve]]) -> None:
    """Smooth curves with these questions give as many infinite scores; flat ones do not."""
    found = meta_analysis(bigg["2024-07-25_3shot"], draws=200)
    rows = {
        (row["group"], row["null"]): row
        for row in found.expected.filter(by="metric", cutoff=100.0).to_dicts()
    }
    exact = rows["exact_str_match", "smooth"]
    assert exact["low"] <= exact["observed"] == 4 <= exact["high"]
    assert exact["p_value"] > 0.3
    assert rows["exact_str_match", "flat"]["p_value"] < 0.02
    assert rows["multiple_choice_grade", "smooth"]["p_value"] > 0.1


@pytest.mark.data
def test_questions_of_bigbench_score_files(shared_data: Path) -> None:
    """Its metadata state the questions that BIG-bench's own score files do not."""
    metadata = read_task_metadata(shared_data / "tables" / "bigbench_task_metadata.csv")
    bare = make(
        [0, 0, 0, 0, 0.5],
        task="analytic_entailment",
        metric="multiple_choice_grade",
        n=None,
        chance=None,
    )
    row = meta_analysis([bare], metadata=metadata).curves.to_dicts()[0]
    assert (row["questions_least"], row["chance"], row["under_resolved"]) == (70, 0.5, True)
