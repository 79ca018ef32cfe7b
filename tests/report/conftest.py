"""A detection of twelve curves, some with names made to break a page, and its tables."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest

from upswing import Curve, Detection, Note, Tables, detect
from upswing.detection.technique import technique_table
from upswing.tables.provenance import FILES
from upswing.tables.schemas import SCORES

HOSTILE = (
    "<script>window.broken = 1</script>",
    "</script><img src=x onerror='window.broken = 2'>",
    "../../../../escaped",
    '"quotes" & {{ 7 * 7 }} ${1}',
    "right\u202eto left\u2028\x00",
    "long " + "x" * 10_000,
)
SIZES = np.geomspace(1e8, 1e11, 6)


CHROMIUM = Path(os.environ.get("UPSWING_CHROMIUM") or "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-quic",
]  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}: set UPSWING_CHROMIUM")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started
        started.close()


class Watched(NamedTuple):
    """A page of the report, and what it complained about and asked the network for."""

    page: Any
    problems: list[str]
    requests: list[str]


def watch(browser: Any, address: str, width: int, mode: str) -> Watched:
    """Open a report once it is ready."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=mode)
    problems: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: problems.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: problems.append(f"error: {error}"))
    page.on("request", lambda sent: requests.append(sent.url))
    page.goto(address)
    page.wait_for_selector("html[data-ready=yes]")
    return Watched(page, problems, requests)


def draw_all(page: Any, section: str) -> Any:
    """Go to a section, scroll until each of its figures is drawn, and return them."""
    page.click(f'nav a[href="#{section}"]')
    figures = page.locator(f"#{section} figure.chart")
    for i in range(figures.count()):
        figures.nth(i).scroll_into_view_if_needed()
        page.wait_for_selector(f"#{figures.nth(i).get_attribute('id')}[data-drawn] svg")
    return figures


class Sample(NamedTuple):
    detection: Detection
    tables: Tables
    techniques: pl.DataFrame


def made(task: str, family: str, shots: int, y: list[float], chance: float = 0.0) -> Curve:
    return Curve(
        x=SIZES, y=y, n=400, chance=chance, axis="params", family=family, task=task, n_shot=shots,
        models=tuple(f"{family}-{i}" for i in range(len(y))),
    )  # fmt: skip


def sample(names: tuple[str, ...] = HOSTILE, family: str = "Alpha") -> Sample:
    """Return a detection whose tasks have the given names, with warnings that repeat them."""
    jump = [0.0, 0.0, 0.005, 0.5, 0.7, 0.9]
    rise = [0.27, 0.33, 0.4, 0.48, 0.55, 0.62]
    curves = [
        *(made(name, family, 0, rise, 0.25) for name in names),
        made("=sums", family, 0, [0.0] * 6),
        made("=sums", family, 8, jump),
        made("=sums", HOSTILE[0], 0, jump),
        made("quiz", family, 0, rise, 0.25),
        made("quiz", family, 5, [v + 0.1 for v in rise], 0.25),
        made("quiz", "Beta", 0, [0.25] * 6, 0.25),
    ]
    notes = [Note("odd", "warning", f"{name} is odd.") for name in names]
    notes.append(Note("many", "info", "Several.", {"messages": list(names)}))
    rows = [
        {
            "model": f"{c.family}-{i}", "family": c.family, "revision": "", "task": c.task,
            "task_version": "", "metric": "acc", "filter": "none", "n_shot": c.n_shot,
            "elicitation": "", "harness": "test", "value": float(c.y[i]), "n": 400,
            "source": names[0], "level": "task",
        }
        for c in curves
        for i in range(len(c))
    ]  # fmt: skip
    scores = pl.DataFrame(rows, schema_overrides=SCORES.polars)
    missing = [pl.lit(None, SCORES.polars[c]).alias(c) for c in SCORES.polars if c not in scores]
    files = [
        {"source": f"{name}/{name}", "sha256": "0" * 64, "bytes": 1, "reader": "tidy", "rows": 1,
         "harness": None}
        for name in names
    ]  # fmt: skip
    tables = Tables(
        scores=scores.with_columns(missing).select(list(SCORES.polars)),
        files=pl.DataFrame(files, schema=FILES.polars),
        notes=tuple(notes),
    )
    return Sample(detect(curves), tables, technique_table(curves))


@pytest.fixture(scope="session")
def hostile() -> Sample:
    return sample()
