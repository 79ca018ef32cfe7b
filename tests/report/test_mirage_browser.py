"""The section on jumps in a real browser: it draws, redraws, sorts, and loads nothing."""

from __future__ import annotations

from typing import Any

import pytest

from upswing import Tables
from upswing.charts.theme import CATEGORY
from upswing.report.write import write_report

from .conftest import draw_all, watch
from .jumps import jumping

pytestmark = pytest.mark.browser

TASK = "<script>window.broken = 1</script>"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("jumps")
    return write_report(jumping(TASK), Tables(), folder).as_uri()


@pytest.mark.parametrize(("width", "mode"), [(1400, "light"), (400, "dark")])
def test_it_draws_everywhere(browser: Any, address: str, width: int, mode: Any) -> None:
    page, problems, requests = watch(browser, address, width, mode)
    figures = draw_all(page, "jumps")
    assert figures.count() == 2
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    drawn = page.inner_html("#pair-0 .plot")
    for words in ("exact_match, emergence score +∞", "character_edit_distance_norm: smooth"):
        assert words in page.text_content("#pair-0 svg")
    assert CATEGORY[mode][0] in drawn
    assert page.locator("#pair-0 .mark-symbol.role-mark path").count() == 16
    page.locator(".switches label", has_text="linear").click()
    page.evaluate("document.querySelector('#pair-0').scrollIntoView({behavior: 'instant'})")
    page.wait_for_selector("#pair-0[data-drawn='pair/linear'] svg")
    page.locator("#pair-0 .mark-symbol.role-mark path").last.hover()
    page.wait_for_selector("#tip:not([hidden])")
    assert "Share of its rise" in page.inner_text("#tip")
    page.locator("#jumps thead button", has_text="Rise before").click()
    shares = page.locator("#jumps tbody td:last-child").evaluate_all(
        "cells => cells.map(cell => cell.dataset.v)"
    )
    known = [float(share) for share in shares if share]
    assert len(known) == 2
    assert known == sorted(known)
    assert shares[-2:] == ["", ""]
    assert page.evaluate("window.broken") is None
    assert problems == []
    assert requests == [address]
    page.close()
