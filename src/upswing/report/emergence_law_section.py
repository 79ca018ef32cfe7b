"""The section "Will the next model have it?": one card per forecast, with its figures."""

from __future__ import annotations

from typing import Any

from upswing.charts.emergence_fan import fan_rows, reading_aid
from upswing.charts.emergence_fan_layers import fan_layers
from upswing.charts.emergence_marks import answer_lines
from upswing.charts.emergence_posterior import posterior_layers, posterior_rows, sources
from upswing.charts.names import shown
from upswing.charts.score_vs_scale import titled
from upswing.charts.theme import Mode
from upswing.report.emergence_law_cases import EMERGENCE_TABLES, EmergenceCases
from upswing.report.emergence_law_text import SIGNS, card_text
from upswing.report.payload import bare, columnar

Row = dict[str, Any]

IN_PAGE = ("emergence_forecasts", "emergence_baselines", "emergence_distributions")
"""Tables that can be saved from the page; the others are beside it only."""

_MODES: tuple[Mode, ...] = ("light", "dark")
_FAN_HEIGHT, _POSTERIOR_HEIGHT = 300, 300
_MOST_DOTS = 3000


def emergence_frames(found: EmergenceCases | None) -> Row:
    """Return the tables behind the section, None where there is none."""
    return dict.fromkeys(EMERGENCE_TABLES) if found is None else dict(found.tables())


def emergence_law_sentences(found: EmergenceCases | None) -> list[str]:
    """Return what the top of the page says of forecasts."""
    if found is None:
        return []
    made = sum(case.status != "refused" for case in found.cases)
    total = len(found.cases) + found.more
    noun = "ability is" if made == 1 else "abilities are"
    if not made:
        return ["No ability can be forecast from the finetuned models; the reasons are below."]
    return [f"{made} of {total} {noun} forecast from finetuned models below."]


def emergence_law_figures(found: EmergenceCases) -> tuple[Row, Row]:
    """Return templates by name, and figures by id."""
    templates: Row = {}
    figures: Row = {}
    for i, case in enumerate(found.cases):
        made = case.figures
        if made is None:
            continue
        corpus = None if case.corpus is None else shown(case.corpus, 40)
        dots = made.runs if len(made.runs) <= _MOST_DOTS else made.runs.clear()
        title, under = (
            answer_lines(made.marks),
            f"{shown(case.task, 40)} · {shown(case.metric, 30)}",
        )
        figures[f"fan-{i}"] = {
            "kind": f"fan-{i}",
            "title": [title, [under, *reading_aid(made.marks)]],
            "data": _columns(fan_rows(made.means, dots, made.curves, made.marks)),
        }
        drawn = len(made.distribution) > 0
        if drawn:
            rows = posterior_rows(made.distribution, made.means, made.marks)
            figures[f"elbow-{i}"] = {
                "kind": f"elbow-{i}",
                "title": ["Which models have it, with what probability",
                          [under, *sources(made.distribution)]],
                "data": _columns(rows),
            }  # fmt: skip
        for mode in _MODES:
            fan = fan_layers(made.means, made.marks, height=_FAN_HEIGHT, corpus=corpus, mode=mode)
            templates[f"fan-{i}/{mode}"] = bare(titled(fan, " ", " ", "container"))
            if drawn:
                layers = posterior_layers(made.means, made.marks, _POSTERIOR_HEIGHT, corpus,
                                          mode=mode)  # fmt: skip
                templates[f"elbow-{i}/{mode}"] = bare(titled(layers, " ", " ", "container"))
    return templates, figures


def _columns(rows: dict[str, list[Row]]) -> Row:
    return {name: columnar(values) for name, values in rows.items()}


def emergence_law_section(found: EmergenceCases) -> Row:
    """Return what the template shows."""
    cards = []
    for i, case in enumerate(found.cases):
        made = case.figures
        cards.append(
            {
                "number": i,
                **card_text(case),
                "fan": None if made is None else f"fan-{i}",
                "elbow": f"elbow-{i}" if made is not None and len(made.distribution) else None,
            }
        )
    counts = [
        {"word": word, "sign": sign, "count": sum(case.status == status for case in found.cases)}
        for status, (sign, word) in SIGNS.items()
    ]
    return {
        "cards": cards,
        "counts": [count for count in counts if count["count"]],
        "more": found.more,
    }
