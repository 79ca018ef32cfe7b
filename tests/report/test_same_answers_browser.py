"""The section on other metrics in a real browser: it draws, redraws, and loads nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from upswing import detect
from upswing.report.write import write_report

from .answers import answers
from .conftest import draw_all, watch

pytestmark = pytest.mark.browser

UNDRAWN = "document.querySelectorAll('#answers figure.chart:not([data-drawn])').length"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    tables = answers()
    folder = tmp_path_factory.mktemp("answers")
    return write_report(detect(tables, "flops"), tables, folder).as_uri()


@pytest.mark.parametrize(("width", "mode"), [(1400, "light"), (400, "dark")])
def test_it_draws_everywhere(browser: Any, address: str, width: int, mode: str) -> None:
    page, problems, requests = watch(browser, address, width, mode)
    draw_all(page, "answers")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert "leaves its floor at" in page.text_content("#metric-0-0 svg")
    assert page.locator("#heatmap-0 .mark-rect path").count() > 300
    page.locator(".switches label", has_text="linear").click()
    page.evaluate("document.querySelector('#metric-0-0').scrollIntoView({behavior: 'instant'})")
    page.wait_for_selector("#metric-0-0[data-drawn='metric/linear'] svg")
    page.locator("#metric-0-0 .mark-symbol path").last.hover()
    page.wait_for_selector("#tip:not([hidden])")
    assert "95 % interval" in page.inner_text("#tip")
    assert problems == []
    assert requests == [address]
    page.close()


def test_the_data_of_a_chart_can_be_saved(browser: Any, address: str) -> None:
    page = browser.new_page(accept_downloads=True)
    page.goto(address)
    page.evaluate("document.querySelector('#heatmap-0').scrollIntoView({behavior: 'instant'})")
    page.wait_for_selector("#heatmap-0 .tools")
    with page.expect_download() as waiting:
        page.locator("#heatmap-0 .tools button", has_text="CSV").click()
    lines = Path(waiting.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0] == "from,to,model,value"
    assert len(lines) == 6 * 120 + 1
    with page.expect_download() as waiting:
        page.click('[data-table="departures"]')
    assert Path(waiting.value.path()).read_text(encoding="utf-8").startswith("family,model,task,")
    page.close()
