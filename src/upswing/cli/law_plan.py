"""``upswing law plan``: which finetuning runs to do next, within a budget."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

from cyclopts import Parameter

from upswing.cli.law_studies import read_finetuned
from upswing.cli.options import Format
from upswing.cli.output import exit_code, print_frame, print_notes, say, working

_Numbers = Annotated[list[float] | None, Parameter(consume_multiple=True)]
_Counts = Annotated[list[int] | None, Parameter(consume_multiple=True)]


def plan(
    path: str,
    /,
    *,
    budget: float,
    task: str | None = None,
    metric: str | None = None,
    family: str | None = None,
    method: str | None = None,
    d0: float = 5,
    before: float | None = None,
    cap: Annotated[bool | None, Parameter(negative="--no-cap")] = None,
    floors: Annotated[bool | None, Parameter(negative="--no-floors")] = None,
    irreducible: float = 0.0,
    candidates: str | None = None,
    losses: _Numbers = None,
    amounts: _Numbers = None,
    draws: _Counts = None,
    questions: _Counts = None,
    unit: Literal["FLOP", "runs"] | None = None,
    epochs: float = 1.0,
    tokens_per_example: float = 100.0,
    tokens_per_question: float = 100.0,
    most: int = 12,
    seed: int = 0,
    strict: Annotated[bool, Parameter(negative=())] = False,
    format: Format = "table",
) -> int:
    """Choose the runs that narrow the interval of the elbow most, within a budget.

    Parameters
    ----------
    path
        A table of what has been run (see `upswing law fit`), or a store of the lab.
    budget
        What may be spent, in --unit.
    task, metric, family, method
        Which, where the table has several.
    d0
        Solved examples in the prompt, for which the law is extrapolated.
    before
        Use, and finetune, only models with a loss above this [nats/token].
    cap
        Scores end at a cap [default: where the scores call for one].
    floors
        Every amount of data has a base of its own [default: where the scores call for it].
    irreducible
        Irreducible loss of the corpus [nats/token]; no elbow is below it.
    candidates
        A table of what could be run (loss,d,draws,n,params,cost) [default: every model of the
        table with every amount of data and half of the smallest].
    losses
        Losses of further models that could be finetuned [nats/token].
    amounts
        Amounts of data that could be used [examples].
    draws
        Numbers of fresh subsets that a candidate may have [default: 1].
    questions
        Numbers of questions that a candidate may have [default: as in the table].
    unit
        FLOP or runs [default: FLOP where all numbers of parameters are known].
    epochs, tokens_per_example, tokens_per_question
        For the cost in FLOP.
    most
        How many candidates are chosen at most.
    seed
        Of the simulation.
    strict
        Exit with 2 on warnings.
    """
    from upswing.forecast.finetuning.emergence_law import EmergenceLaw
    from upswing.forecast.planning.candidates import read_candidates
    from upswing.forecast.planning.cost import RunCost
    from upswing.forecast.planning.design import plan_runs

    data, notes = read_finetuned(path)
    cost = None
    if unit is not None or (epochs, tokens_per_example, tokens_per_question) != (1.0, 100.0, 100.0):
        cost = RunCost(unit or "FLOP", epochs, tokens_per_example, tokens_per_question)
    law = EmergenceLaw(
        d0=d0, resamples=0, cap=cap, floors=floors, irreducible=irreducible, before=before
    )
    with working("Planning"):
        found = plan_runs(
            data,
            budget,
            law,
            task=task,
            metric=metric,
            family=family,
            method=method,
            candidates=None if candidates is None else read_candidates(candidates),
            cost=cost,
            losses=losses or (),
            amounts=amounts or (),
            draws=draws or (1,),
            questions=questions or (),
            most=most,
            seed=seed,
        )
    if format == "json":
        sys.stdout.write(found.to_json() + "\n")
    else:
        title = f"Runs to do next for {found.task}, {found.metric} [{found.unit}; nats/token]"
        print_frame(found.to_frame(), format, title)
    say(found.sentence)
    notes = (*notes, *found.notes)
    print_notes(notes)
    return exit_code(notes, strict)
