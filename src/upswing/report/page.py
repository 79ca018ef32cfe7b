"""``report.html``: everything on one page that needs no network."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import polars as pl

from upswing.charts.inline import inline_json
from upswing.charts.names import shown
from upswing.charts.save import vega_library
from upswing.charts.theme import VERDICTS
from upswing.curves.finetuned import Finetuned
from upswing.detection.departure_result import departure_table
from upswing.findings.finding import Detection
from upswing.notes import Note
from upswing.report.difficulty_groups_section import MOST_ROWS as MOST_SHAPES
from upswing.report.difficulty_groups_section import (
    difficulty_figures,
    difficulty_section,
    shape_table,
)
from upswing.report.difficulty_tasks import Difficulty
from upswing.report.emergence_law_cases import EmergenceCases
from upswing.report.emergence_law_section import (
    IN_PAGE,
    emergence_law_figures,
    emergence_law_section,
    emergence_law_sentences,
)
from upswing.report.evidence_text import EVIDENCE
from upswing.report.finetuned_models import (
    MOST_BLOCKS,
    blocks,
    finetuned_figures,
    finetuned_section,
    finetuned_sentences,
)
from upswing.report.mirage_jumps import Jumps
from upswing.report.mirage_section import MOST_ROWS as MOST_JUMPS
from upswing.report.mirage_section import mirage_figures, mirage_section
from upswing.report.numbers import short_scale, whole
from upswing.report.payload import MOST_ONSETS, figures, table, technique_groups
from upswing.report.references import EMERGENCE_REFERENCE, REFERENCES
from upswing.report.rows import Row, curve_rows, task_sections
from upswing.report.same_answers import SameAnswers
from upswing.report.same_answers_page import MOST_ROWS, same_answers_figures, section
from upswing.report.summary import summary_sentences
from upswing.tables.bundle import Tables
from upswing.version import __version__

_SCRIPTS = ("figures.js", "table.js", "downloads.js", "report.js")
_AXIS = {
    "flops": "training compute",
    "params": "parameters",
    "tokens": "training tokens",
    "loss": "loss",
}
_FEW_TASKS = 6


def render_page(
    detection: Detection,
    tables: Tables,
    run: dict[str, Any],
    points: pl.DataFrame,
    techniques: pl.DataFrame | None = None,
    axes: pl.DataFrame | None = None,
    jumps: Jumps | None = None,
    answers: SameAnswers | None = None,
    difficulty: Difficulty | None = None,
    finetuned: Finetuned | None = None,
    emergence: EmergenceCases | None = None,
) -> str:
    """Return the report as one HTML page.

    Parameters
    ----------
    detection, tables
        The findings and the tables they are from.
    run
        What :func:`upswing.report.run_info.run_info` returned.
    points
        ``detection.points()``.
    techniques, axes
        Tables of prompting techniques and of scale axes, if made.
    jumps
        Curves that jump, beside continuous metrics of their outputs, if there are any.
    answers
        Question-level answers under other metrics, if there are any.
    difficulty
        Tasks whose questions can be sorted, or come in groups, if there are any.
    finetuned
        Finetuned models, if there are any.
    emergence
        Forecasts from them, if any can be tried.
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    findings = detection.to_frame()
    rows = curve_rows(findings, points)
    notes = [*tables.notes, *detection.notes]
    drawn = figures(findings, points, techniques, axes, _corpus(tables))
    data = {
        **drawn,
        "evidence": [item._asdict() for item in EVIDENCE],
        "tables": {
            "findings": table(findings),
            "files": table(tables.files),
            "scales": table(tables.scales),
            "notes": table(notes_table(notes)),
        },
    }
    for name, frame in (("techniques", techniques), ("axes", axes)):
        if frame is not None and len(frame):
            data["tables"][name] = table(frame)
    if jumps is not None:
        templates, own = mirage_figures(jumps, detection.axis)
        drawn["templates"].update(templates)
        drawn["figures"].update(own)
        if len(jumps.pairs):
            data["tables"]["metric_pairs"] = table(jumps.pairs[:MOST_JUMPS])
    if answers is not None:
        templates, own = same_answers_figures(answers, detection.axis)
        drawn["templates"].update(templates)
        drawn["figures"].update(own)
        data["tables"]["departures"] = table(departure_table(answers.departures)[:MOST_ROWS])
    if difficulty is not None:
        templates, own = difficulty_figures(difficulty)
        drawn["templates"].update(templates)
        drawn["figures"].update(own)
        data["tables"]["difficulty_shapes"] = table(shape_table(difficulty)[:MOST_SHAPES])
    if finetuned is not None:
        templates, own = finetuned_figures(blocks(finetuned)[:MOST_BLOCKS])
        drawn["templates"].update(templates)
        drawn["figures"].update(own)
        data["tables"]["finetuned_points"] = table(finetuned.points)
        data["tables"]["finetuned_gains"] = table(finetuned.gains)
    if emergence is not None:
        templates, own = emergence_law_figures(emergence)
        drawn["templates"].update(templates)
        drawn["figures"].update(own)
        behind = emergence.tables()
        for name in IN_PAGE:
            if (frame := behind[name]) is not None:
                data["tables"][name] = table(frame)
    environment = Environment(
        loader=FunctionLoader(_text), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["shown"] = shown
    counts = detection.counts()
    return environment.get_template("report.html.jinja").render(
        title=input_name(tables),
        sentences=[
            *summary_sentences(findings),
            *finetuned_sentences(finetuned),
            *emergence_law_sentences(emergence),
        ],
        version=__version__,
        run=run,
        axis=detection.axis_label,
        axis_name=_AXIS[detection.axis],
        rule=detection.rule,
        settings=detection.settings,
        verdicts=[
            {"word": word, "sign": style.sign, "count": counts.get(word, 0), "style": style}
            for word, style in VERDICTS.items()
        ],
        counted_families=len(drawn["series"]),
        families=sorted({row["family"] for row in rows}),
        warnings=[_note(note) for note in notes if note.severity == "warning"],
        infos=[_note(note) for note in notes if note.severity == "info"],
        rows=sorted(rows, key=lambda row: (row["rank"], _none_last(row["q_sort"]), row["index"])),
        tasks=task_sections(findings, rows, _sources(tables)),
        few_tasks=_FEW_TASKS,
        minis=_minis(drawn, rows, findings),
        figures=drawn["figures"],
        more_onsets=max(0, findings["onset"].is_not_null().sum() - MOST_ONSETS),
        techniques=_technique_rows(techniques),
        axes=axes is not None and len(axes) > 0,
        jumps=None if jumps is None else mirage_section(jumps),
        answers=None if answers is None else section(answers),
        difficulty=None if difficulty is None else difficulty_section(difficulty),
        finetuned=None if finetuned is None else finetuned_section(finetuned),
        emergence=None if emergence is None else emergence_law_section(emergence),
        files=tables.files.to_dicts(),
        whole=whole,
        score_rows=len(tables.scores),
        downloads=list(data["tables"]),
        references=REFERENCES if emergence is None else (*REFERENCES, EMERGENCE_REFERENCE),
        css=_text("report.css")
        + ("" if jumps is None else _text("mirage_section.css"))
        + ("" if answers is None else _text("same_answers.css"))
        + ("" if difficulty is None else _text("difficulty_section.css"))
        + ("" if finetuned is None else _text("finetuned_models.css"))
        + ("" if emergence is None else _text("emergence_law_section.css")),
        library=vega_library(),
        script="\n".join(_text(name) for name in _SCRIPTS),
        data=inline_json(data),
    )


def notes_table(notes: list[Note]) -> pl.DataFrame:
    """Return notes as a table: severity, code, message, and the messages that one note gathers."""
    rows = [
        {
            "severity": note.severity,
            "code": note.code,
            "message": note.message,
            "gathered": [str(text) for text in note.details.get("messages", [])],
        }
        for note in notes
    ]
    columns: dict[str, Any] = {
        "severity": pl.String,
        "code": pl.String,
        "message": pl.String,
        "gathered": pl.List(pl.String),
    }
    return pl.DataFrame(rows, schema=columns, orient="row")


def input_name(tables: Tables) -> str:
    """Return what was read: the folders or files at the top of the sources."""
    tops = dict.fromkeys(source.split("/")[0] for source in tables.files["source"].to_list())
    names = [shown(top, 60) for top in list(tops)[:3]]
    if not names:
        return "Curves"
    return ", ".join(names) + (f" and {len(tops) - 3} more" if len(tops) > 3 else "")


def _note(note: Note) -> Row:
    gathered = [shown(text, 600) for text in note.details.get("messages", [])][:50]
    return {"code": note.code, "message": shown(note.message, 900), "gathered": gathered}


def _minis(drawn: dict[str, Any], rows: list[Row], findings: pl.DataFrame) -> list[Row]:
    from upswing.charts.panel_data import telling_panels

    ids = [name for name in drawn["figures"] if name.startswith("mini-")]
    result = []
    for name, panel in zip(ids, telling_panels(findings), strict=True):
        best = min((rows[i] for i in panel.curves), key=lambda row: row["rank"])
        result.append({"id": name, "setting": panel.setting, "row": best})
    return result


def _technique_rows(techniques: pl.DataFrame | None) -> list[Row]:
    if techniques is None or not len(techniques):
        return []
    rows = []
    for number, group in enumerate(technique_groups(techniques)):
        last = group.row(-1, named=True)
        harmed = group.filter(pl.col("high") < 0)
        rows.append(
            {
                "id": f"technique-{number}",
                "task": shown(last["task"], 50),
                "title": shown(last["task"], 300),
                "family": shown(last["family"], 30),
                "metric": shown(last["metric"], 30),
                "with": shown(last["with"], 20),
                "without": shown(last["without"], 20),
                "from": short_scale(last["helps_from"], last["axis"]),
                "from_sort": last["helps_from"],
                "point": shown(last["helps_from_point"] or "", 60),
                "much": short_scale(last["exceeds_delta_from"], last["axis"]),
                "much_sort": last["exceeds_delta_from"],
                "much_point": shown(last["exceeds_delta_from_point"] or "", 60),
                "last": f"{last['difference']:+.3f}".replace("-", "−"),
                "last_sort": last["difference"],
                "interval": f"{last['low']:+.3f} to {last['high']:+.3f}".replace("-", "−"),
                "harmed": len(harmed),
                "scales": len(group),
            }
        )
    return rows


def _sources(tables: Tables) -> dict[str, str]:
    """Return, per task, the number of files and the software its scores come from."""
    scores = tables.scores
    if not len(scores):
        return {}
    grouped = scores.group_by("task").agg(
        pl.col("source").drop_nulls().n_unique().alias("files"),
        pl.col("harness").unique().sort().alias("harness"),
    )
    result = {}
    for row in grouped.iter_rows(named=True):
        software = ", ".join(shown(name, 40) for name in row["harness"] if name)
        count = "1 file" if row["files"] == 1 else f"{row['files']} files"
        result[row["task"]] = f"{count} ({software})" if software else count
    return result


def _corpus(tables: Tables) -> str | None:
    corpora = tables.scales["loss_corpus"].drop_nulls().unique().to_list()
    return shown(corpora[0], 40) if len(corpora) == 1 else None


def _none_last(value: float | None) -> tuple[bool, float]:
    return (value is None, value or 0.0)


def _text(name: str) -> str:
    return (files("upswing.report") / name).read_text(encoding="utf-8")
