from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from upswing import Detection, Tables, detect
from upswing.charts.metric_pair import legend_labels
from upswing.findings.finding import COLUMNS, Finding
from upswing.findings.verdict import Verdict
from upswing.mirage.alternative import Outcome, Share
from upswing.mirage.explanation import Explanation
from upswing.mirage.same_outputs import Comparison
from upswing.report.evidence_text import EVIDENCE
from upswing.report.mirage_jumps import MOST_DRAWN, Jumps, drawn_jumps, mirage_jumps, pair_tables
from upswing.report.mirage_section import MOST_TOLD, mirage_section
from upswing.report.mirage_text import counts_sentence, jump_text
from upswing.report.write import write_report

from .conftest import HOSTILE
from .jumps import EARLY, SIZES, edits, jump, jumping
from .test_write import Page

Changed = Callable[..., Jumps]


def report(detection: Detection, folder: Path) -> tuple[str, dict[str, Any]]:
    html = write_report(detection, Tables(), folder).read_text(encoding="utf-8")
    found = re.search(r'id="report-data">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return html, json.loads(found[1])


def text_of(html: str) -> str:
    return " ".join(" ".join(Page(html).text).split())


@pytest.fixture(scope="module")
def detection() -> Detection:
    return jumping()


@pytest.fixture(scope="module")
def found(detection: Detection) -> Jumps:
    result = mirage_jumps(detection)
    assert result is not None
    return result


@pytest.fixture(scope="module")
def folder(detection: Detection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("jumps")
    report(detection, target)
    return target


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def told(found: Jumps, task: str) -> str:
    (one,) = (one for one in found.jumps if one.row["task"] == task)
    return jump_text(one, found.pair_row(one))


def of_task(detection: Detection, task: str) -> Finding:
    return next(
        one for one in detection if (one.curve.task, one.curve.metric) == (task, "exact_match")
    )


@pytest.fixture
def changed(detection: Detection) -> Changed:
    """Return the artifact alone, with another outcome, share and verdict."""

    def make(
        outcome: Outcome | None, share: Share | None, verdict: Verdict, **evidence: Any
    ) -> Jumps:
        finding = of_task(detection, "early")
        beside = finding.comparison.alternatives
        other = None
        if outcome is not None:
            other = replace(beside[0], outcome=outcome, share=share)
            beside = (other, *beside[1:])
        altered = replace(
            finding,
            evidence=replace(finding.evidence, **evidence),
            explanation=Explanation(Comparison(beside, other)),
            verdict=verdict,
        )
        result = mirage_jumps(replace(detection, findings=(altered,)))
        assert result is not None
        return result

    return make


REAL = Verdict("emergent", "sharp", "ability", "")
OPEN = Verdict("emergent", "sharp", "unknown", "")


def test_jumps_and_only_jumps_in_order(found: Jumps) -> None:
    assert [(one.row["task"], one.place) for one in found.jumps] == [
        ("early", "metric"),
        ("step", "continuous too"),
        ("small", "test set"),
        ("alone", "untested"),
    ]
    assert counts_sentence(found) == (
        "Of 4 curves with a jump, 1 is made by its metric, 1 is in a continuous metric too, 1 "
        "cannot be told from a test set that is too small and 1 has no continuous metric to be "
        "compared with."
    )


def test_an_artifact_is_told_with_the_numbers_of_its_finding(
    detection: Detection, found: Jumps
) -> None:
    row = of_task(detection, "early").to_dict()
    text = told(found, "early")
    share, low, high = (
        f"{100 * row[name]:.0f} %"
        for name in ("rise_before_onset", "rise_before_low", "rise_before_high")
    )
    assert text.startswith("Exact match jumps from 0 to 0.4 between 5.2B and 14B parameters; ")
    assert "its emergence score is infinite." in text
    assert "Normalised character edit distance of the same outputs is smooth" in text
    assert f"had made {share} of its rise (95 % interval {low} to {high}) before." in text
    assert text.endswith("The metric makes the jump.")
    assert f"{row['exponent_needed_low']:.2g} (95 % bound)" in text


def test_a_real_jump_an_untested_one_and_a_small_test(detection: Detection, found: Jumps) -> None:
    assert "is sharp too (p smooth <0.001): it had made 0 % of its rise" in told(found, "step")
    assert told(found, "step").endswith("The metric does not make the jump.")
    assert "No continuous metric of the same outputs is known." in told(found, "alone")
    small = told(found, "small")
    assert "At 20 questions only a gain of" in small
    detectable = of_task(detection, "small").to_dict()["detectable_gain"]
    assert f"{detectable:.2g} over chance + δ" in small
    assert small.startswith("Exact match rises from")
    assert "p^L" not in small


def test_outcomes_that_do_not_reject_the_metric(changed: Changed) -> None:
    same = told(changed("same place", Share(0.02, -0.1, 0.08), REAL), "early")
    assert "leaves its floor there too: it had made 2 % of its rise (95 % interval 0 % to 8 %)" in (
        same
    )
    vague = changed("unclear", Share(0.5, -0.3, 1.4), OPEN)
    assert "50 % of its rise (95 % interval 0 % to 100 %) before, which does not decide." in told(
        vague, "early"
    )
    assert "1 is left open" not in counts_sentence(vague)
    assert counts_sentence(vague) == (
        "The one curve with a jump is left open by the continuous metric beside it."
    )
    blind = told(changed("unclear", None, OPEN), "early")
    assert "but only one scale lies before the jump." in blind
    assert blind.endswith("Whether the metric makes the jump is open.")
    alone = told(changed(None, None, OPEN), "early")
    assert "Normalised character edit distance of the same outputs cannot be compared" in alone


def test_a_small_test_is_told_by_its_own_test(changed: Changed) -> None:
    few = Verdict("under-resolved", "sharp", "resolution", "")
    made = changed("earlier", Share(0.3, 0.2, 0.4), few, p_test_size=0.21)
    text = told(made, "early")
    assert "At 500 questions a smooth curve looks this way with p = 0.21." in text
    assert "had made 30 % of its rise" in text
    assert "makes the jump" not in text


def test_what_is_not_significant_over_tasks_is_said(changed: Changed) -> None:
    found = changed("sharp", Share(0.0, 0.0, 0.0), Verdict("undecided", "sharp", "unknown", ""))
    assert found.jumps[0].place == "not significant"
    assert "Corrected over tasks the jump is not significant (q = " in told(found, "early")


def test_a_continuous_metric_has_nothing_beside_it() -> None:
    rising = [0.0, 0.0, 0.0, 0.0, 0.0, 0.4, 0.7, 0.9]
    bent = replace(jump("bent", y=rising), metric="target_probability")
    linear = replace(edits("linear", [1 - y for y in rising]), chance=1.0, n=500)
    found = mirage_jumps(detect([bent, linear]))
    assert found is not None
    assert {one.row["task"]: one.place for one in found.jumps} == {
        "bent": "continuous itself",
        "linear": "continuous too",
    }
    assert "it may bend the rise." in told(found, "bent")
    assert "is linear in the error per token." in told(found, "linear")
    assert found.pairs.is_empty()
    assert not mirage_section(found)["drawn"]


def test_an_infinite_score_of_a_small_test_counts_without_an_onset() -> None:
    weak = jump("weak", n=12, y=[0.0] * 6 + [1 / 12, 1 / 12])
    found = mirage_jumps(detect([weak]))
    assert found is not None
    (one,) = found.jumps
    assert (one.place, one.row["emergence_score_status"]) == ("test set", "+inf")
    assert "goes from 0 to 0.083; no scale is surely above chance + δ" in told(found, "weak")


def test_the_published_rule_says_nothing_of_metrics_but_the_section_does() -> None:
    curves = [jump("early"), edits("early", EARLY)]
    detection = detect(curves, rule="wei2022")
    found = mirage_jumps(detection)
    assert found is not None
    assert [(one.row["cause"], one.place) for one in found.jumps] == [("unknown", "metric")]


def test_tables_hold_the_pairs_and_their_points(detection: Detection, folder: Path) -> None:
    pairs = pl.read_csv(folder / "tables" / "metric_pairs.csv")
    assert pairs.select("pair", "task", "verdict", "cause", "outcome").rows() == [
        (0, "early", "metric artifact", "metric", "earlier"),
        (1, "step", "emergent", "ability", "sharp"),
    ]
    row = of_task(detection, "early").to_dict()
    assert pairs["sharpness"][0] == row["sharpness"]
    assert pairs["rise_before_low"][0] == row["rise_before_low"]
    points = pl.read_csv(folder / "tables" / "metric_pair_points.csv")
    assert points.group_by("pair", "role").len()["len"].to_list() == [8] * 4
    assert set(points["onset"]) == {SIZES[5]}
    assert set(points["onset_low"]) == {SIZES[4]}


def test_the_section_has_a_place_in_the_page(html: str) -> None:
    page = Page(html)
    wanted = ["summary", "glance", "jumps", "tasks", "methods", "data"]
    assert [name for name in page.ids if name in wanted] == wanted
    assert len(set(page.ids)) == len(page.ids)
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert "#jumps" in links
    tags = [tag for tag, _ in page.tags]
    assert tags.count("table") == tags.count("caption")
    assert "metric_pairs.csv" in html


def test_text_and_rows_are_those_of_the_findings(html: str, found: Jumps) -> None:
    text = text_of(html)
    assert counts_sentence(found) in text
    for one in found.jumps:
        assert jump_text(one, found.pair_row(one)) in text
    section = mirage_section(found)
    assert [row["outcome"] for row in section["rows"]] == [
        "earlier", "sharp", "not compared", "not compared",
    ]  # fmt: skip
    assert [row["step"] for row in section["rows"]] == ["44 %"] * 4
    assert section["rows"][0]["score"] == "+∞"


def test_every_figure_has_a_template_and_data(html: str, found: Jumps) -> None:
    data = json.loads(re.search(r'id="report-data">(.*?)</script>', html, re.DOTALL)[1])  # type: ignore[index]
    ids = [name for name in Page(html).ids if name.startswith("pair-")]
    assert ids == ["pair-0", "pair-1"]
    for number, name in enumerate(ids):
        figure = data["figures"][name]
        assert figure["curves"] == legend_labels(found.pairs.row(number, named=True))
        assert figure["data"]["points"]["rows"] == 16
        assert figure["data"]["jump"]["rows"] == 1
        for x in ("log", "linear"):
            template = data["templates"][f"{figure['kind']}/{x}"]
            assert "datasets" not in template
            assert template["params"] == [{"name": "curves", "value": ["", ""]}]


def test_names_are_text_and_nothing_else(detection: Detection, tmp_path: Path) -> None:
    kinds = [of_task(detection, "early"), of_task(detection, "alone")]
    findings = tuple(renamed(one, name, family=name) for one in kinds for name in HOSTILE)
    page = Page(report(replace(detection, findings=findings), tmp_path / "out")[0])
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"img", "iframe", "object", "embed", "link", "base"}
    assert sum(tag == "script" for tag, _ in page.tags) == 3
    text = " ".join(page.text)
    for mark in ("\u202e", "\u2028", "\x00"):
        assert mark not in text
    assert max(len(word) for word in text.split()) < 1000
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


def renamed(finding: Finding, task: str, **labels: str) -> Finding:
    curve = replace(finding.curve, task=task, **labels)
    return replace(finding, evidence=replace(finding.evidence, curve=curve))


def many(detection: Detection, count: int) -> Detection:
    """Return a detection with that many artifacts and untested jumps, and a few real ones."""
    kinds = [("early", count), ("step", 3), ("alone", count)]
    findings = tuple(
        renamed(of_task(detection, task), f"{task} {i % 3}")
        for task, copies in kinds
        for i in range(copies)
    )
    return replace(detection, findings=findings)


def test_artifacts_do_not_hide_real_jumps(detection: Detection) -> None:
    found = mirage_jumps(many(detection, 20))
    assert found is not None
    drawn = drawn_jumps(found)
    assert len(drawn) == MOST_DRAWN
    assert Counter(one.place for one in drawn) == {"metric": 3, "continuous too": 3}
    assert [one.row["task"] for one in drawn] == [
        *(f"early {i}" for i in range(3)), *(f"step {i}" for i in range(3)),
    ]  # fmt: skip


def test_many_jumps_keep_the_page_small(detection: Detection, tmp_path: Path) -> None:
    crowd = many(detection, 300)
    html, data = report(crowd, tmp_path)
    found = mirage_jumps(crowd)
    assert found is not None
    section = mirage_section(found)
    assert (len(section["told"]), section["more_told"]) == (MOST_TOLD, 603 - 6 - MOST_TOLD)
    assert (len(section["rows"]), section["more_rows"]) == (400, 203)
    part = re.search(r'<section id="jumps".*?</section>', html, re.DOTALL)
    assert part is not None
    assert len(part[0]) < 500_000
    assert data["tables"]["metric_pairs"]["rows"] == 303


def test_without_jumps_nothing_is_added_and_nothing_stays(
    detection: Detection, tmp_path: Path
) -> None:
    earlier = tmp_path / "tables" / "metric_pairs.csv"
    earlier.parent.mkdir()
    earlier.write_text("of an earlier report")
    flat = replace(detection, findings=tuple(f for f in detection if f.curve.task == "flat"))
    html, data = report(flat, tmp_path)
    assert mirage_jumps(flat) is None
    assert "jumps" not in Page(html).ids
    assert ".pairs" not in html
    assert "metric_pairs" not in data["tables"]
    assert not earlier.exists()


def test_same_seed_same_numbers(found: Jumps) -> None:
    again = mirage_jumps(jumping())
    assert again is not None
    for name, frame in pair_tables(found).items():
        assert frame is not None
        assert frame.equals(pair_tables(again)[name])
    assert pair_tables(None) == dict.fromkeys(("metric_pairs", "metric_pair_points"))


def test_every_number_of_the_evidence_is_a_column() -> None:
    assert {one.column for one in EVIDENCE} <= set(COLUMNS)
    assert {"continuous_metric", "rise_before_low", "exponent_needed"} <= {
        one.column for one in EVIDENCE
    }
