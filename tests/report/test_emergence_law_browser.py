"""The section on forecasts in a real browser: it draws, answers the mouse, loads nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from upswing import detect
from upswing.charts.theme import sequence
from upswing.report.write import write_report

from .conftest import HOSTILE, draw_all, watch
from .test_emergence_law_section import as_tables, quick, simulated

pytestmark = pytest.mark.browser

__all__ = ["quick"]  # the fixture, for this module too


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    tables = as_tables(simulated(), simulated(HOSTILE[0], gap=0.26))
    folder = tmp_path_factory.mktemp("forecasts")
    return write_report(detect(tables, "loss", require_scales=False), tables, folder).as_uri()


@pytest.mark.parametrize(("width", "mode"), [(1400, "light"), (400, "dark")])
def test_it_draws_everywhere(browser: Any, address: str, width: int, mode: Any) -> None:
    page, problems, requests = watch(browser, address, width, mode)
    figures = draw_all(page, "forecasts")
    assert figures.count() == 3  # a fan and a distribution, and the fan of a refusal
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    drawn = page.inner_html("#fan-1 svg")
    assert all(colour in drawn for colour in sequence(6, mode))
    page.locator("#fan-1 .role-mark.mark-symbol path").last.hover(force=True)
    page.wait_for_selector("#tip:not([hidden])")
    assert page.evaluate("window.broken") is None
    assert problems == []
    assert requests == [address]
    page.close()


def test_the_table_of_forecasts_can_be_saved(browser: Any, address: str) -> None:
    page = browser.new_page(accept_downloads=True)
    page.goto(address)
    with page.expect_download() as waiting:
        page.click('[data-table="emergence_forecasts"]')
    text = Path(waiting.value.path()).read_text(encoding="utf-8")
    assert text.startswith("family,task,metric,d0,before,status,")
    assert len(text.splitlines()) == 3
    page.close()
