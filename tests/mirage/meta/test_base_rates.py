"""Base rates of preferred metrics: closed forms, and Wei et al.'s 202 tasks."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from upswing.mirage.meta.analysis import COLUMN, LISTED, RULE, meta_analysis
from upswing.mirage.meta.annotation import read_annotation
from upswing.mirage.meta.base_rates import base_rates, expected_metrics, preferred_counts
from upswing.mirage.meta.preferred_metric import read_metric_tasks, read_task_metadata
from upswing.mirage.meta.text import base_rate_text


def rates_of(metrics: list[str | None], emergent: list[bool]) -> dict[str, float]:
    tasks = pl.DataFrame(
        {
            "task": [str(i) for i in range(len(metrics))],
            "emergent": emergent,
            "preferred_metric": metrics,
        },
        schema_overrides={"preferred_metric": pl.String},
    )
    counts = preferred_counts(tasks, "a rule")
    return base_rates(counts, np.random.default_rng(0)).to_dicts()[0]


def test_a_table_by_hand() -> None:
    metrics = ["exact_str_match"] * 2 + ["multiple_choice_grade"] + ["bleu"] * 2 + ["f1", None]
    rates = rates_of(metrics, [True] * 3 + [False] * 4)
    assert (rates["tasks"], rates["known"], rates["emergent"]) == (7, 6, 3)
    assert (rates["compared"], rates["compared_emergent"]) == (3, 3)
    assert (rates["others_known"], rates["others_known_emergent"]) == (3, 0)
    assert rates["share_emergent"] == 1.0
    assert (rates["share_tasks"], rates["share_known"]) == (3 / 7, 3 / 6)
    assert rates["p_fisher_known"] == pytest.approx(2 / 20)  # 3 of 3 against 0 of 3, two-sided
    assert rates["p_fisher_tasks"] == pytest.approx(1 / 35)  # 3 of 3 against 0 of 4
    assert (rates["metrics"], rates["metrics_of_one_task"]) == (4, 2)
    assert rates["metrics_emergent"] == 2


def test_nothing_to_compare_with() -> None:
    rates = rates_of(["bleu", "bleu"], [False, False])
    assert rates["p_fisher_known"] is None
    assert rates["share_emergent"] is None
    assert base_rate_text(rates) == []


def test_the_expected_number_of_metrics_counts_all_lists() -> None:
    counts, drawn = [3, 2, 1, 1], 3
    metric = np.repeat(np.arange(4), counts)
    lists = [len(set(metric[list(chosen)])) for chosen in combinations(range(7), drawn)]
    assert expected_metrics(counts, drawn) == pytest.approx(np.mean(lists))
    assert expected_metrics(counts, 7) == pytest.approx(4)
    assert expected_metrics(counts, 0) == pytest.approx(0)


@pytest.fixture(scope="module")
def rates(shared_data: Path) -> dict[str, dict[str, float]]:
    tables = shared_data / "tables"
    found = meta_analysis(
        [],
        annotation=read_annotation(tables / "wei_handannotated_bigbench.csv"),
        metadata=read_task_metadata(tables / "bigbench_task_metadata.csv"),
        metric_tasks=read_metric_tasks(tables / "bigbench_preferred_metrics.csv"),
    )
    return {row["rule"]: row for row in found.base_rates.to_dicts()}


@pytest.mark.data
def test_by_the_column_of_the_annotation(rates: dict[str, dict[str, float]]) -> None:
    row = rates[COLUMN]
    assert (row["tasks"], row["known"], row["emergent"]) == (202, 162, 67)
    assert (row["compared_emergent"], row["compared"]) == (63, 146)
    assert (row["others_known_emergent"], row["others_known"]) == (2, 16)
    assert round(100 * row["share_emergent"], 1) == 94.0
    assert round(100 * row["share_tasks"], 1) == 72.3
    assert round(100 * row["share_known"], 1) == 90.1
    assert round(row["p_fisher_known"], 3) == 0.029
    text = base_rate_text(row)[0]
    assert "94.0 % of the 67 emergent tasks, and by 72.3 % of all 202 tasks" in text


@pytest.mark.data
def test_by_bigbenchs_rule(rates: dict[str, dict[str, float]]) -> None:
    """92.5 % is the figure of Schaeffer et al. 2023, section 4: 51 and 11 of 67."""
    row = rates[RULE]
    assert (row["tasks"], row["known"], row["emergent"]) == (202, 162, 67)
    assert (row["compared_emergent"], row["compared"]) == (51 + 11, 134)
    assert (row["others_known_emergent"], row["others_known"]) == (3, 28)
    assert round(100 * row["share_emergent"], 1) == 92.5
    assert round(100 * row["share_tasks"], 1) == 66.3
    assert round(100 * row["share_known"], 1) == 82.7
    assert round(row["p_fisher_known"], 4) == 0.0005


@pytest.mark.data
def test_metrics_of_one_task(rates: dict[str, dict[str, float]]) -> None:
    """Most metrics have one task; fewer have an emergent one than random lists would give."""
    row = rates[LISTED]
    assert (row["metrics"], row["metrics_of_one_task"]) == (40, 29)
    assert row["metrics_of_two_at_most"] == 34
    assert row["metrics_emergent"] == 5
    assert row["metrics_emergent_expected"] == pytest.approx(12.1, abs=0.05)
    assert row["p_as_few_metrics"] < 0.01


@pytest.mark.data
def test_the_two_figures_of_the_paper(shared_data: Path) -> None:
    """51 and 11 of the 67 emergent tasks are 76 % and 16.42 % (arXiv:2304.15004, figure 5C)."""
    tables = shared_data / "tables"
    preferred = meta_analysis(
        [],
        annotation=read_annotation(tables / "wei_handannotated_bigbench.csv"),
        metadata=read_task_metadata(tables / "bigbench_task_metadata.csv"),
    ).preferred.filter(rule=RULE)
    share = dict(preferred.select("metric", "share_emergent").iter_rows())
    assert round(100 * share["multiple_choice_grade"], 2) == 76.12
    assert round(100 * share["exact_str_match"], 2) == 16.42
    assert preferred["share_tasks"].sum() == pytest.approx(1)
