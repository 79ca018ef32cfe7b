"""The section on finetuned models: what is seen, in words, rows and figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import polars as pl

from upswing.charts.finetune_data import (
    FinetunePanel,
    method_panels,
    panel_subtitle,
    scale_panels,
)
from upswing.charts.finetune_layers import FinetuneLook, finetune_layers
from upswing.charts.finetune_panel import panel_look, panel_rows, panel_title
from upswing.charts.names import shown, without_owner
from upswing.charts.score_vs_scale import titled
from upswing.charts.theme import Mode
from upswing.curves.finetuned import DISAGREEMENT, Finetuned, finetuned
from upswing.findings.finding import Detection
from upswing.report.finetuned_text import gain_rows, gain_sentence
from upswing.report.numbers import whole
from upswing.report.payload import bare, columnar
from upswing.tables.bundle import Tables

Row = dict[str, Any]

MOST_BLOCKS = 12
"""Pairs of family and task that are drawn; the tables hold all of them."""

MOST_METHOD_PANELS = 6
"""Panels over methods of one block."""

MOST_DOTS = 3000
"""Single runs of one panel; with more, only means are drawn."""

MOST_ROWS = 400
"""Rows of the table on the page; ``tables/finetuned_gains.csv`` has all."""

FINETUNED_TABLES = ("finetunes", "finetuned_points", "finetuned_gains")
"""Names of the tables behind the section: single runs, their means, what amounts of data add."""

_HEIGHT = 250
_RUN = ("model", "revision", "task", "method", "d", "draw", "seed")
_MODES: tuple[Mode, ...] = ("light", "dark")
_SCALE = {"loss": "pretraining loss", "flops": "training compute", "params": "number of parameters",
          "tokens": "number of training tokens"}  # fmt: skip


class Block(NamedTuple):
    """What is drawn of one task of one family: panels over scale, and over methods."""

    family: str
    task: str
    scale: tuple[FinetunePanel, ...]
    methods: tuple[FinetunePanel, ...]


def finetuned_models(tables: Tables, detection: Detection) -> Finetuned | None:
    """Summarise the finetuned models of tasks that the detection looked at.

    Parameters
    ----------
    tables
        What :func:`upswing.read` returned.
    detection
        A task whose scores it could have judged and that was not selected is left out here too.

    Returns
    -------
    Finetuned or None
        None where there is nothing to show.
    """
    if tables.finetunes.is_empty():
        return None
    on_axis = tables.scales.filter(pl.col(detection.axis).is_not_null())
    scored = tables.scores.join(on_axis, on=["model", "revision"], how="semi")
    pairs = ["family", "task"]
    judged = pl.DataFrame(
        [(finding.curve.family, finding.curve.task) for finding in detection],
        schema=dict.fromkeys(pairs, pl.String),
        orient="row",
    )
    left_out = scored.select(pairs).unique().join(judged, on=pairs, how="anti")
    kept = tables.finetunes
    if len(judged):
        kept = kept.join(left_out, on=pairs, how="anti")
    return finetuned(
        Tables(scores=tables.scores, scales=tables.scales, finetunes=kept, files=tables.files)
    )


def finetuned_tables(found: Finetuned | None) -> dict[str, pl.DataFrame | None]:
    """Return the tables behind the section, see :data:`FINETUNED_TABLES`."""
    frames = (None,) * 3 if found is None else (found.runs, found.points, found.gains)
    return dict(zip(FINETUNED_TABLES, frames, strict=True))


def blocks(found: Finetuned) -> list[Block]:
    """Return what is drawn: one block per family and task."""
    panels: dict[tuple[str, str], tuple[list[FinetunePanel], list[FinetunePanel]]] = {}
    for place, made in enumerate((scale_panels, method_panels)):
        for panel in made(found.points, found.runs):
            panels.setdefault((panel.family, panel.task), ([], []))[place].append(panel)
    ordered = sorted(panels.items(), key=lambda item: (item[0][1], item[0][0]))
    return [
        Block(*key, _bounded_first(scale), _bounded_first(methods)[:MOST_METHOD_PANELS])
        for key, (scale, methods) in ordered
    ]


def _bounded_first(panels: Sequence[FinetunePanel]) -> tuple[FinetunePanel, ...]:
    return tuple(sorted(panels, key=lambda panel: not panel.unit))


def finetuned_figures(drawn: Sequence[Block]) -> tuple[Row, Row]:
    """Return templates by name, and figures by id."""
    templates: Row = {}
    figures: Row = {}
    kinds: dict[FinetuneLook, str] = {}
    for i, block in enumerate(drawn):
        for name, panels in (("finetuned", block.scale), ("methods", block.methods)):
            for j, panel in enumerate(panels):
                look = panel_look(panel, height=_HEIGHT)
                kind = kinds.setdefault(look, f"finetuned-{len(kinds)}")
                rows = panel_rows(panel)
                if len(rows["runs"]) > MOST_DOTS:
                    rows["runs"] = []
                figures[f"{name}-{i}-{j}"] = {
                    "kind": kind,
                    "title": [panel_title(panel, panels), panel_subtitle(panel)],
                    "data": {key: columnar(values) for key, values in rows.items()},
                }
    for look, kind in kinds.items():
        for mode in _MODES:
            layers = finetune_layers(look._replace(mode=mode))
            templates[f"{kind}/{mode}"] = bare(titled(layers, " ", " ", "container"))
    return templates, figures


def finetuned_sentences(found: Finetuned | None) -> list[str]:
    """Return what the top of the page says of finetuned models."""
    if found is None:
        return []
    count = _models(found)
    noun = "finetuned model has" if count == 1 else "finetuned models have"
    return [f"{whole(count)} {noun} a section below."] if count else []


def _models(found: Finetuned) -> int:
    """Return the number of finetuned models; each has a row per metric."""
    return len(found.runs.filter(~pl.col("few_shot")).select(_RUN).unique())


def finetuned_section(found: Finetuned) -> Row:
    """Return what the template shows."""
    every = blocks(found)
    rows = gain_rows(found.gains)
    checkpoints = found.points.select("model", "revision", "x").unique()
    return {
        "blocks": [_block(i, block, found.gains) for i, block in enumerate(every[:MOST_BLOCKS])],
        "more_blocks": max(0, len(every) - MOST_BLOCKS),
        "rows": rows[:MOST_ROWS],
        "more_rows": max(0, len(rows) - MOST_ROWS),
        "scale": _SCALE[found.axis],
        "reversed": found.axis == "loss",
        "models": whole(_models(found)),
        "checkpoints": whole(len(checkpoints)),
        "no_place": len(checkpoints) - int(_drawable(checkpoints["x"], found.axis).sum()),
        "not_finite": found.not_finite,
        "apart": f"{DISAGREEMENT:g}",
        "chance": found.points["chance"].is_not_null().any(),
        "questions": _questions(found.gains),
        "crowded": any(
            len(panel.runs) > MOST_DOTS for b in every for panel in (*b.scale, *b.methods)
        ),
    }


def _drawable(x: pl.Series, axis: str) -> pl.Series:
    """Tell which checkpoints have a place in the charts: none at 0 on a logarithmic axis."""
    return x.is_finite().fill_null(False) & ((x > 0).fill_null(False) | (axis == "loss"))


def _questions(gains: pl.DataFrame) -> str:
    """Return the largest half width of a gain's 95 % interval over questions, for 0 to 1."""
    largest = gains.filter(pl.col("disagreeing").is_not_null())["question_stderr"].max()
    return f"{1.96 * float(largest):.2g}" if isinstance(largest, float) and largest else ""


def _block(number: int, block: Block, gains: pl.DataFrame) -> Row:
    own = gains.filter((pl.col("task") == block.task) & (pl.col("family") == block.family))
    methods = dict.fromkeys((panel.metric, panel.method) for panel in block.scale)
    several = len({method for _, method in methods}) > 1
    sentences = [
        gain_sentence(
            own.filter((pl.col("metric") == metric) & (pl.col("method") == method)), several
        )
        for metric, method in methods
    ]
    return {
        "number": number,
        "task": shown(block.task, 60),
        "title": shown(block.task, 300),
        "who": shown(without_owner(block.family), 40) or "(no name)",
        "sentences": [sentence for sentence in sentences if sentence],
        "panels": _ids("finetuned", number, block.scale),
        "methods": _ids("methods", number, block.methods),
    }


def _ids(name: str, number: int, panels: Sequence[FinetunePanel]) -> list[Row]:
    return [
        {"id": f"{name}-{number}-{j}", "metric": shown(panel.metric, 40)}
        for j, panel in enumerate(panels)
    ]
