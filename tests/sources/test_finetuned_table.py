"""Tables of finetuned models by hand: runs are not scores of the models they start from."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from upswing import read
from upswing.curves.finetuned import finetuned
from upswing.errors import InputError
from upswing.forecast.finetuning.emergence_law import EmergenceLaw
from upswing.forecast.finetuning.table import finetune_table, read_finetunes
from upswing.report import emergence_law_cases
from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning

HEADER = "model,params,tokens,flops,loss,task,d,draw,seed,metric,value,n,few_shot\n"
ROW = "m,1e8,1e9,6e17,2.5,sums,{d},0,0,acc,{value},500,{few_shot}\n"


@pytest.fixture
def simulated(tmp_path):
    world = FinetuningWorld(draws=2, questions=2000, amounts=(256, 1448, 8192))
    frame = simulate_finetuning(world, np.random.default_rng(0), prompted="all", gap=None)
    path = tmp_path / "tuned.csv"
    frame.write_csv(path)
    return path


def table(tmp_path, text, name="tuned.csv"):
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


def test_runs_are_finetunes_and_only_prompted_models_are_scores(simulated):
    tables = read(simulated)
    assert len(tables.finetunes) == 24 * (3 * 2 + 1)
    assert len(tables.scores) == tables.finetunes["few_shot"].sum() == 24
    assert len(tables.scales) == 24
    assert tables.scales["loss"].null_count() == 0
    assert set(tables.finetunes["d"].drop_nulls()) == {256, 1448, 8192}
    assert tables.files["reader"].to_list() == ["table of finetuned models"]
    assert tables.scores["higher_is_better"].all()


def test_a_reading_and_the_table_itself_give_one_law(simulated):
    first, second = (finetune_table(data).rows(5.0) for data in
                     (read(simulated), read_finetunes(simulated)))  # fmt: skip
    for name in ("loss", "amount", "value", "questions", "draw", "few_shot"):
        assert np.array_equal(getattr(first, name), getattr(second, name))


def test_a_report_forecasts_from_it(simulated, monkeypatch):
    monkeypatch.setattr(emergence_law_cases, "RESAMPLES", 0)
    monkeypatch.setattr(
        emergence_law_cases, "EmergenceLaw", lambda **said: EmergenceLaw(**said, intervals="iid")
    )
    tables = read(simulated)
    found = emergence_law_cases.emergence_cases(tables, finetuned(tables))
    (case,) = found.cases
    assert (case.status, case.task, case.checked) == ("forecast", "simulated", True)


def test_shots_of_prompted_models_are_read(tmp_path):
    text = HEADER.strip() + ",n_shot\n"
    text += ROW.format(d=64, value=0.2, few_shot="no").strip() + ",\n"
    text += ROW.format(d="", value=0.1, few_shot="yes").strip() + ",3\n"
    assert read(table(tmp_path, text)).scores["n_shot"].to_list() == [3]


def test_a_revision_may_be_said_or_left_empty(tmp_path):
    text = HEADER.strip() + ",revision\n" + ROW.format(d=64, value=0.2, few_shot="").strip()
    for name in ("", "step5"):
        tables = read(table(tmp_path, f"{text},{name}\n"))
        assert tables.finetunes["revision"].to_list() == tables.scales["revision"].to_list()
        assert tables.scales["revision"].to_list() == [name]


def test_windows_line_ends_and_few_shot_with_a_d(tmp_path):
    text = HEADER + ROW.format(d=64, value=0.2, few_shot=0) + ROW.format(d=5, value=0.1, few_shot=1)
    tables = read(table(tmp_path, text.replace("\n", "\r\n")))
    assert tables.finetunes["few_shot"].to_list() == [False, True]
    assert tables.scores["value"].to_list() == [0.1]


def test_prompted_models_that_were_measured_twice_are_no_curve(tmp_path):
    rows = [ROW.format(d="", value=value, few_shot=True) for value in (0.1, 0.2)]
    tables = read(table(tmp_path, HEADER + "".join(rows)))
    assert tables.scores.is_empty()
    assert tables.finetunes["value"].to_list() == [0.1, 0.2]
    assert "prompted-repeated" in [note.code for note in tables.notes]


def test_what_is_left_out_is_told(tmp_path):
    text = HEADER.strip() + ",Draw\n"
    text += ROW.format(d=64, value="nan", few_shot="").strip() + ",1\n"
    text += ROW.format(d=128, value=0.5, few_shot="").strip() + ",1\n"
    tables = read(table(tmp_path, text))
    said = {note.code: note.message for note in tables.notes}
    assert said["columns-ignored"].endswith("left out: Draw.")
    assert said["value-missing"].endswith("1 row without a finite value left out.")
    assert tables.finetunes["d"].to_list() == [128]


@pytest.mark.parametrize(
    ("d", "value", "few_shot", "message"),
    [
        ("", 0.2, False, "2: a finetuned model without D.*few_shot = true"),
        ("12 ex", 0.2, False, "2: column 'd' holds '12 ex'"),
        (-1, 0.2, False, "2: d is impossible"),
        ("1e300", 0.2, False, "2: column 'd' holds no whole number"),
        ("inf", 0.2, False, "2: d is impossible"),
        (0.5, 0.2, False, "2: column 'd' holds no whole number"),
        (64, 0.2, "perhaps", "2: few_shot is 'perhaps'"),
        ("", 20, True, "2: acc of 20 on sums is outside.*percent"),
    ],
)
def test_impossible_cells_stop_with_their_line(tmp_path, d, value, few_shot, message):
    with pytest.raises(InputError, match=message):
        read(table(tmp_path, HEADER + ROW.format(d=d, value=value, few_shot=few_shot)))


def test_a_tidy_table_with_a_loss_is_still_one(tmp_path):
    tables = read(table(tmp_path, "model,task,value,loss\nm,t,0.5,2.5\n"))
    assert (len(tables.scores), len(tables.finetunes)) == (1, 0)


def test_parquet(tmp_path, simulated):
    path = tmp_path / "tuned.parquet"
    pl.read_csv(simulated).write_parquet(path)
    assert read(path).finetunes.drop("source").equals(read(simulated).finetunes.drop("source"))
