"""Groups that were read: a table by hand, renamed, from a store, and those that are missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from upswing import read, write_store
from upswing.difficulty.groups.group_curves import overall_performance
from upswing.difficulty.groups.source import group_source, groups_at
from upswing.difficulty.sandwich.sandwich_data import sandwich_data
from upswing.errors import InputError, UnknownNameError

HEADER = "Model,Model Family,Model Size (B),FLOPs (1E21)"
THIRDS = "0_3_brier,0_3_san,3_6_brier,3_6_san,6_10_brier,6_10_san,acc,brier,san"


def table(path: Path, models: int = 9) -> Path:
    """A table of ten questions in three groups, one model without FLOPs."""
    lines = [f"{HEADER},{THIRDS}"]
    for i in range(models):
        easy, middle, hard = 0.3 - 0.01 * i, 0.5, 0.8 - 0.02 * i**1.5 / models
        whole = 0.3 * easy + 0.3 * middle + 0.4 * hard
        flops = "" if i == 4 else 10 ** (-1 + 0.4 * i)
        lines.append(
            f"org/m{i},F,1,{flops},{easy},0.9,{middle},0.9,{hard},0.8,{1 - whole},{whole},0.86"
        )
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def folder(tmp_path):
    for limit in ("10.0", "3.1622776601683795"):
        table(tmp_path / f"sums_instance_brier_-1000_{limit}_3_redist.csv")
    return tmp_path


def test_groups_are_read_as_they_are(folder):
    groups = group_source(read(folder), "sums").groups(3, "brier", 0.5)
    assert groups.edges.tolist() == [0, 3, 6, 10]
    assert groups.published
    assert groups.limit == 0.5
    assert groups.models["model"].to_list()[-1] == "org/m4"  # the one without FLOPs
    assert groups.values["tc_brier"][0] == pytest.approx([0.3, 0.5, 0.8])
    assert groups.values["option_mass"][0] == pytest.approx([0.9, 0.9, 0.8])
    assert np.isnan(groups.errors["tc_brier"]).all()
    assert groups.scores()["stderr"].null_count() == 27
    assert len(sandwich_data(groups, 0.5).x) == 8


def test_the_whole_task_is_one_group(folder):
    source = group_source(read(folder), "sums")
    whole = source.groups(1, "accuracy")
    assert whole.edges.tolist() == [0, 10]
    assert whole.values["acc"][:, 0] == pytest.approx(whole.whole["acc"])
    points = overall_performance(source, "tc_brier").points
    assert points["score"].to_list() == [-value for value in points["value"]]
    assert len(points) == 8


def test_what_is_missing_is_named(folder):
    source = group_source(read(folder), "sums")
    with pytest.raises(InputError, match=r"sorted at several limits: 0\.5, 1\.0"):
        source.groups(3)
    message = (
        r"no table of sums in 10 groups by acc, sorted by models up to 10e21 FLOP, was read, such "
        r"as acc_sums_instance_brier_-1000_10\.0_10_redist\.csv .groups that are there: 3 by "
        r"tc_brier at 0\.5, 3 by tc_brier at 1; from answers"
    )
    with pytest.raises(InputError, match=message):
        source.groups(10, "accuracy", 1.0)
    with pytest.raises(InputError, match=r"by tc_brier_undistributed.*_undist\.csv"):
        source.groups(3, "brier", 1.0, redistributed=False)


def test_names(folder):
    tables = read(folder)
    assert group_source(tables).task == "sums"
    with pytest.raises(
        UnknownNameError, match=r"'other' is not one task with groups .there are sums"
    ):
        group_source(tables, "other")


def test_a_table_without_groups(tmp_path):
    (tmp_path / "t.csv").write_text("model,params,task,value,n\na,1e8,x,0.1,50\n")
    with pytest.raises(InputError, match=r"neither answers .* nor scores of groups"):
        group_source(read(tmp_path / "t.csv"))


def test_a_renamed_copy_is_any_task(folder, tmp_path):
    copy = table(tmp_path / "copy.csv")
    tables = read(copy)
    assert group_source(tables, "whatever").task == "whatever"
    groups = groups_at(group_source(tables, "whatever"), 3, "brier", 0.7)
    named = group_source(read(folder), "sums").groups(3, "brier", 1.0)
    assert groups.values["tc_brier"] == pytest.approx(named.values["tc_brier"])
    assert groups.limit is None
    assert groups.chance is None


def test_a_table_sorted_at_one_other_limit_is_taken_with_a_note(folder):
    one = read(folder / "sums_instance_brier_-1000_10.0_3_redist.csv")
    groups = groups_at(group_source(one), 3, "brier", 0.5)
    assert [(n.code, n.severity) for n in groups.notes] == [("sorted-elsewhere", "warning")]
    assert groups_at(group_source(one), 3, "brier", 1.0).notes == ()
    both = group_source(read(folder), "sums")
    with pytest.raises(InputError, match=r"sorted by models up to 15\.85e21 FLOP"):
        groups_at(both, 3, "brier", 1.2)


def test_the_same_from_a_store(folder, tmp_path):
    tables = read(folder)
    write_store(tables, tmp_path / "s.store")
    stored = group_source(read(tmp_path / "s.store"), "sums").groups(3, "brier", 1.0)
    direct = group_source(tables, "sums").groups(3, "brier", 1.0)
    assert stored.scores("tc_brier", "option_mass").equals(direct.scores("tc_brier", "option_mass"))
    assert stored.whole["acc"].tolist() == direct.whole["acc"].tolist()


def test_groups_of_uneven_size(tmp_path):
    text = f"{HEADER},0_3_brier,3_10_brier,acc,brier\norg/a,F,1,1,0.2,0.6,0.5,0.48\n"
    (tmp_path / "u_instance_brier_-1000_10.0_2_redist.csv").write_text(text)
    groups = group_source(read(tmp_path)).groups(2)
    assert groups.edges.tolist() == [0, 3, 10]


def test_of_tables_only_the_family_can_be_chosen(folder):
    one = folder / "sums_instance_brier_-1000_10.0_3_redist.csv"
    one.write_text(one.read_text().replace("org/m3,F", "org/m3,Other"))
    tables = read(one)
    groups = group_source(tables, family="Oth*").groups(3)
    assert groups.models["model"].to_list() == ["org/m3"]
    assert groups.whole["acc"].shape == (1,)
    with pytest.raises(UnknownNameError, match=r"no family with groups matches 'G\*'"):
        group_source(tables, family="G*")
    for wanted in ({"n_shot": 5}, {"filter": "none"}, {"checkpoints": True}):
        with pytest.raises(InputError, match=f"{next(iter(wanted))} cannot be chosen for groups"):
            group_source(tables, **wanted)
