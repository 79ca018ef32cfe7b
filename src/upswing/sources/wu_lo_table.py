"""The group tables of Wu and Lo as a checked frame: who is in them, which groups, which totals."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath
from typing import NamedTuple

import polars as pl

from upswing.errors import InputError
from upswing.notes import Note, Severity, listing
from upswing.sources.tabular import numeric, read_text_table, with_lines

SIZES = {
    "params": ("Model Size (B)", 1e9),
    "tokens": ("Pretraining Data Size (T)", 1e12),
    "flops": ("FLOPs (1E21)", 1e21),
}
"""Our names of the sizes, theirs, and the unit of theirs."""

TOTALS = ("acc", "brier", "san")

_GROUP = re.compile(r"(\d{1,9})_(\d{1,9})_(brier|acc|san)")
_FILE = re.compile(
    r"(?:acc_)?(?P<task>.+)_instance_brier_-?[0-9.]+_(?P<threshold>\d+(?:\.\d+)?)"
    r"_\d+_(?P<kind>redist|undist)"
)
_TOLERANCE = 1e-6


class Group(NamedTuple):
    """A column of one group: questions ``lo`` to ``hi`` (excluded) in the order of difficulty."""

    column: str
    lo: int
    hi: int
    kind: str


class FileName(NamedTuple):
    """What the name of a file says: task, sort key, metric of Brier columns, threshold."""

    task: str
    sorted_by: str
    brier: str
    threshold: float | None


@dataclass(frozen=True)
class GroupTable:
    """A group table.

    Attributes
    ----------
    name
        What the file's name says.
    groups
        Columns of the groups.
    models
        One row per model with scores: ``model``, ``family``, ``line``, the sizes in parameters,
        tokens and FLOP, and the columns of the groups and totals as numbers.
    notes
        What was odd.
    """

    name: FileName
    groups: tuple[Group, ...]
    models: pl.DataFrame
    notes: tuple[Note, ...]

    @property
    def questions(self) -> int:
        """Questions of the task."""
        return max(group.hi for group in self.groups)

    def long(self) -> pl.DataFrame:
        """Return one row per number, with ``lo`` and ``hi`` null for the whole task."""
        metrics = {"acc": "acc", "brier": self.name.brier, "san": "option_mass"}
        of_groups = [(g.column, g.lo, g.hi, metrics[g.kind]) for g in self.groups]
        of_task = [(kind, None, None, metrics[kind]) for kind in TOTALS if kind in self.models]
        columns = pl.DataFrame(
            [*of_groups, *of_task],
            schema={"column": pl.String, "lo": pl.Int64, "hi": pl.Int64, "metric": pl.String},
            orient="row",
        )
        cells = self.models.unpivot(
            columns["column"].to_list(),
            index=["line", "model", "family", *SIZES],
            variable_name="column",
            value_name="value",
        )
        return cells.drop_nulls("value").join(columns, on="column", maintain_order="left")


def has_groups(columns: list[str]) -> bool:
    """Tell whether a header has columns of groups beside ``Model``."""
    kinds = {found[3] for name in columns if (found := _GROUP.fullmatch(name)) is not None}
    return "Model" in columns and bool(kinds & {"brier", "acc"})


def read_group_table(content: bytes, source: str, file: str) -> GroupTable:
    """Read and check one table.

    Parameters
    ----------
    content
        The file.
    source
        Its name in messages.
    file
        Its name on disk, which says task, threshold and kind of Brier score.

    Raises
    ------
    InputError
        With file and line, if a cell is no number, the groups do not follow each other, a row with
        scores names no model, or one model has two rows of scores.
    """
    frame = with_lines(read_text_table(content, source))
    groups = _groups([name for name in frame.columns if name != "line"], source)
    scored = [*(group.column for group in groups), *(t for t in TOTALS if t in frame.columns)]
    notes: list[Note] = []
    frame = _without_spacers(frame, scored, source, notes)
    frame = _numbers(frame, scored, source)
    frame = _without_repeats(frame, scored, source, notes)
    frame = _evaluated(frame, scored, source, notes)
    name = _file_name(file, groups[0].kind == "acc", source, notes)
    frame = _with_totals(frame, groups, source, notes)
    ours = {"line", "model", "family", *SIZES, *TOTALS, *scored, "Model Family"}
    theirs = {column for column, _ in SIZES.values()}
    left = frame.drop(name for name in frame.columns if name in ours | theirs)
    filled = (
        left.select((pl.all().fill_null("") != "").any()).row(0, named=True) if left.width else {}
    )
    other = [column for column, is_filled in filled.items() if is_filled]
    if other:
        notes.append(
            Note(
                "columns-ignored",
                "info",
                f"{source}: columns that are no part of the group table are left out: "
                f"{listing(other, 8)}. Benchmarks among them are copies of ObsScaling's.",
                {"source": source, "columns": other},
            )
        )
    return GroupTable(name, tuple(groups), frame, tuple(notes))


def _groups(columns: list[str], source: str) -> list[Group]:
    """Return the groups in order; every question has to be in one and only one."""
    found = [
        Group(name, int(match[1]), int(match[2]), match[3])
        for name in columns
        if (match := _GROUP.fullmatch(name)) is not None
    ]
    kinds = {group.kind for group in found}
    if not has_groups(columns) or {"brier", "acc"} <= kinds:
        raise InputError(
            "a group table has a column Model, and groups either of brier or of acc",
            where=f"{source}:1",
        )
    for kind in sorted(kinds):
        edges = sorted((group.lo, group.hi) for group in found if group.kind == kind)
        whole = edges[0][0] == 0 and all(lo < hi for lo, hi in edges)
        if not whole or any(one[1] != other[0] for one, other in pairwise(edges)):
            names = ", ".join(f"{lo}_{hi}" for lo, hi in edges)
            raise InputError(
                f"the groups of {kind} do not follow each other from question 0: {names}",
                where=f"{source}:1",
            )
    if len({max(group.hi for group in found if group.kind == kind) for kind in kinds}) > 1:
        raise InputError("the groups end at different questions", where=f"{source}:1")
    return sorted(found, key=lambda group: (group.kind == "san", group.lo))


def _without_spacers(
    frame: pl.DataFrame, scored: list[str], source: str, notes: list[Note]
) -> pl.DataFrame:
    unnamed = frame.filter(pl.col("Model").fill_null("") == "")
    lost = unnamed.filter(pl.any_horizontal(pl.col(name).fill_null("") != "" for name in scored))
    if not lost.is_empty():
        raise InputError("a row with scores names no model", where=f"{source}:{lost['line'][0]}")
    if len(unnamed):
        text = f"{len(unnamed)} rows without a model and without scores are spacers"
        notes.append(_note("spacer-rows", text, source, unnamed))
    return frame.filter(pl.col("Model").fill_null("") != "")


def _numbers(frame: pl.DataFrame, scored: list[str], source: str) -> pl.DataFrame:
    given = [column for column, _ in SIZES.values() if column in frame.columns]
    number = _number_of(frame, [*scored, *given], source)
    sizes = [
        (number(column) * unit).alias(name)
        if column in frame.columns
        else pl.lit(None, pl.Float64).alias(name)
        for name, (column, unit) in SIZES.items()
    ]
    family = pl.col("Model Family") if "Model Family" in frame.columns else pl.lit(None, pl.String)
    frame = frame.with_columns(
        *(number(name) for name in scored),
        *sizes,
        family.replace("", None).alias("family"),
        pl.col("Model").alias("model"),
    ).drop("Model")
    wrong = {
        name: ~(pl.col(name).is_finite() & (pl.col(name) >= 1)).fill_null(True) for name in SIZES
    }
    if not frame.select(pl.any_horizontal(wrong.values()).any()).item():
        return frame
    for name, (column, _) in SIZES.items():
        bad = frame.filter(wrong[name])
        if not bad.is_empty():
            raise InputError(
                f"{column} is {bad[column][0]} and must be positive",
                where=f"{source}:{bad['line'][0]}",
            )
    return frame


def _number_of(frame: pl.DataFrame, columns: list[str], source: str) -> Callable[[str], pl.Expr]:
    """Return how a column becomes numbers: one pass over all where every cell is one or empty."""
    texts = frame.select(columns)
    numbers = texts.select(pl.all().cast(pl.Float64, strict=False))  # an empty cell becomes null
    filled = texts.select((pl.all() != "").sum()).row(0)
    usable = numbers.select(pl.all().is_finite().sum()).row(0)
    if filled != usable:
        return lambda name: numeric(frame, name, source)
    return lambda name: pl.lit(numbers[name])


def _without_repeats(
    frame: pl.DataFrame, scored: list[str], source: str, notes: list[Note]
) -> pl.DataFrame:
    """Keep the first of several rows of one model, if the others only repeat its scores."""
    first = pl.col("model").is_first_distinct()
    later = frame.filter(~first)
    if later.is_empty():
        return frame
    known = {row["model"]: row for row in frame.filter(first).iter_rows(named=True)}
    for row in later.iter_rows(named=True):
        before = known[row["model"]]
        if any(before[name] != row[name] for name in scored):
            raise InputError(
                f"model {row['model']!r} has other scores in line {before['line']}",
                where=f"{source}:{row['line']}",
                hint="leave one of the rows out",
            )
    sizes = [
        f"{model} ({'?' if params is None else f'{params:.3g}'} parameters)"
        for model, params in later.select("model", "params").iter_rows()
    ]
    text = (
        f"{len(later)} rows repeat a model and its scores beside other sizes, which cannot be its "
        f"own: {listing(sizes)}; the first row of a model counts"
    )
    notes.append(_note("repeated-models", text, source, later, "warning"))
    return frame.filter(first)


def _evaluated(
    frame: pl.DataFrame, scored: list[str], source: str, notes: list[Note]
) -> pl.DataFrame:
    missing = pl.sum_horizontal(pl.col(name).is_null() for name in scored)
    without = frame.filter(missing == len(scored))
    frame = frame.filter(missing < len(scored))
    if frame.is_empty():
        raise InputError("no model has a score", where=f"{source}:1")
    if len(without):
        text = f"{len(without)} models were not evaluated: {listing(without['model'], 3)}"
        notes.append(_note("not-evaluated", text, source, without))
    partly = frame.filter(missing > 0)
    if len(partly):
        text = f"{len(partly)} models lack some of the scores: {listing(partly['model'], 3)}"
        notes.append(_note("partly-evaluated", text, source, partly, "warning"))
    unsized = frame.filter(pl.col("flops").is_null())
    if len(unsized):
        text = (
            f"{len(unsized)} models with scores have no FLOPs ({listing(unsized['model'])}); the "
            "authors' code lets such models sort the questions"
        )
        notes.append(_note("flops-missing", text, source, unsized))
    return frame


def _file_name(file: str, by_acc: bool, source: str, notes: list[Note]) -> FileName:
    stem = PurePosixPath(file).stem
    match = _FILE.fullmatch(stem)
    if match is None:
        notes.append(
            Note(
                "file-renamed",
                "warning",
                f"{source}: the name is not one of Wu and Lo's. The task is called {stem!r}; which "
                "models sorted the questions is not known, and Brier scores are taken for "
                "redistributed ones.",
                {"source": source},
            )
        )
        return FileName(stem, "acc" if by_acc else "tc_brier", "tc_brier", None)
    brier = "tc_brier" if match["kind"] == "redist" else "tc_brier_undistributed"
    return FileName(match["task"], "acc" if by_acc else brier, brier, float(match["threshold"]))


def _with_totals(
    frame: pl.DataFrame, groups: list[Group], source: str, notes: list[Note]
) -> pl.DataFrame:
    """Add totals that the groups imply, and drop totals that contradict their groups."""
    for kind in TOTALS:
        parts = [group for group in groups if group.kind == kind]
        if not parts:
            continue
        weighted = sum((pl.col(g.column) * (g.hi - g.lo) for g in parts), start=pl.lit(0.0))
        mean = weighted / parts[-1].hi
        if kind not in frame.columns:
            frame = frame.with_columns(mean.alias(kind))
            notes.append(
                Note(
                    "total-from-groups",
                    "info",
                    f"{source}: the total of {kind} is not in the table; it is the mean of the "
                    "groups, weighted by their questions.",
                    {"source": source, "column": kind},
                )
            )
            continue
        wrong = frame.filter((pl.col(kind) - mean).abs() > _TOLERANCE)
        if len(wrong):
            text = (
                f"the total {kind} is not the mean of its groups in {len(wrong)} rows (the first "
                f"is {wrong[kind][0]:g}) and is not read there"
            )
            notes.append(_note("total-against-groups", text, source, wrong, "warning"))
            frame = frame.with_columns(
                pl.when(~pl.col("line").is_in(wrong["line"].implode())).then(kind).alias(kind)
            )
    return frame


def _note(
    code: str, text: str, source: str, rows: pl.DataFrame, severity: Severity = "info"
) -> Note:
    lines = rows["line"].to_list()
    return Note(
        code,
        severity,
        f"{source}: {text} (lines {listing(lines, 6)}).",
        {"source": source, "lines": lines},
    )
