"""What the commands of ``upswing difficulty`` share: which questions, and how results are shown."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import Parameter

from upswing.cli.options import FormatName, Reading
from upswing.cli.output import print_records, say

if TYPE_CHECKING:
    import altair as alt

    from upswing.difficulty.groups.source import GroupSource
    from upswing.notes import Note
    from upswing.sources.wu_lo import WuLoTask
    from upswing.tables.bundle import Tables


@Parameter(name="*")
@dataclass(frozen=True)
class Input:
    """How results are read.

    Attributes
    ----------
    strict
        Stop at the first malformed file or contradiction; exit 2 on warnings.
    models
        Model table (TOML) that wins over the shipped one.
    model
        Model of question-level logs that do not name theirs.
    workers
        Processes that read [default: one per processor for many megabytes].
    """

    strict: bool = False
    models: Path | None = None
    model: str | None = None
    workers: int | None = None

    def reading(self) -> Reading:
        """Return the options of reading, of which ``--chance`` means something else here."""
        return Reading(
            strict=self.strict, models=self.models, model=self.model, workers=self.workers
        )


@Parameter(name="*")
@dataclass(frozen=True)
class Questions:
    """Which questions are looked at, and who sorts them.

    Attributes
    ----------
    task
        Task, or a glob whose tasks are pooled [default: the only one there is].
    family
        Glob on the model family.
    n_shot
        Number of solved examples, where there are several.
    filter
        Filter of the harness, where there are several.
    elicitation
        Way of asking, where there are several.
    checkpoints
        Every revision of a model is a point, not only the last.
    exclude
        Glob on models that neither sort questions nor are fitted or drawn; may be repeated
        [default: for published group tables the six that their authors leave out, else none];
        "none" leaves out nobody.
    published_quirks
        Sort questions as the published scripts do: models of unknown compute sort, and a name that
        never matches is not left out.
    """

    task: str | None = None
    family: str | None = None
    n_shot: Annotated[int | None, Parameter(name=["--n-shot", "--num_fewshot"])] = None
    filter: str | None = None
    elicitation: str | None = None
    checkpoints: Annotated[bool, Parameter(negative=())] = False
    exclude: Annotated[list[str] | None, Parameter(consume_multiple=False, negative=())] = None
    published_quirks: Annotated[bool, Parameter(negative=())] = False


def read_source(
    paths: list[str], questions: Questions, input: Input
) -> tuple[GroupSource, tuple[Note, ...]]:
    """Read the input and return its groups of questions, with the notes of reading."""
    from upswing.cli.work import read_tables
    from upswing.difficulty.groups.source import group_source

    tables = read_tables(paths, input.reading())
    _check_excluded(tables, questions.exclude or ())
    source = group_source(
        tables,
        questions.task,
        family=questions.family,
        n_shot=questions.n_shot,
        filter=questions.filter,
        elicitation=questions.elicitation,
        checkpoints=questions.checkpoints,
        exclude=questions.exclude,
        published_quirks=questions.published_quirks,
    )
    return source, tables.notes


def _check_excluded(tables: Tables, globs: Sequence[str]) -> None:
    """Refuse a glob that no model matches: it would also put the default out of force."""
    from upswing.difficulty.groups.groups import matching
    from upswing.errors import UnknownNameError
    from upswing.notes import listing

    models = sorted({*tables.scores["model"], *tables.items["model"]})
    for glob in globs:
        if glob != "none" and not matching(models, [glob]).any():
            raise UnknownNameError(
                f"no model matches {glob!r}", hint=f"there are {listing(models, 3)}"
            )


def redistributed(by: str, undistributed: bool) -> bool:
    """Return whether the TC Brier score is redistributed.

    Raises
    ------
    InputError
        If accuracy sorts, which knows no such score.
    """
    from upswing.errors import InputError

    if undistributed and by == "accuracy":
        raise InputError(
            "--undistributed says which TC Brier score sorts, and --by accuracy takes none",
            hint="leave one away",
        )
    return not undistributed


def excluded(questions: Questions) -> Sequence[str] | None:
    """Return the models to leave out of a fit; None leaves it to the groups."""
    if questions.published_quirks and questions.exclude is None:
        from upswing.difficulty.sandwich.sandwich_data import REMOVED_WHEN_FITTING

        return REMOVED_WHEN_FITTING
    return questions.exclude


def published(task: str) -> WuLoTask | None:
    """Return the published constants of a task."""
    from upswing.sources.wu_lo import TASKS

    return TASKS.get(task)


def threshold_of(source: GroupSource, threshold: float | None) -> float | None:
    """Return the threshold that was given, or the published one of a task of that name."""
    constants = published(source.task)
    if threshold is not None or constants is None:
        return threshold
    say(
        f"Threshold: {constants.threshold:g}, the published one of {source.task} "
        "(log10 of compute in 1e21 FLOP), chosen by looking at the whole curve"
    )
    return constants.threshold


def needed_threshold(
    source: GroupSource, threshold: float | None, option: str = "--threshold"
) -> float:
    """Return the threshold as :func:`threshold_of`; ``option`` is the one that gives it.

    Raises
    ------
    InputError
        If there is none.
    """
    from upswing.errors import InputError

    found = threshold_of(source, threshold)
    if found is None:
        raise InputError(
            f"no threshold was given for {source.task}",
            hint=f"{option} 1.5 looks at models below 10^1.5 times 1e21 FLOP",
        )
    return found


def print_document(document: Mapping[str, Any], main: str, form: FormatName, title: str) -> None:
    """Print all of a result as one JSON object, or its main table in other formats.

    Parameters
    ----------
    document
        The result as plain values.
    main
        Name of the main table in it.
    form
        Format.
    title
        Title of the table for a terminal.
    """
    if form == "json":
        text = msgspec.json.format(msgspec.json.encode(document), indent=1).decode()
        sys.stdout.write(text.rstrip("\n") + "\n")
    else:
        print_records(document[main], form, title)


def save_figure(chart: alt.TopLevelMixin, path: Path) -> None:
    """Write a figure and say where."""
    from upswing.charts.save import save_chart

    say(f"Figure: {save_chart(chart, path)}")
