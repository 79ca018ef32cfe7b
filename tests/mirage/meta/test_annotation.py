"""Reading a table of hand-annotated tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from upswing.errors import InputError
from upswing.mirage.meta.annotation import ANNOTATION, read_annotation


def test_a_table_with_and_without_what_is_optional(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("task,category\nb,emergent with PaLM\na,flat\n")
    found = read_annotation(path)
    assert found.columns == list(ANNOTATION)
    assert found.rows() == [
        ("a", "flat", False, None, None),
        ("b", "emergent with PaLM", True, None, None),
    ]
    path.write_text("task,wei_category,preferred_metric,first_emerges_at\na,emergent_x,None,GPT\n")
    assert read_annotation(path).rows() == [("a", "emergent_x", True, "GPT", None)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("task,x\na,b\n", r"a\.csv:1: column 'wei_category' is missing"),
        ("x,category\na,b\n", r"a\.csv:1: column 'task' is missing \(the columns are x, category"),
        ("task,category\na,\n", r"a\.csv:2: column 'category' is empty"),
        ("task,category\na,flat\nb,flat\nb,smooth\n", r"a\.csv:4: task 'b' is annotated twice"),
        ("", r"a\.csv:1: the file is empty"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_annotation(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_annotation(tmp_path / "none.csv")


@pytest.mark.data
def test_weis_list(shared_data: Path) -> None:
    """202 tasks, 67 of them emergent (arXiv:2206.07682, appendix E)."""
    found = read_annotation(shared_data / "tables" / "wei_handannotated_bigbench.csv")
    assert (len(found), found["emergent"].sum()) == (202, 67)
    counts = dict(found["category"].value_counts().iter_rows())
    assert (counts["emergent_gpt3_lamda"], counts["emergent_palm"]) == (25, 42)
    assert found["first_emerges_at"].is_not_null().sum() == 67
