"""``upswing difficulty groups``: scores of groups of questions from easy to hard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from upswing.cli.difficulty_work import (
    Input,
    Questions,
    excluded,
    published,
    read_source,
    redistributed,
    save_figure,
    threshold_of,
)
from upswing.cli.options import Format, Paths
from upswing.cli.output import exit_code, print_frame, print_notes

if TYPE_CHECKING:
    from upswing.difficulty.groups.groups import DifficultyGroups

_INPUT, _QUESTIONS = Input(), Questions()


def groups(
    paths: Paths,
    /,
    *,
    groups: int = 10,
    by: Literal["brier", "accuracy"] = "brier",
    threshold: float | None = None,
    undistributed: Annotated[bool, Parameter(negative=())] = False,
    metric: Literal["acc", "tc_brier", "tc_brier_undistributed", "option_mass"] | None = None,
    degree: int | None = None,
    figure: Path | None = None,
    format: Format = "table",
    questions: Questions = _QUESTIONS,
    input: Input = _INPUT,
) -> int:
    """Scores of groups of questions from easy to hard.

    Parameters
    ----------
    groups
        How many groups; 1 is the whole task.
    by
        Sort questions by their TC Brier score or by accuracy.
    threshold
        Models below this compute sort the questions: log10 of it in 1e21 FLOP [default: the
        published one of a published task, else every model sorts].
    undistributed
        Take the TC Brier score without redistributing probability among the options.
    metric
        What is shown [default: what sorted the questions].
    degree
        Degree of the polynomials in the figure [default: the published one, or at most 5].
    figure
        Draw to this file (.svg, .png, .pdf or .html).
    """
    from upswing.difficulty.groups.group_curves import group_curves
    from upswing.difficulty.groups.groups import to_flops
    from upswing.difficulty.groups.source import groups_at

    source, notes = read_source(paths, questions, input)
    at = threshold_of(source, threshold)
    found = groups_at(source, groups, by, at, redistributed=redistributed(by, undistributed))
    if format == "table":
        print_frame(found.wide(metric or found.metric), format, _title(found, metric))
    else:
        print_frame(found.scores(*([metric] if metric else [])), format)
    remarks = found.notes
    if figure is not None:
        from upswing.charts.difficulty_groups import difficulty_groups

        known = published(source.task) if found.published else None
        if degree is None and known is not None:
            degree = known.picture_degree
        left_out = excluded(questions)
        curves = group_curves(found, degree, threshold=at, metric=metric, exclude=left_out)
        chart = difficulty_groups(
            curves.points,
            curves.curves,
            threshold=None if at is None else float(to_flops(at)),
            title=f"{source.task} in {found.count} groups by {by}",
        )
        save_figure(chart, figure)
        remarks = curves.notes
    notes = (*notes, *remarks)
    print_notes(notes)
    return exit_code(notes, input.strict)


def _title(groups: DifficultyGroups, metric: str | None) -> str:
    first = "easiest" if groups.by == "brier" else "hardest"
    return f"{metric or groups.metric} of {groups.task} on groups of questions, the {first} first"
