"""The section on forecasts: what is said, that it is safe, and that a bad table breaks nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from upswing import Tables, detect
from upswing.curves.finetuned import finetuned
from upswing.errors import InputError
from upswing.forecast.finetuning.emergence_law import EmergenceLaw
from upswing.report import emergence_law_cases
from upswing.report.emergence_law_cases import (
    DEFAULT_D0,
    EMERGENCE_TABLES,
    EmergenceCases,
    emergence_cases,
)
from upswing.report.emergence_law_section import (
    emergence_law_figures,
    emergence_law_section,
    emergence_law_sentences,
)
from upswing.report.emergence_law_text import baseline_rows, card_text, headline, next_steps
from upswing.report.write import write_report
from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning
from upswing.tables.reading import padded
from upswing.tables.schemas import FINETUNES, SCALES, SCORES

from .conftest import HOSTILE
from .test_finetuned_models import data_of, text_of
from .test_write import Page

WORLD = FinetuningWorld(draws=2)


def simulated(
    task: str = "sums",
    family: str = "tiny",
    world: FinetuningWorld = WORLD,
    gap: float | None = None,
    prompted: Any = "all",
) -> pl.DataFrame:
    frame = simulate_finetuning(world, np.random.default_rng(3), gap, prompted, task=task)
    return frame.with_columns(
        pl.lit(family).alias("family"),
        pl.col("tokens").cast(pl.Int64).cast(pl.String).alias("revision"),
        (family + "-" + pl.col("model")).alias("model"),
    )


def as_tables(*parts: pl.DataFrame, shots: int | None = None) -> Tables:
    """Return the tables that a store of these models would have."""
    frame = pl.concat(parts)
    known = [pl.lit("web").alias("loss_corpus"), pl.lit("test").alias("reference")]
    scales = frame.select(*(set(frame.columns) & set(SCALES.polars)), *known)
    scores = SCORES.empty()
    if shots is not None:
        asked = frame.filter("few_shot").with_columns(
            pl.lit(shots).alias("n_shot"), pl.lit(0.25).alias("chance"),
            *(pl.lit("").alias(name) for name in ("task_version", "filter", "elicitation")),
            pl.lit("test").alias("harness"), pl.lit("task").alias("level"),
        )  # fmt: skip
        scores = padded(asked.select(set(asked.columns) & set(SCORES.polars)), SCORES)
    return Tables(
        finetunes=padded(frame.select(set(frame.columns) & set(FINETUNES.polars)), FINETUNES),
        scales=padded(scales.unique(["model", "revision"]), SCALES),
        scores=scores,
    )


@pytest.fixture(scope="module", autouse=True)
def quick() -> Any:
    """Fit with the cheaper intervals: what is said does not depend on them."""
    with pytest.MonkeyPatch.context() as patch:

        def law(**fields: Any) -> EmergenceLaw:
            return EmergenceLaw(**{**fields, "intervals": "iid", "resamples": 20, "cap": False})

        patch.setattr(emergence_law_cases, "EmergenceLaw", law)
        yield


@pytest.fixture(scope="module")
def tables() -> Tables:
    flat = FinetuningWorld(slope=0.0)
    return as_tables(
        simulated(),
        simulated("proofs", gap=0.0, prompted="used"),
        simulated("riddles", world=flat),
        shots=5,
    )


@pytest.fixture(scope="module")
def found(tables: Tables) -> EmergenceCases:
    cases = emergence_cases(tables, finetuned(tables))
    assert cases is not None
    return cases


@pytest.fixture(scope="module")
def folder(tables: Tables, found: EmergenceCases, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("forecasts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("upswing.report.write.emergence_cases", lambda *_: found)
        plain = replace(tables, scores=SCORES.empty())  # curves to judge would take seconds
        write_report(detect(plain, "loss", require_scales=False), plain, target)
    return target


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def case(found: EmergenceCases, task: str) -> emergence_law_cases.EmergenceCase:
    return next(case for case in found.cases if case.task == task)


def test_one_forecast_per_family_and_task(found: EmergenceCases) -> None:
    assert [one.task for one in found.cases] == ["proofs", "riddles", "sums"]
    assert [one.status for one in found.cases] == ["forecast", "refused", "forecast"]
    assert all(one.law.d0 == 5 and one.shots_known for one in found.cases)
    assert emergence_law_sentences(found) == [
        "2 of 3 abilities are forecast from finetuned models below."
    ]


def test_a_known_truth_holds_out_what_is_beyond_it(found: EmergenceCases) -> None:
    sums, proofs = case(found, "sums"), case(found, "proofs")
    assert sums.forecast is not None
    assert sums.law.before == sums.forecast.truth["elbow"]
    assert sums.forecast.rows.loss.min() > sums.law.before
    assert not proofs.checked
    assert proofs.forecast is not None
    others = [row["forecast"] for row in proofs.forecast.baselines]
    assert "mean truth of other tasks" in others  # that of sums, which is known


def test_the_forecast_is_said_in_words(found: EmergenceCases) -> None:
    sums = case(found, "sums")
    assert sums.forecast is not None
    said, measured, seen = card_text(sums)["sentences"]
    median, truth = sums.forecast.elbow["q50"], sums.forecast.truth
    assert median is not None
    assert said.startswith(
        "Models prompted with 5 solved examples are forecast to leave chance at a pretraining loss "
        f"of {median:.2f} nats/token (90 % interval "
    )
    assert f"measured to do so at {truth['elbow']:.2f}" in measured
    assert f"is {abs(median - truth['elbow']):.2g} nats/token off" in measured
    assert ("inside" if truth["inside_90"] else "outside") in measured
    assert "so that the forecast can be checked" in seen
    assert headline(sums).startswith(f"{median:.2f} nats/token (")


def test_a_refusal_says_why_and_what_to_do(found: EmergenceCases) -> None:
    riddles = case(found, "riddles")
    text = card_text(riddles)
    assert text["word"] == "no forecast"
    assert text["sentences"][0].startswith("No forecast: no amount of data emerges on any model")
    assert any("Finetune checkpoints of more losses" in step for step in text["next"])
    assert baseline_rows(riddles) == []
    assert headline(riddles) == "no forecast"


def test_what_is_refused_leads_nothing(found: EmergenceCases) -> None:
    sums = case(found, "sums")
    assert sums.forecast is not None
    assert "Lead in compute" in dict(card_text(sums)["facts"])
    refused = replace(sums, forecast=replace(sums.forecast, status="refused"))
    assert "Lead in compute" not in dict(card_text(refused)["facts"])


def test_beyond_reach_is_no_never(found: EmergenceCases) -> None:
    sums = case(found, "sums")
    assert sums.forecast is not None
    beyond = replace(
        sums, forecast=replace(sums.forecast, status="beyond reach", p_beyond_reach=0.8)
    )
    text = card_text(beyond)
    assert "probability 80%" in text["sentences"][0]
    assert text["sentences"][1].startswith("The forecast is wrong: they were measured")
    assert "Do not read this as never" in text["next"][-1]


def test_baselines_stand_beside_the_law(found: EmergenceCases) -> None:
    rows = baseline_rows(case(found, "sums"))
    assert [row["own"] for row in rows] == [True, True, False, False]
    assert all(row["within"] in ("yes", "no") for row in rows)
    unknown = baseline_rows(case(found, "proofs"))
    assert {row["error"] for row in unknown} == {"–"}


def test_a_forecast_that_cannot_be_checked_is_to_be_written_down(found: EmergenceCases) -> None:
    assert any("Write the forecast down" in step for step in next_steps(case(found, "proofs")))
    assert not any("Write the forecast" in step for step in next_steps(case(found, "sums")))


def test_the_page_has_the_cards_the_figures_and_the_tables(html: str, folder: Path) -> None:
    text = text_of(html)
    assert "Will the next model have it?" in text
    assert "2 of 3 abilities are forecast" in text
    assert "arXiv:2411.16035" in text
    page = Page(html)
    assert "#forecasts" in [attrs.get("href") for tag, attrs in page.tags if tag == "a"]
    assert len(set(page.ids)) == len(page.ids)
    data = data_of(html)
    assert {"fan-0", "elbow-0", "fan-1", "fan-2", "elbow-2"} <= set(data["figures"])
    assert "elbow-1" not in data["figures"]
    for name in ("fan-0/light", "fan-0/dark", "elbow-2/dark"):
        assert "datasets" not in data["templates"][name]
    written = {path.stem for path in (folder / "tables").glob("emergence_*.csv")}
    assert written == set(EMERGENCE_TABLES)
    forecasts = pl.read_csv(folder / "tables" / "emergence_forecasts.csv")
    assert forecasts["status"].to_list() == ["forecast", "refused", "forecast"]
    points = pl.read_csv(folder / "tables" / "emergence_points.csv")
    assert set(points["task"]) == {"sums", "proofs", "riddles"}


def test_a_fit_that_stops_is_a_sentence(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    def stops(*_: Any, **__: Any) -> None:
        raise InputError("no finetuned model <i>to fit</i>", where="a.csv:3", hint="none")

    monkeypatch.setattr(EmergenceLaw, "fit", stops)
    broken = emergence_cases(tables, finetuned(tables))
    assert broken is not None
    text = card_text(broken.cases[0])
    assert text["sentences"][0] == "No forecast: a.csv:3: no finetuned model <i>to fit</i> (none)."
    assert emergence_law_sentences(broken)[0].startswith("No ability can be forecast")
    assert {"fan-0", "fan-1", "fan-2"} == set(emergence_law_figures(broken)[1])
    assert broken.tables()["emergence_baselines"] is None


def test_a_table_that_cannot_be_read_is_a_sentence() -> None:
    frame = simulated().with_columns(pl.lit("acc").alias("metric"), pl.col("value") * 100)
    tables = as_tables(frame)
    broken = emergence_cases(tables, finetuned(tables))
    assert broken is not None
    assert broken.cases[0].table is None
    assert "outside 0 to 1" in card_text(broken.cases[0])["sentences"][0]
    assert emergence_law_figures(broken) == ({}, {})
    assert emergence_law_section(broken)["cards"][0]["fan"] is None


def test_losses_on_different_texts_are_not_compared() -> None:
    tables = as_tables(simulated())
    place = pl.int_range(pl.len()) % 2
    mixed = tables.scales.with_columns(place.cast(pl.String).alias("loss_corpus"))
    broken = emergence_cases(replace(tables, scales=mixed), finetuned(tables))
    assert broken is not None
    assert "different texts" in broken.cases[0].reason


def test_shots_that_are_not_known_are_assumed() -> None:
    tables = as_tables(simulated(gap=0.26))
    cases = emergence_cases(tables, finetuned(tables))
    assert cases is not None
    assert cases.cases[0].law.d0 == DEFAULT_D0
    assert ("Solved examples in the prompt, D₀", "5, assumed") in card_text(cases.cases[0])["facts"]


def test_exact_match_is_forecast_before_others() -> None:
    frame = simulated(gap=0.26)
    named = [frame.with_columns(pl.lit(name).alias("metric")) for name in
             ("target_logprob", "acc", "exact_match", "brier")]  # fmt: skip
    tables = as_tables(*named)
    cases = emergence_cases(tables, finetuned(tables))
    assert cases is not None
    assert len(cases.cases) == 1
    assert cases.cases[0].metric == "exact_match"
    assert cases.cases[0].other_metrics[0] == "acc"


def test_nothing_is_forecast_from_one_amount_or_without_losses() -> None:
    one = as_tables(simulated().filter(pl.col("d").is_null() | (pl.col("d") == 256)))
    assert emergence_cases(one, finetuned(one)) is None
    many = as_tables(simulated())
    unknown = many.scales.with_columns(pl.lit(None, pl.Float64).alias("loss"))
    no_loss = replace(many, scales=unknown)
    assert emergence_cases(no_loss, finetuned(no_loss)) is None
    assert emergence_cases(Tables(), None) is None


def test_more_than_are_fitted_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emergence_law_cases, "MOST_FORECASTS", 1)
    tables = as_tables(*(simulated(task, gap=0.26) for task in ("a", "b", "c")))
    cases = emergence_cases(tables, finetuned(tables))
    assert cases is not None
    assert (len(cases.cases), cases.more) == (1, 2)


def test_names_are_text_and_nothing_else(tmp_path: Path) -> None:
    parts = [simulated(name, name, gap=0.26) for name in HOSTILE]
    tables = as_tables(*parts)
    path = write_report(detect(tables, "loss", require_scales=False), tables, tmp_path / "out")
    page = Page(path.read_text(encoding="utf-8"))
    assert not {tag for tag, _ in page.tags} & {"img", "iframe", "object", "embed", "link", "base"}
    assert sum(tag == "script" for tag, _ in page.tags) == 3
    text = " ".join(page.text)
    assert not any(mark in text for mark in ("\u202e", "\u2028", "\x00"))
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


def test_a_report_without_amounts_has_nothing_of_it(tmp_path: Path) -> None:
    tables = as_tables(simulated(gap=0.26).filter("few_shot"))
    path = write_report(detect(tables, "loss", require_scales=False), tables, tmp_path)
    html = path.read_text(encoding="utf-8")
    assert "Will the next model" not in html
    assert "section.forecast" not in html
    assert not list((tmp_path / "tables").glob("emergence_*"))
