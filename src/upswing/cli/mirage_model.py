"""``upswing mirage model``: what every metric shows when only the loss falls, and smoothly."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from upswing.cli.options import Format
from upswing.cli.output import print_frame, print_records, say, working

_TITLE = "Only the loss improves, and smoothly"
_Several = Parameter(consume_multiple=True, negative=())


def model(
    *,
    exponent: float = -0.3,
    scale: float = 3e9,
    sizes: Annotated[list[float] | None, _Several] = None,
    length: Annotated[list[int] | None, _Several] = None,
    options: int = 2,
    spread: Annotated[list[float] | None, _Several] = None,
    n: Annotated[list[int] | None, _Several] = None,
    every: Annotated[list[int] | None, _Several] = None,
    draws: int = 2000,
    seed: int = 0,
    points: Annotated[bool, Parameter(negative=())] = False,
    figure: Path | None = None,
    mode: Literal["light", "dark"] = "light",
    format: Format = "table",
) -> int:
    """Show every metric of a family whose loss is the power law (N/c)^a, and nothing else changes.

    Parameters
    ----------
    exponent
        a, negative.
    scale
        c, parameters at which the loss is 1 nat per token.
    sizes
        N, parameters of the models [default: 12 from 2.1e6 to 1.37e11].
    length
        L, tokens of an answer [default: 1 2 3 4 5].
    options
        K, options of a multiple-choice question.
    spread
        s, standard deviation of the margin between questions, in nats [default: 0 0.5 1].
    n
        Questions of a test: draw tests, and say how often the emergence score is infinite.
    every
        Thin the sizes: keep both ends and every k-th [default: 1, all].
    draws
        Tests drawn for each n.
    seed
        Seed of the tests.
    points
        Print every point instead of one row per curve; with --n those of one drawn test.
    figure
        Draw the whole figure into this file (.svg, .png, .pdf or .html) instead of printing.
    mode
        Colours of the figure.
    """
    from upswing.mirage.model.mirage_model import MirageModel
    from upswing.mirage.model.table import model_points, model_scores, score_rows

    given: dict[str, Any] = {
        "sizes": sizes,
        "lengths": tuple(length) if length else None,
        "spreads": tuple(spread) if spread else None,
    }
    family = MirageModel(
        exponent=exponent,
        scale=scale,
        options=options,
        **{name: value for name, value in given.items() if value is not None},
    )
    tests, ladders = n or [], every or [1]
    if points and not figure:
        print_frame(model_points(family, tests, ladders, seed), format, "Points")
        return 0
    with working("Drawing tests"):
        scores = model_scores(family, tests, ladders, draws, seed)
    if figure:
        from upswing.charts.mirage_model import mirage_model
        from upswing.charts.save import save_chart

        size = f"{scale:.3g}".replace("e+0", "e").replace("e+", "e")
        drawn = mirage_model(
            model_points(family, tests, ladders, seed),
            scores,
            title=_TITLE,
            subtitle=f"loss (N / {size})^{exponent:g} nats/token, {options} options",
            mode=mode,
        )
        path = save_chart(drawn, figure)
        say("Figure:")
        print(path)
    elif format == "table":
        print_records(score_rows(scores), format, _TITLE)
    else:
        print_frame(scores, format)
    return 0
