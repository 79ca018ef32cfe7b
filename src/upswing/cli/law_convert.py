"""``upswing law convert``: from the loss at which an ability emerges to parameters or FLOP."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from upswing.cli.options import Format
from upswing.cli.output import exit_code, print_frame, print_notes, print_records, say, working
from upswing.errors import InputError

if TYPE_CHECKING:
    from upswing.forecast.comparison.elbow_distribution import ElbowDistribution
    from upswing.forecast.conversion.convert import Conversion
    from upswing.laws.loss.path import TokenRule
    from upswing.laws.loss.result import LossFit
    from upswing.notes import Note

_SHOWN = (
    "elbow",
    "unit",
    "mle",
    "q05",
    "q50",
    "q95",
    "status",
    "p_beyond_reach",
    "extrapolated_factor",
    "lead",
)


def convert(
    path: str | None = None,
    /,
    *,
    elbow: Annotated[list[float] | None, Parameter(consume_multiple=True)] = None,
    finetunes: str | None = None,
    task: str | None = None,
    metric: str | None = None,
    method: str | None = None,
    d0: float = 5,
    before: float | None = None,
    intervals: Literal["hierarchical", "bootstrap", "iid"] = "hierarchical",
    to: Annotated[
        list[Literal["params", "tokens", "flops"]] | None, Parameter(consume_multiple=True)
    ] = None,
    law: Literal["params", "tokens", "flops", "params-tokens"] | None = None,
    tokens: float | None = None,
    tokens_per_param: float | None = None,
    compute_optimal: Annotated[bool, Parameter(negative=())] = False,
    constant: bool = True,
    family: str | None = None,
    checkpoints: Literal["last", "all"] | None = None,
    irreducible: float = 0.0,
    llama2: Annotated[bool, Parameter(negative=())] = False,
    curve: Annotated[bool, Parameter(negative=())] = False,
    figure: Annotated[
        Path | None, Parameter(help="Draw the first conversion (.svg, .png, .pdf, .html).")
    ] = None,
    resamples: int = 1000,
    seed: int = 0,
    strict: Annotated[bool, Parameter(negative=())] = False,
    format: Format = "table",
) -> int:
    """Convert the loss at which an ability emerges to parameters, tokens or FLOP.

    Parameters
    ----------
    path
        Models with losses: a table (model,params,tokens,flops,loss), a store, or logs that state
        both [default: the models of --finetunes].
    elbow
        Losses to convert [nats/token]. May be several.
    finetunes
        Instead: a table of finetuned models, or a store of the lab, whose emergence law is fitted
        first and its distribution converted.
    task, metric, method
        Which finetuned models, where the table has several.
    d0
        Solved examples in the prompt, for which the emergence law is extrapolated.
    before
        Fit the emergence law to models with a loss above this only [nats/token].
    intervals
        Of the emergence law.
    to
        params, tokens, flops, or several [default: what the loss law has].
    law
        Scales of the loss law [default: params].
    tokens
        The models are trained on this many tokens.
    tokens_per_param
        The models are trained on this many tokens per parameter.
    compute_optimal
        The models are trained with the least compute for their loss (law of params-tokens).
    constant
        Whether the loss law has an irreducible loss.
    family
        Which family of models.
    checkpoints
        last, one point per model, or all [default: last for a law of params, else all].
    irreducible
        Loss that no model gets below, where known apart from the law [nats/token].
    llama2
        Use the INFERRED LLaMA 2 pairs of Snell et al. 2024 instead of PATH.
    curve
        Print the distribution along the scale instead of its quantiles.
    resamples
        Of the bootstrap of both laws; 0 for none.
    seed
        Of both bootstraps.
    strict
        Exit with 2 on warnings.
    """
    from upswing.forecast.conversion.convert import conversion_table, convert_elbow

    rule = _rule(tokens, tokens_per_param, compute_optimal)
    form = law or ("params-tokens" if compute_optimal else "params")
    notes: tuple[Note, ...] = ()
    points: list[tuple[ElbowDistribution | float, float]] = [(one, one) for one in elbow or ()]
    strongest = None
    if finetunes is not None:
        from upswing.forecast.conversion.source import forecast_elbow
        from upswing.forecast.finetuning.emergence_law import EmergenceLaw

        emergence = EmergenceLaw(
            d0=d0,
            before=before,
            intervals=intervals,
            resamples=resamples if intervals == "bootstrap" else 0,
            irreducible=irreducible,
            seed=seed,
        )
        with working("Fitting the emergence law"):
            found = forecast_elbow(
                finetunes, emergence, task=task, metric=metric, family=family, method=method
            )
        strongest, notes = found.strongest_used, found.notes
        points.append((found.elbow, found.most_likely))
    if not points:
        raise InputError(
            "no elbow to convert", hint="give --elbow LOSS, or --finetunes FILE to forecast one"
        )
    source = path or finetunes
    if llama2:
        if path is not None:
            raise InputError("--llama2 takes the place of a file", hint=f"leave out {path}")
        if form != "params":
            raise InputError(f"no law of {form} with --llama2", hint="its pairs say params alone")
        fit, read_notes = _llama2()
    elif source is None:
        raise InputError(
            "no models to fit the loss law to",
            hint="give a table with params and loss, or --llama2 for the inferred pairs",
        )
    else:
        fit, read_notes = _fitted(source, form, constant, family, checkpoints, resamples, seed)
    units = to or [fit.points.axes[0]]
    made = [
        convert_elbow(
            one,
            fit,
            unit,
            rule,
            most_likely=single,
            strongest_used=strongest,
            irreducible=irreducible,
        )
        for one, single in points
        for unit in units
    ]
    if curve:
        import polars as pl

        print_frame(
            pl.concat(
                [one.curve.insert_column(0, pl.lit(one.elbow).alias("elbow")) for one in made]
            ),
            format,
        )
    elif format == "json":
        import msgspec

        plain = {"law": fit.to_dict(), "conversions": [one.to_dict() for one in made]}
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(plain), indent=1).decode() + "\n")
    elif format == "table":
        _print(fit, made)
    else:
        print_frame(conversion_table(made), format)
    if figure is not None:
        from upswing.charts.parameter_axis import parameter_axis
        from upswing.charts.save import save_chart

        first = made[0]
        save_chart(parameter_axis(first.curve, p_beyond_reach=first.p_beyond_reach), figure)
        say(f"Figure: {figure}")
    from upswing.notes import unique

    all_notes = unique((*read_notes, *notes, *(note for one in made for note in one.notes)))
    print_notes(all_notes)
    return exit_code(all_notes, strict)


def _rule(tokens: float | None, per_param: float | None, optimal: bool) -> TokenRule | None:
    """Return the token rule that was asked for."""
    from upswing.laws.loss.path import TokenRule

    if (tokens is not None) + (per_param is not None) + optimal > 1:
        raise InputError(
            "two ways to choose the tokens",
            hint="give one of --tokens, --tokens-per-param and --compute-optimal",
        )
    if tokens is not None:
        return TokenRule("constant", tokens)
    if per_param is not None:
        return TokenRule("per-parameter", per_param)
    return TokenRule("optimal") if optimal else None


def _fitted(
    source: str,
    form: str,
    constant: bool,
    family: str | None,
    checkpoints: Literal["last", "all"] | None,
    resamples: int,
    seed: int,
) -> tuple[LossFit, tuple[Note, ...]]:
    """Fit the loss law to the models of a file."""
    from upswing.forecast.conversion.source import read_models
    from upswing.laws.loss.fit import fit_loss_law

    with working("Reading"):
        frame, notes = read_models(source)
    with working("Fitting the loss law"):
        fit = fit_loss_law(
            frame,
            form,
            constant=constant,
            resamples=resamples,
            seed=seed,
            family=family,
            checkpoints=checkpoints,
        )
    if fit.refused:
        raise InputError(
            f"no loss law: {fit.reason}",
            where=source,
            hint="add models, choose another --law, or try --no-constant",
        )
    return fit, notes


def _llama2() -> tuple[LossFit, tuple[Note, ...]]:
    """Fit the law to the inferred pairs of LLaMA 2."""
    from upswing.forecast.conversion.llama2 import fit_llama2

    return fit_llama2(), ()


def _print(fit: LossFit, made: list[Conversion]) -> None:
    rows: list[dict[str, Any]] = []
    known = any(one.lead is not None for one in made)
    for one in made:
        row = {**one.to_dict(), "elbow": f"{one.elbow:.4g}"}
        rows.append({name: row[name] for name in _SHOWN if known or name != "lead"})
    assert fit.law is not None
    terms = [
        f"{value:.4g} {axis}^-{exponent:.4g}"
        for axis, value, exponent in zip(
            fit.law.axes, fit.law.coefficients, fit.law.exponents, strict=True
        )
    ]
    head = [f"{fit.law.irreducible:.4g}"] if fit.law.irreducible > 0 else []
    say(f"Loss law: {' + '.join([*head, *terms])} [nats/token], {len(fit.points)} points")
    print_records(rows, "table", "Where the elbow is reached")
