"""``upswing ls`` and ``upswing report`` on a store of finetuned models without scores."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sample_finetunes import finetune_rows, finetune_tables
from upswing import write_store
from upswing.cli import run


@pytest.fixture
def store(tmp_path: Path) -> str:
    write_store(finetune_tables(finetune_rows()), tmp_path / "store")
    return str(tmp_path / "store")


def test_ls_lists_finetuned_models(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ls", store, "--by", "finetune", "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["task"], row["method"], row["runs"]) == ("sums", "full", 24)


def test_ls_says_that_there_are_some(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ls", store, "--format", "json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == []
    assert "--by finetune" in printed.err


def test_report_of_finetunes_without_scores(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", store, "--axis", "loss", "--out", str(tmp_path / "out")]) == 0
    html = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert 'id="finetuned"' in html
    assert (tmp_path / "out" / "tables" / "finetuned_gains.csv").exists()
