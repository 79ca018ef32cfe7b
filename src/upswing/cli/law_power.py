"""``upswing law power``: what a planned study of finetuned models would tell."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from upswing.cli.law_studies import read_finetuned
from upswing.cli.options import Format
from upswing.cli.output import print_frame, say, working
from upswing.errors import InputError

if TYPE_CHECKING:
    from upswing.forecast.planning.power import EmergencePower

_Numbers = Annotated[list[float] | None, Parameter(consume_multiple=True)]


def power(
    *,
    losses: _Numbers = None,
    table: str | None = None,
    family: str | None = None,
    amounts: Annotated[list[int] | None, Parameter(consume_multiple=True)] = None,
    draws: int = 2,
    seeds: int = 1,
    questions: int = 1000,
    elbow: float | None = None,
    reach: float = 0.3,
    at: float = 8192,
    alpha: float = 2.0,
    slope: float = 0.6,
    base: float = 0.25,
    cap: float | None = None,
    subset_sd: float = 0.02,
    run_sd: float = 0.0,
    d0: float = 5,
    replicates: int = 60,
    intervals: int = 12,
    target_width: float | None = None,
    target_probability: float | None = None,
    vary: Literal["questions", "draws"] = "questions",
    most: int | None = None,
    seed: int = 0,
    format: Format = "table",
) -> int:
    """Simulate a planned study many times: would its forecast be right, and how sure?

    Everything about the task is assumed; nothing is read but losses.

    Parameters
    ----------
    losses
        Losses of the models that would be finetuned [nats/token].
    table
        A table or store with a loss per model, instead.
    family
        Which of its families.
    amounts
        Amounts of finetuning data [examples] [default: 256 512 1024 2048 4096 8192].
    draws
        Subsets of examples of each size.
    seeds
        Runs on each subset.
    questions
        Questions of the test set.
    elbow
        Assumed elbow of prompted models [nats/token] [default: 0.03 below the lowest loss].
    reach
        How far finetuning on --at examples is assumed to move it [nats/token].
    at
        See --reach.
    alpha
        Assumed exponent of the law.
    slope
        Assumed rise of the score per nat beyond the elbow.
    base
        Assumed score before it.
    cap
        Assumed highest score.
    subset_sd
        Assumed standard deviation of the elbow between subsets of examples [nats/token].
    run_sd
        The same between runs [nats/token].
    d0
        Solved examples in the prompt.
    replicates
        How often the study is simulated.
    intervals
        In how many of these intervals are computed.
    target_width
        Double --vary until the 90 % interval is at most this wide [nats/token].
    target_probability
        Double --vary until so large a share is within 0.1 nats.
    vary
        What is doubled.
    most
        Where the search stops [default: 64000 questions, 16 draws].
    seed
        Of the simulation.
    """
    import msgspec

    from upswing.forecast.planning import power_search
    from upswing.forecast.planning.power import assumed_world
    from upswing.forecast.planning.power import power as simulated_power

    planned = _losses(losses, table, family)
    world = assumed_world(
        min(planned) - 0.03 if elbow is None else elbow,
        reach=reach,
        at=at,
        amounts=amounts or (256, 512, 1024, 2048, 4096, 8192),
        alpha=alpha,
        d0=d0,
        draws=draws,
        seeds=seeds,
        questions=questions,
        slope=slope,
        base=base,
        cap=cap,
        subset_sd=subset_sd,
        run_sd=run_sd,
    )
    if target_width is None and target_probability is None:
        with working("Simulating"):
            found = simulated_power(
                world, planned, replicates=replicates, intervals=intervals, seed=seed
            )
        if format == "json":
            sys.stdout.write(found.to_json() + "\n")
        else:
            print_frame(found.to_frame(), format, _title(found))
        for reason in sorted({reason for reason in found.reasons if reason}):
            say(f"refused in {found.reasons.count(reason)} of {found.replicates}: {reason}")
        return 0
    with working("Simulating"):
        search = power_search.needed_plan(
            world,
            planned,
            vary=vary,
            target_width=target_width,
            target_probability=target_probability,
            most=most,
            replicates=replicates,
            intervals=intervals,
            seed=seed,
        )
    if format == "json":
        text = msgspec.json.format(msgspec.json.encode(search.to_dict()), indent=1).decode()
        sys.stdout.write(text + "\n")
    else:
        print_frame(search.to_frame(), format, _title(search.powers[0]))
    say(search.sentence)
    return 0


def _title(found: EmergencePower) -> str:
    return (
        f"{len(found.losses)} models above an assumed elbow of {found.world.elbow:.3g} nats, the "
        f"best {found.gap:.3g} from it; {found.runs} runs; {found.replicates} simulations"
    )


def _losses(losses: list[float] | None, table: str | None, family: str | None) -> list[float]:
    """Return the planned losses, given or from a table."""
    if (losses is None) == (table is None):
        raise InputError("the losses of the models are needed", hint="give --losses or --table")
    if losses is not None:
        return losses
    from upswing.tables.bundle import Tables

    assert table is not None
    data, _ = read_finetuned(table)
    frame = data.scales if isinstance(data, Tables) else data
    if "loss" not in frame.columns:
        raise InputError("column 'loss' is missing", where=table)
    if family is not None:
        known: list[str] = []
        if "family" in frame.columns:
            known = frame["family"].drop_nulls().unique().sort().to_list()
        if family not in known:
            said = f"there are {', '.join(known)}" if known else "the table names none"
            raise InputError(f"no family {family!r}", where=table, hint=said)
        frame = frame.filter(family=family)
    found = [float(loss) for loss in frame["loss"].drop_nulls().unique().sort()]
    if not found:
        raise InputError("no model has a loss", where=table)
    return found
