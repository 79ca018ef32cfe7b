"""The section on easy and hard questions: what it says of known worlds, tables, and its absence."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from upswing import Tables, detect, read
from upswing.charts.difficulty_groups import difficulty_groups
from upswing.difficulty.shapes.drifting_null import Drift, drifting_answers, group_means
from upswing.report.difficulty_groups_section import (
    DIFFICULTY_TABLES,
    difficulty_figures,
    difficulty_section,
)
from upswing.report.difficulty_movement import opposite_movement
from upswing.report.difficulty_tasks import (
    LEAST_QUESTIONS,
    MOST_DRAWN,
    WORLDS,
    Difficulty,
    DifficultyTask,
    difficulty_tasks,
    turns_beyond_sorting,
)
from upswing.report.difficulty_text import task_sentences
from upswing.report.payload import bare
from upswing.report.write import write_report

from .answers import QUIZ, SUMS, answers, with_scores
from .conftest import HOSTILE
from .test_write import Page

X = np.linspace(20, 24, 24)
QUESTIONS = 600
LIMIT = 1.0


def group_table(folder: Path, task: str, scores: np.ndarray) -> Path:
    """Write minus TC Brier scores of three groups, shape (24, 3), as a table like Wu and Lo's."""
    step = QUESTIONS // 3
    names = [f"{i * step}_{(i + 1) * step}" for i in range(3)]
    groups = ",".join(f"{name}_brier,{name}_san" for name in names)
    lines = [f"Model,Model Family,Model Size (B),FLOPs (1E21),{groups},acc,brier,san"]
    for i, (x, row) in enumerate(zip(X.tolist(), -scores, strict=True)):
        cells = ",".join(f"{value!r},0.9" for value in row.tolist())
        whole = float(row.mean())
        lines.append(f"org/m{i:02},F{i % 8},1,{10 ** (x - 21)!r},{cells},{1 - whole},{whole},0.9")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{task}_instance_brier_-1000_{10**LIMIT}_3_redist.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def turning() -> np.ndarray:
    """The easiest third falls by .6 to 1e22 FLOP and rises again; the hardest rises as it falls."""
    rng = np.random.default_rng(1)
    before, after = np.minimum(X - 20, 2), np.maximum(X - 22, 0)
    easy = -0.08 - 0.3 * before + 0.31 * after
    hard = -0.98 + 0.3 * before + 0.1 * after
    middle = -0.55 + 0.1 * after
    return np.column_stack([easy, middle, hard]) + 0.005 * rng.standard_normal((24, 3))


def knowing_nothing() -> np.ndarray:
    """Models without ability, questions sorted by those up to 1e22 FLOP."""
    drawn = drifting_answers(X, Drift(0.7, 0.9), QUESTIONS, np.random.default_rng(5))
    return group_means(drawn.gain("brier"), X <= 22, 3).T.astype(float)


def found_in(tables: Tables, axis: Any = "flops", **selection: Any) -> Difficulty:
    judged = tables if selection else Tables()  # without curves, which take the most time
    detection = detect(judged, axis, require_scales=False, **selection)
    found = difficulty_tasks(tables, detection)
    assert found is not None
    return found


def report(tables: Tables, folder: Path) -> tuple[str, dict[str, Any]]:
    """Write a report without curves, and return the page and its data."""
    detection = detect(Tables(), "flops", require_scales=False)
    html = write_report(detection, tables, folder).read_text(encoding="utf-8")
    data = re.search(r'id="report-data">(.*?)</script>', html, re.DOTALL)
    assert data is not None
    return html, json.loads(data[1])


def text_of(html: str) -> str:
    return " ".join(" ".join(Page(html).text).split())


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder = tmp_path_factory.mktemp("groups")
    group_table(folder, "turns", turning())
    group_table(folder, "nothing", knowing_nothing())
    return read(folder)


@pytest.fixture(scope="module")
def found(grouped: Tables) -> Difficulty:
    return found_in(grouped)


@pytest.fixture(scope="module")
def tasks(found: Difficulty) -> dict[str, DifficultyTask]:
    return {task.setting.task: task for task in found.tasks}


@pytest.fixture(scope="module")
def folder(grouped: Tables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("report")
    report(grouped, target)
    return target


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def test_a_true_turn_is_told_from_one_that_sorting_makes(tasks: dict[str, DifficultyTask]) -> None:
    easy = tasks["turns"].ends.row(0, named=True)
    assert easy["shape"] == "u-then-rise"
    assert easy["p_value_null"] == pytest.approx(1 / (WORLDS + 1))
    assert turns_beyond_sorting(tasks["turns"])
    easy, hard = tasks["nothing"].ends.iter_rows(named=True)
    assert (easy["shape"], hard["shape"]) == ("inverted-u", "u-then-rise")
    assert max(easy["p_value"], hard["p_value"]) < 0.05 < easy["p_value_null_holm"]
    assert not turns_beyond_sorting(tasks["nothing"])


def test_the_task_that_turns_comes_first(found: Difficulty) -> None:
    assert [task.setting.task for task in found.tasks] == ["turns", "nothing"]
    assert (
        "In 2 the easiest or the hardest questions surely turn; of 2 compared with worlds without "
        "ability, 1 turns more than sorting alone explains."
    ) in difficulty_section(found)["sentence"]


def test_what_cancels_is_measured(tasks: dict[str, DifficultyTask]) -> None:
    opposite = tasks["turns"].opposite
    assert opposite is not None
    assert opposite.low == pytest.approx(-1.0)  # 1e20 FLOP
    assert opposite.high == pytest.approx(1.0, abs=0.3)
    assert opposite.easy == pytest.approx(-0.6, abs=0.1)
    assert opposite.hard == pytest.approx(0.6, abs=0.1)
    assert opposite.cancels


def test_it_is_said_in_words(tasks: dict[str, DifficultyTask]) -> None:
    first, second, third, fourth = task_sentences(tasks["turns"])
    assert first.startswith("The easiest third falls and then rises above its start (p ")
    assert first.endswith("more than sorting alone makes (corrected p = 0.03).")
    assert second.startswith("The hardest third rises (p < 0.001)")
    assert re.match(r"From 1\.0e20 to \S+e2[12] FLOP the easiest third changes by −0\.[56]", third)
    assert third.endswith("they cancel.")
    assert re.match(r"The easiest third turns from falling to rising at (9|1)\.\de2[12] ", fourth)
    words = " ".join(task_sentences(tasks["nothing"]))
    assert "rises and then falls (p " in words
    assert "but sorting alone makes as much" in words


def test_opposite_ways_need_both_and_enough_models() -> None:
    x = np.linspace(0, 3, 20)
    noise = 0.02 * np.random.default_rng(0).standard_normal((3, 20))
    assert opposite_movement(x, x + noise[0], x + noise[1], x + noise[2]) is None
    apart = opposite_movement(x, noise[0] + x, noise[1] - x, noise[2] + 0.8 * x)
    assert apart is not None
    assert not apart.cancels
    assert opposite_movement(x[:5], x[:5], -x[:5], 0 * x[:5]) is None


def test_the_page_holds_the_section(html: str) -> None:
    page = Page(html)
    assert len(set(page.ids)) == len(page.ids)
    links = [attrs["href"] or "" for tag, attrs in page.tags if tag == "a"]
    assert "#difficulty" in links
    assert all(link[1:] in page.ids for link in links)
    text = text_of(html)
    assert f"{WORLDS} worlds are drawn of each of four settings" in text
    assert "600 questions in 3 groups, by − TC Brier score over the models up to 1.0e22" in text
    assert re.search(r"turns groups from a table easiest 200 24 .{0,60}u-then-rise", text)


def test_the_tables_are_beside_the_page(found: Difficulty, folder: Path) -> None:
    frames = {name: pl.read_csv(folder / "tables" / f"{name}.csv") for name in DIFFICULTY_TABLES}
    assert frames["difficulty_tasks"]["task"].to_list() == ["turns", "nothing"]
    assert frames["difficulty_tasks"]["null_worlds"].to_list() == [WORLDS] * 2
    assert len(frames["difficulty_groups"]) == 2 * 24 * 3
    expected = [task.shapes["p_value_null"].to_list() for task in found.tasks]
    assert frames["difficulty_shapes"]["p_value_null"].to_list() == list(chain(*expected))
    assert (frames["difficulty_null"]["low"] <= frames["difficulty_null"]["high"]).all()
    turn = found.tasks[0].turn
    assert turn is not None
    assert frames["difficulty_tasks"]["turn"][0] == turn.place.x


def test_figures_are_the_charts_with_plain_data(found: Difficulty) -> None:
    templates, figures = difficulty_figures(found)
    task = found.tasks[0]
    points = figures["groups-0"]["data"]["points"]
    assert points["rows"] == 24 * 3
    assert points["columns"]["model"][:2] == ["m00", "m01"]
    assert figures["shapes-0"]["data"]["points"]["rows"] == 24 * 3
    assert figures["shapes-0"]["data"]["lines"]["rows"] == len(task.null.lines)  # type: ignore[union-attr]
    for mode in ("light", "dark"):
        chart = difficulty_groups(
            task.curves.points,
            task.curves.curves,
            title="turns",
            width="container",
            height=300,
            mode=mode,
        )
        spec = bare(chart)
        spec.pop("datasets")
        text = json.dumps(spec)
        for flat in re.findall(r'\{"flatten": \[[^]]*\]\}(?:, )?', text):
            text = text.replace(flat, "")
        assert templates[f"groups-0/{mode}"] == json.loads(text)
    panels = templates["shapes-0/dark"]["concat"]
    named = [layer["data"]["name"] for panel in panels for layer in panel["layer"]]
    assert set(named) == {"points", "lines"}
    chosen = [layer["transform"][0]["filter"] for panel in panels for layer in panel["layer"]]
    assert chosen == [f"datum.place === {i}" for i in (1, 2, 3) for _ in range(3)]


def test_options_and_right_answers() -> None:
    found = found_in(answers(models=8))
    options, right = sorted(found.tasks, key=lambda task: task.setting.kind, reverse=True)
    assert (options.setting.task, options.setting.kind) == (QUIZ, "options")
    assert (right.setting.task, right.setting.kind) == (SUMS, "answers")
    assert options.shapes["p_value_null"].is_not_null().all()
    assert right.shapes["p_value_null"].is_null().all()
    assert right.shapes.sort("easiness_rank")["group"].to_list() == [2, 1, 0]
    assert options.curves.points["group"].n_unique() == 120 // 20
    section = difficulty_section(found)
    assert {block["setting"] for block in section["blocks"]} == {
        "5-shot",
        "0-shot · right or wrong",
    }
    assert {"groups-0", "groups-1"} <= set(difficulty_figures(found)[1])


def test_right_answers_are_those_of_the_log() -> None:
    items = answers(models=8).items.filter(pl.col("option_logprobs").is_null())
    tables = with_scores(Tables(items=items, scales=answers(models=8).scales))
    task = found_in(tables).tasks[0]
    assert task.tested.metric == "acc"
    expected = items.group_by("model").agg(pl.col("correct").cast(pl.Float64).mean())
    whole = dict(zip(task.tested.models["model"], task.tested.whole["acc"], strict=True))
    assert whole == pytest.approx(dict(expected.iter_rows()))


def test_checkpoints_of_a_run_are_one_cluster() -> None:
    tables = answers(models=8)
    tokens = pl.col("flops") / 6e9
    scales = tables.scales.with_columns(tokens.alias("tokens"), pl.lit(1e9).alias("params"))
    names = pl.col("model").str.slice(-1).cast(pl.Int64)
    run = pl.format("run{}", names % 2).alias("model")
    renamed = [
        frame.with_columns(pl.format("step{}", names).alias("revision"), run)
        for frame in (tables.items, tables.scores, scales)
    ]
    found = found_in(Tables(items=renamed[0], scores=renamed[1], scales=renamed[2]), "tokens")
    assert found.checkpoints
    quiz = next(task for task in found.tasks if task.setting.kind == "options")
    assert len(quiz.tested.models) == 8
    assert quiz.clusters == "runs"
    assert sorted(set(quiz.tested.clusters)) == ["run0", "run1"]
    assert difficulty_section(found)["points"] == "checkpoints"
    names_drawn = difficulty_figures(found)[1]["groups-0"]["data"]["points"]["columns"]["model"]
    assert "run0 step2" in names_drawn


def test_few_models_are_drawn_and_not_tested() -> None:
    found = found_in(answers(models=4))
    assert all(task.turn is None and task.null is None for task in found.tasks)
    words = task_sentences(found.tasks[0])
    assert words == ["4 points: too few to test a shape (6 to 200)."]
    section = difficulty_section(found)
    assert "Too few models" in section["sentence"]
    assert {row["shape"] for row in section["rows"]} == {"not tested"}
    assert section["worlds"] == ""


def test_few_questions_and_unknown_compute_are_left_out() -> None:
    tables = answers(questions=LEAST_QUESTIONS - 1)
    detection = detect(Tables(), "flops", require_scales=False)
    assert difficulty_tasks(tables, detection) is None
    tables = answers()
    no_compute = replace(tables, scales=tables.scales.with_columns(flops=pl.lit(None, pl.Float64)))
    assert difficulty_tasks(no_compute, detection) is None


def test_what_the_selection_left_out_is_left_out_here() -> None:
    tables = answers(models=8)
    assert {task.setting.task for task in found_in(tables, task=SUMS).tasks} == {SUMS}


def test_most_are_drawn_and_all_are_listed(tmp_path: Path) -> None:
    for i in range(MOST_DRAWN + 1):
        group_table(tmp_path, f"task{i}", turning()[:, ::-1] if i else turning())
    found = found_in(read(tmp_path))
    assert (len(found.tasks), found.drawn) == (MOST_DRAWN + 1, MOST_DRAWN)
    assert found.tasks[0].setting.task == "task0"
    section = difficulty_section(found)
    assert (len(section["blocks"]), section["more"]) == (MOST_DRAWN, 1)
    assert len(section["rows"]) == 3 * len(found.tasks)
    assert found.tasks[-1].shapes["p_value_null"].is_null().all()


def test_names_are_text_and_nothing_else(grouped: Tables, tmp_path: Path) -> None:
    few = grouped.scores.filter(pl.col("task").str.starts_with("turns")).filter(
        pl.col("model").is_in(grouped.scores["model"].unique().sort()[:4].implode())
    )
    scores = [
        few.with_columns(
            pl.concat_str(pl.lit(name), pl.col("task").str.strip_prefix("turns")).alias("task"),
            pl.lit(name).alias("family"),
        )
        for name in HOSTILE
    ]
    html, data = report(Tables(scores=pl.concat(scores), scales=grouped.scales), tmp_path)
    page = Page(html)
    tags = {tag for tag, _ in page.tags}
    assert {f"groups-{i}" for i in range(MOST_DRAWN)} <= set(data["figures"])
    assert "img" not in tags
    assert sum(tag == "script" for tag, _ in page.tags) == 3
    assert not any(key.startswith("on") and tag != "form" for tag, a in page.tags for key in a)
    assert not list(tmp_path.glob("../**/escaped*"))


def test_there_is_no_section_without_questions_or_groups(
    grouped: Tables, folder: Path, tmp_path: Path
) -> None:
    report(grouped, tmp_path)
    for name in DIFFICULTY_TABLES:  # the same seed gives the same bytes
        path = Path("tables") / f"{name}.csv"
        assert (tmp_path / path).read_bytes() == (folder / path).read_bytes()
    whole = grouped.scores.filter(pl.col("level") == "task")
    html, data = report(Tables(scores=whole, scales=grouped.scales), tmp_path)
    assert 'id="difficulty"' not in html
    assert ".difficulty" not in html
    assert not any(name.startswith(("groups-", "shapes-")) for name in data["figures"])
    assert not list((tmp_path / "tables").glob("difficulty_*"))


@pytest.mark.data
def test_the_published_tables_have_their_section(shared_data: Path) -> None:
    folder = shared_data / "tony10101105" / "ExpEmergence@288b731" / "data" / "mmlu"
    tables = read(folder)
    (task,) = found_in(tables).tasks
    assert task.setting.task == "mmlu"
    assert task.curves.points["group"].n_unique() == 10
    assert int(task.tested.edges[-1]) == 14042
    assert len(task.tested.models) == 59
    assert task.opposite is not None
    assert task.opposite.easy < 0 < task.opposite.hard
    assert task.opposite.cancels


def test_a_turn_can_be_beyond_sorting_in_ten_groups_too(tmp_path: Path) -> None:
    """P-values are corrected over the groups, so ten need more worlds than three."""
    before, after = np.minimum(X - 20, 2), np.maximum(X - 22, 0)
    easy = -0.08 - 0.3 * before + 0.31 * after
    noise = 0.005 * np.random.default_rng(1).standard_normal((24, 10))
    scores = np.column_stack([easy, *[-0.5 - 0.02 * k + 0.1 * after for k in range(9)]]) + noise
    names = [f"{i * 60}_{(i + 1) * 60}" for i in range(10)]
    lines = [
        "Model,Model Family,Model Size (B),FLOPs (1E21)," + ",".join(f"{n}_brier" for n in names)
    ]
    for i, (x, row) in enumerate(zip(X.tolist(), -scores, strict=True)):
        cells = ",".join(repr(value) for value in row.tolist())
        lines.append(f"org/m{i:02},F{i % 8},1,{10 ** (x - 21)!r},{cells}")
    path = tmp_path / f"tens_instance_brier_-1000_{10**LIMIT}_10_redist.csv"
    path.write_text("\n".join(lines) + "\n")
    (task,) = found_in(read(path)).tasks
    assert task.tested.count == 10
    easiest = task.ends.row(0, named=True)
    assert easiest["shape"] == "u-then-rise"
    assert turns_beyond_sorting(task)


def test_models_without_judged_answers_or_options_are_told() -> None:
    tables = answers(models=8)
    first = pl.col("model") == tables.scales["model"][0]
    gone = [
        pl.when(~first).then(name).alias(name)
        for name in ("option_logprobs", "target_index", "correct", "output")
    ]
    found = found_in(replace(tables, items=tables.items.with_columns(gone)))
    assert {len(task.tested.models) for task in found.tasks} == {7}
    told = {task.setting.kind: [note.code for note in task.notes] for task in found.tasks}
    assert "models-without-options" in told["options"]
    assert "models-left-out" in told["answers"]
