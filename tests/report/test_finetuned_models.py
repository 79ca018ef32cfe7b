"""The section on finetuned models: numbers in words, escaping, tables, and its absence."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest

from sample_finetunes import finetune_rows, finetune_tables, score_row
from upswing import Tables, detect
from upswing.curves.finetuned import finetuned
from upswing.report.finetuned_models import (
    FINETUNED_TABLES,
    MOST_BLOCKS,
    MOST_DOTS,
    blocks,
    finetuned_figures,
    finetuned_models,
    finetuned_section,
)
from upswing.report.finetuned_text import gain_rows, gain_sentence
from upswing.report.write import write_report

from .conftest import HOSTILE
from .test_write import Page


def write(tables: Tables, folder: Path, **selection: str) -> str:
    found = detect(tables, "loss", require_scales=False, **selection)  # type: ignore[arg-type]
    return write_report(found, tables, folder).read_text(encoding="utf-8")


def text_of(html: str) -> str:
    return " ".join(" ".join(Page(html).text).split())


def data_of(html: str) -> dict:  # type: ignore[type-arg]
    inside = re.search(r'id="report-data">(.*?)</script>', html, re.DOTALL)
    assert inside is not None
    return json.loads(inside[1])  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def tables() -> Tables:
    rows = [*finetune_rows(methods=True), *finetune_rows(metric="acc", methods=True)]
    return finetune_tables(rows, [score_row("sums", "acc", chance=0.25)])


@pytest.fixture(scope="module")
def folder(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("finetuned")
    write(tables, target)
    return target


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def test_what_is_seen_is_said_in_words(html: str) -> None:
    text = text_of(html)
    # 12 runs on 16 examples, and 12 on 64 by each of three methods: rows of metrics are no runs
    assert "3 checkpoints, finetuned 48 times" in text
    assert "mean gain over the prompted model at 3 checkpoints" in text
    assert "with its 95 % interval over 2 draws × 2 seeds" in text
    assert "+0.16 (−0.10 to +0.90) with 16 examples" in text
    assert "Runs lie more than 0.3 apart at 2 of 6 pairs of checkpoint and amount" in text
    assert "Runs lie more than 0.3 apart at 0 of 3 pairs" in text  # half as far, with low ranks
    assert "it forecasts nothing" in text
    assert "48 finetuned models have a section below." in text


def test_the_tables_are_beside_the_page(tables: Tables, folder: Path) -> None:
    finetunes, points, gains = (
        pl.read_csv(folder / "tables" / f"{name}.csv") for name in FINETUNED_TABLES
    )
    found = finetuned(tables)
    assert found is not None
    assert finetunes["value"].to_list() == found.runs["value"].to_list()
    assert points["value"].to_list() == found.points["value"].to_list()
    assert gains["gain"].to_list() == found.gains["gain"].to_list()
    assert len(gains) == 2 * (1 + 3)


def test_the_page_holds_every_run_and_a_template_for_each_mode(html: str) -> None:
    data = data_of(html)
    figure = data["figures"]["finetuned-0-0"]
    assert figure["title"][0] == "acc · full"
    assert figure["data"]["runs"]["rows"] == 24
    for mode in ("light", "dark"):
        template = data["templates"][f"{figure['kind']}/{mode}"]
        assert "datasets" not in template
    assert {"finetuned_points", "finetuned_gains"} <= set(data["tables"])
    assert 'data-table="finetuned_gains"' in html
    page = Page(html)
    assert len(set(page.ids)) == len(page.ids)
    links = [attrs["href"] or "" for tag, attrs in page.tags if tag == "a"]
    assert "#finetuned" in links
    assert all(link[1:] in page.ids for link in links)


def test_methods_are_compared_where_there_are_several(html: str, tmp_path: Path) -> None:
    assert "Methods on as many examples" in html
    assert "methods-0-0" in data_of(html)["figures"]
    one = write(finetune_tables(finetune_rows()), tmp_path)
    assert "Methods on as many examples" not in one


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text_and_nothing_else(name: str, tmp_path: Path) -> None:
    rows = [
        {**row, "model": name, "method": name}
        for row in finetune_rows(task=name, metric=name, family=name)
    ]
    page = Page(write(finetune_tables(rows), tmp_path / "out"))
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"img", "iframe", "object", "embed", "link", "base"}
    assert sum(tag == "script" for tag, _ in page.tags) == 3
    text = " ".join(page.text)
    for mark in ("\u202e", "\u2028", "\x00"):
        assert mark not in text
    assert max(len(word) for word in text.split()) < 1000
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


def test_a_report_without_finetunes_has_nothing_of_it(tables: Tables, tmp_path: Path) -> None:
    html = write(Tables(scores=tables.scores, scales=tables.scales), tmp_path)
    assert "inetun" not in html.split("<main>")[1].split('id="report-data"')[0]
    assert "section.finetuned" not in html
    assert not list((tmp_path / "tables").glob("finetune*"))


def test_tables_of_an_earlier_report_do_not_stay(tables: Tables, tmp_path: Path) -> None:
    write(tables, tmp_path)
    assert len(list((tmp_path / "tables").glob("finetune*"))) == 3
    write(Tables(), tmp_path)
    assert not list((tmp_path / "tables").glob("finetune*"))


def test_a_task_that_was_not_selected_is_left_out() -> None:
    rows = [*finetune_rows("sums"), *finetune_rows("products"), *finetune_rows("not scored")]
    scores = [
        score_row(task, "exact_match", revision=f"step{i}", n=100, chance=0.0)
        for task in ("sums", "products")
        for i in (1, 2, 3)
    ]
    tables = finetune_tables(rows, scores)
    detection = detect(tables, "loss", task="sums")
    found = finetuned_models(tables, detection)
    assert found is not None
    assert set(found.points["task"]) == {"sums", "not scored"}
    everything = finetuned_models(tables, detect(tables, "loss"))
    assert everything is not None
    assert set(everything.points["task"]) == {"sums", "products", "not scored"}


def test_prompted_models_only(tmp_path: Path) -> None:
    rows = [row for row in finetune_rows() if row["few_shot"]]
    text = text_of(write(finetune_tables(rows), tmp_path))
    assert "3 checkpoints, finetuned 0 times" in text
    assert "What each amount of data adds" not in text


def test_without_a_prompted_model_no_gain_is_claimed(tmp_path: Path) -> None:
    rows = [row for row in finetune_rows() if not row["few_shot"]]
    text = text_of(write(finetune_tables(rows), tmp_path))
    assert "the prompted model was not scored" in text
    assert "mean gain over the prompted model" not in text


def test_checkpoints_without_a_scale_are_counted(tmp_path: Path) -> None:
    rows = [
        {**row, "revision": "lost"} if row["revision"] == "step2" else row
        for row in finetune_rows()
    ]
    text = text_of(write(finetune_tables(rows), tmp_path))
    assert "1 of the checkpoints has no known pretraining loss" in text


def test_many_tasks_and_many_runs_are_capped() -> None:
    rows = [row for i in range(MOST_BLOCKS + 2) for row in finetune_rows(task=f"t{i:02}")[:4]]
    found = finetuned(finetune_tables(rows))
    assert found is not None
    part = finetuned_section(found)
    assert (len(part["blocks"]), part["more_blocks"]) == (MOST_BLOCKS, 2)
    crowd = [{**finetune_rows()[-1], "seed": i} for i in range(MOST_DOTS + 1)]
    crowded = finetuned(finetune_tables(crowd))
    assert crowded is not None
    assert finetuned_section(crowded)["crowded"]
    (figure,) = finetuned_figures(blocks(crowded))[1].values()
    assert figure["data"]["runs"]["rows"] == 0
    assert figure["data"]["means"]["rows"] == 1


def test_rows_say_what_an_interval_holds() -> None:
    single = [r for r in finetune_rows() if r["few_shot"] or (r["draw"], r["seed"]) == (0, 0)]
    found = finetuned(finetune_tables(single))
    assert found is not None
    assert [row["interval"] for row in gain_rows(found.gains)] == ["single runs, no interval"] * 2
    sentence = gain_sentence(found.gains, several=False)
    assert sentence is not None
    assert sentence["disagreeing"] is None
    alike = [{**r, "value": 0.4} for r in finetune_rows()]
    same = finetuned(finetune_tables(alike))
    assert same is not None
    assert {row["interval"] for row in gain_rows(same.gains)} == {
        "all runs alike, 2 draws × 2 seeds"
    }
    assert gain_sentence(found.gains.clear(), several=False) is None


def test_methods_are_in_order_of_what_they_change(tables: Tables) -> None:
    found = finetuned(tables)
    assert found is not None
    of_acc = [row["method"] for row in gain_rows(found.gains) if row["metric"] == "acc"]
    assert of_acc == ["lora-2", "lora-16", "full", "full"]
