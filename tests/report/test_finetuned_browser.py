"""The section on finetuned models in a real browser: it draws, answers clicks, loads nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sample_finetunes import finetune_rows, finetune_tables, score_row
from upswing import detect
from upswing.charts.theme import sequence
from upswing.report.write import write_report

from .conftest import HOSTILE, draw_all, watch

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    rows = [
        row
        for metric in ("exact_match", "acc", "target_logprob")
        for row in finetune_rows(HOSTILE[0], metric, methods=metric == "acc")
    ]
    tables = finetune_tables(rows, [score_row(HOSTILE[0], "acc", chance=0.25)])
    folder = tmp_path_factory.mktemp("finetuned")
    return write_report(detect(tables, "tokens", require_scales=False), tables, folder).as_uri()


@pytest.mark.parametrize(("width", "mode"), [(1400, "light"), (400, "dark")])
def test_it_draws_everywhere(browser: Any, address: str, width: int, mode: Any) -> None:
    page, problems, requests = watch(browser, address, width, mode)
    figures = draw_all(page, "finetuned")
    assert figures.count() == 5 + 3  # three metrics, acc with three methods; three checkpoints
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    first = page.inner_html("#finetuned-0-0 svg")
    assert all(colour in first for colour in sequence(2, mode))
    # 24 runs; 6 means and 3 prompted, and as many invisible marks that hold the axis
    assert page.locator("#finetuned-0-0 .role-mark.mark-symbol path").count() == 24 + 2 * (6 + 3)
    assert page.evaluate("window.broken") is None
    assert problems == []
    assert requests == [address]
    page.close()


def test_a_legend_entry_hides_the_others_and_marks_tell_their_numbers(
    browser: Any, address: str
) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(address)
    page.evaluate("document.querySelector('#finetuned-0-0').scrollIntoView({behavior: 'instant'})")
    page.wait_for_selector("#finetuned-0-0[data-drawn] svg")
    faint = "[...document.querySelectorAll('#finetuned-0-0 .mark-line path')]"
    opacity = f"{faint}.map(line => Number(line.getAttribute('opacity') ?? 1))"
    assert min(page.evaluate(opacity)) > 0.5
    page.locator("#finetuned-0-0 .role-legend-entry text", has_text="64").click()
    page.wait_for_function(f"Math.min(...{opacity}) < 0.1")
    assert sorted(value < 0.1 for value in page.evaluate(opacity)) == [False, True, True]
    page.locator("#finetuned-0-0 .role-mark.mark-symbol path").last.hover()
    page.wait_for_selector("#tip:not([hidden])")
    assert "Mean of runs" in page.inner_text("#tip")
    page.close()


def test_the_data_of_a_chart_can_be_saved(browser: Any, address: str) -> None:
    page = browser.new_page(accept_downloads=True)
    page.goto(address)
    page.evaluate("document.querySelector('#finetuned-0-0').scrollIntoView({behavior: 'instant'})")
    page.wait_for_selector("#finetuned-0-0 .tools")
    with page.expect_download() as waiting:
        page.locator("#finetuned-0-0 .tools button", has_text="CSV").click()
    lines = Path(waiting.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("point,amount,")
    assert len(lines) == 1 + 9
    with page.expect_download() as waiting:
        page.click('[data-table="finetuned_gains"]')
    assert Path(waiting.value.path()).read_text(encoding="utf-8").startswith("family,task,metric,")
    page.close()
