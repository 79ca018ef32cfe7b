"""The section on easy and hard questions in a real browser: it draws, loads nothing, saves data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from upswing import Tables, detect, read
from upswing.charts.theme import sequence
from upswing.report.write import write_report

from .conftest import draw_all, watch
from .test_difficulty_section import group_table, turning

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("groups")
    group_table(folder, "turns", turning())
    nothing = detect(Tables(), "flops", require_scales=False)
    return write_report(nothing, read(folder), folder / "report").as_uri()


@pytest.mark.parametrize(("width", "mode"), [(1400, "light"), (400, "dark")])
def test_it_draws_everywhere(browser: Any, address: str, width: int, mode: Any) -> None:
    page, problems, requests = watch(browser, address, width, mode)
    figures = draw_all(page, "difficulty")
    assert figures.count() == 2
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    groups = page.inner_html("#groups-0 svg")
    assert all(colour in groups for colour in sequence(3, mode))
    dots = "#{} .role-mark.mark-symbol path"
    assert page.locator(dots.format("groups-0")).count() == 24 * 3
    assert page.locator(dots.format("shapes-0")).count() == 24 * 3
    lines = page.locator("#shapes-0 .role-mark.mark-line path").count()
    assert lines == 2 + 1 + 1  # the two arms of the easiest third, and one for each other
    assert "beyond sorting" in page.inner_html("#shapes-0 svg")
    assert problems == []
    assert requests == [address]
    page.close()


def test_the_data_of_a_chart_can_be_saved(browser: Any, address: str) -> None:
    page = browser.new_page(accept_downloads=True)
    page.goto(address)
    draw_all(page, "difficulty")
    for name, header in (("groups-0", "difficulty,n,model,x,score"), ("shapes-0", "place,model,")):
        with page.expect_download() as waiting:
            page.locator(f"#{name} .tools button", has_text="CSV").click()
        lines = Path(waiting.value.path()).read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith(header)
        assert len(lines) == 1 + 24 * 3
    with page.expect_download() as waiting:
        page.click('[data-table="difficulty_shapes"]')
    text = Path(waiting.value.path()).read_text(encoding="utf-8")
    assert "u-then-rise" in text
    page.close()
