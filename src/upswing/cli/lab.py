"""``upswing lab``: experiments that show emergence, on models trained from scratch."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter
from cyclopts.validators import Number

from upswing.cli.grid_progress import grid_progress
from upswing.cli.options import INVOCATION, AxisName, Format, FormatName, Selection
from upswing.cli.output import print_frame, say, working
from upswing.cli.work import judge_and_report

if TYPE_CHECKING:
    from upswing.lab.corpus import Corpus
    from upswing.lab.presets import Preset
    from upswing.lab.runner.job import Job

app = App(name="lab", help="Experiments on small models.", result_action="return_value")

_Several = Parameter(consume_multiple=True, negative=())
CorpusFile = Annotated[
    Path | None,
    Parameter(help="Text to learn [default: the documentation inside Python's library]."),
]


@Parameter(name="*")
@dataclass(frozen=True)
class Grid:
    """Where and how the grid runs.

    Attributes
    ----------
    out
        Folder of the store; what is done there is kept and not done again.
    workers
        Processes, each with one thread.
    seed
        Seed of weights, batches, questions and subsets.
    dry_run
        Print the grid and its estimated cost, and run nothing.
    """

    out: Path
    workers: Annotated[int, Parameter(validator=Number(gte=1))] = 2
    seed: Annotated[int, Parameter(validator=Number(gte=0))] = 0
    dry_run: bool = False


@app.command
def ladder(
    *,
    grid: Grid,
    preset: Annotated[
        Literal["quick", "full"], Parameter(help="Mixture of tasks, sizes and steps.")
    ] = "full",
    size: Annotated[
        list[str] | None, Parameter(help="Sizes instead, like d48L3."), _Several
    ] = None,
    steps: Annotated[int | None, Parameter(help="Optimiser steps instead.")] = None,
    models: Annotated[int, Parameter(help="Models per size, trained as one stack.")] = 1,
    learning_rate: Annotated[float | None, Parameter(help="Its level instead.")] = None,
    corpus: CorpusFile = None,
    format: Format = "table",
) -> int:
    """Train models of several sizes from scratch and keep their checkpoints."""
    text = _corpus(corpus)
    plans = [
        plan.changed(tuple(size) if size else None, steps, models, learning_rate)
        for plan in _preset(preset).ladders
    ]
    return _run([job for plan in plans for job in plan.jobs(text, grid.seed)], grid, text, format)


@app.command
def evaluate(
    *,
    grid: Grid,
    task: Annotated[
        list[str] | None, Parameter(help="Tasks [default: those of the models' mixture]."), _Several
    ] = None,
    questions: Annotated[int, Parameter(help="Questions per task.")] = 500,
    shots: Annotated[int, Parameter(help="Solved examples before each.")] = 2,
    revision: Annotated[
        list[str] | None, Parameter(help="Checkpoints [default: all]."), _Several
    ] = None,
    format: Format = "table",
) -> int:
    """Ask every checkpoint in the store, and keep every answer and its scores."""
    from upswing.lab.experiment import pretrained_jobs
    from upswing.lab.plans import EvaluationPlan

    plan = EvaluationPlan(
        tuple(dict.fromkeys(task)) if task else None,
        questions,
        shots,
        revisions=tuple(revision) if revision else None,
    )
    return _run(plan.jobs(pretrained_jobs(grid.out), grid.seed), grid, None, format)


@app.command
def finetune(
    *,
    grid: Grid,
    task: Annotated[str, Parameter(help="Task of the examples.")] = "addition-2",
    checkpoint: Annotated[
        list[str] | None, Parameter(help="Globs on MODEL@REVISION [default: all]."), _Several
    ] = None,
    d: Annotated[
        list[int] | None, Parameter(help="Amounts of examples [default: 256 1024 4096]."), _Several
    ] = None,
    draws: Annotated[int, Parameter(help="Random subsets of each amount.")] = 2,
    seeds: Annotated[int, Parameter(help="Runs on each subset.")] = 3,
    method: Annotated[
        list[str] | None, Parameter(help="full, or lora-RANK [default: full]."), _Several
    ] = None,
    learning_rate: Annotated[
        list[float] | None,
        Parameter(help="To choose from, on validation [default: 2e-3 6e-3]."),
        _Several,
    ] = None,
    steps: Annotated[int, Parameter(help="Optimiser steps at most.")] = 640,
    prompted: Annotated[
        bool, Parameter(help="Score the checkpoints with two examples in the prompt too.")
    ] = True,
    format: Format = "table",
) -> int:
    """Finetune checkpoints in the store on nested subsets of examples."""
    from upswing.lab.experiment import pretrained_jobs
    from upswing.lab.plans import FinetunePlan

    plan = FinetunePlan(task, tuple(sorted(set(d or (256, 1024, 4096)))), draws, seeds, steps=steps)
    if not prompted:
        plan = replace(plan, shots=None)
    if checkpoint:
        plan = replace(plan, checkpoints=tuple(checkpoint))
    if method:
        plan = replace(plan, methods=tuple(method))
    if learning_rate:
        plan = replace(plan, learning_rates=tuple(learning_rate))
    return _run(plan.jobs(pretrained_jobs(grid.out), grid.seed), grid, None, format)


@app.command
def quick(
    *, grid: Grid, corpus: CorpusFile = None, axis: AxisName = "loss", format: Format = "table"
) -> int:
    """Ladder, evaluation, finetuning and report in three minutes on two free cores."""
    return _whole("quick", grid, corpus, axis, format)


@app.command
def full(
    *, grid: Grid, corpus: CorpusFile = None, axis: AxisName = "loss", format: Format = "table"
) -> int:
    """Like quick with all tasks, larger models and more steps, in 25 minutes on two free cores."""
    return _whole("full", grid, corpus, axis, format)


@app.command
def results(*, grid: Grid, format: Format = "table") -> int:
    """Run the grid behind the results that come with Upswing, in an hour on two free cores."""
    text = _corpus(None)
    return _run(_preset("results").jobs(text, grid.seed), grid, text, format)


def _preset(name: Literal["quick", "full", "results"]) -> Preset:
    from upswing.lab.presets import FULL, QUICK, RESULTS

    return {"quick": QUICK, "full": FULL, "results": RESULTS}[name]


def _corpus(path: Path | None) -> Corpus:
    from upswing.lab.corpus import STANDARD_LIBRARY, read_corpus

    with working("Reading the corpus"):
        return read_corpus(STANDARD_LIBRARY if path is None else str(path))


def _whole(
    name: Literal["quick", "full"],
    grid: Grid,
    path: Path | None,
    axis: AxisName,
    form: FormatName,
) -> int:
    started = datetime.now(UTC)
    text = _corpus(path)
    code = _run(_preset(name).jobs(text, grid.seed), grid, text, form)
    if not grid.dry_run:
        _report(grid, axis, form, started)
    return code


def _report(grid: Grid, axis: AxisName, form: FormatName, started: datetime) -> None:
    from upswing.sources.read import read

    with working("Reading the store"):
        tables = read(grid.out)
    judge_and_report(
        tables,
        Selection(axis=axis, seed=grid.seed),
        grid.out / "report",
        form,
        command=shlex.join(["upswing", *INVOCATION.get()]),
        inputs=[grid.out.absolute()],
        started=started,
    )


def _run(jobs: Sequence[Job], grid: Grid, corpus: Corpus | None, form: FormatName) -> int:
    """Run a grid, or print it; failures are told and the exit code is then 1."""
    from upswing.lab.experiment import plan, run_experiment

    if grid.dry_run:
        planned = plan(jobs, grid.out)
        print_frame(planned, form, f"Grid of {len(planned)} jobs")
        left = planned.filter(planned["state"] != "done")["cpu_seconds"].sum()
        say(
            f"About {left / 60:.1f} CPU minutes left; on {grid.workers} free cores the wall time "
            f"is {left / 60 / grid.workers:.1f} minutes or a little more."
        )
        return 0
    try:
        with grid_progress() as progress:
            result = run_experiment(jobs, grid.out, corpus, workers=grid.workers, progress=progress)
    except KeyboardInterrupt:
        say(f"{grid.out}: stopped. What is done is kept; the same command goes on from there.")
        raise
    for failure in result.failed:
        say(f"failed: {failure.job.label}: {failure.error}")
    say(
        f"{grid.out}: {len(result.done)} jobs done, {len(result.skipped)} were there, "
        f"{len(result.failed)} failed, {len(result.waiting)} wait for those."
    )
    return 1 if result.failed else 0
