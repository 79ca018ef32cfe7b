"""Published jumps beside another metric: the sentences and charts of ``benchmarks.metric_pairs``.

Scores are those of /work/shared/specs/emergence-and-metrics.md, sections 3 and 8.
"""

from __future__ import annotations

import pytest
from benchmarks.metric_pairs import grade_and_brier, transliteration

from upswing.charts.metric_pair import metric_pair
from upswing.charts.save import render_chart
from upswing.mirage.intervention import pair_table
from upswing.mirage.pair_points import pair_points
from upswing.report.pair_text import pair_sentence


@pytest.mark.data
def test_grade_and_brier_of_fact_checker(shared_data):
    (found,) = grade_and_brier(shared_data)
    rows = pair_table([found.pair])
    row = rows.row(0, named=True)
    assert row["emergence_score"] == pytest.approx(18.5, abs=0.05)
    assert row["other_score"] == pytest.approx(6.1, abs=0.05)
    assert "under multiple_choice_grade the emergence score is 18.5" in pair_sentence(row)
    svg = render_chart(metric_pair(pair_points([found.pair], [found.onset]), rows), ".svg")
    assert b"fact_checker" in svg


@pytest.mark.data
def test_exact_match_and_bleu_of_transliteration(shared_data):
    (found,) = transliteration(shared_data)
    row = pair_table([found.pair]).row(0, named=True)
    assert row["emergence_score_status"] == "+inf"
    assert row["other_score"] == pytest.approx(25.0, abs=0.05)
    assert "the emergence score is infinite" in pair_sentence(row)
