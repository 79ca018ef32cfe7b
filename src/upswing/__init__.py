"""Upswing detects, explains and forecasts emergent abilities of language models.

Names are imported when they are first used, so ``import upswing`` costs little.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from upswing.version import __version__

if TYPE_CHECKING:
    from upswing.charts.save import save_chart
    from upswing.curves.curve import Curve
    from upswing.detection.axes import compare_axes
    from upswing.detection.departure import departures
    from upswing.detection.emergence_score import emergence_score
    from upswing.detection.technique import technique_effects
    from upswing.difficulty.groups.source import group_source
    from upswing.difficulty.sandwich.slice_and_sandwich import slice_and_sandwich
    from upswing.difficulty.shapes.shape_tests import shape_test
    from upswing.errors import UpswingError
    from upswing.findings.detect import detect
    from upswing.findings.finding import Detection, Finding
    from upswing.forecast.finetuning.emergence_forecast import EmergenceForecast
    from upswing.forecast.finetuning.emergence_law import EmergenceLaw
    from upswing.lab.shipped import lab_checkpoint, read_lab_results
    from upswing.metrics.metric import Metric
    from upswing.metrics.registry import register_metric
    from upswing.mirage.meta.analysis import MetaAnalysis, meta_analysis
    from upswing.mirage.model.mirage_model import MirageModel
    from upswing.notes import Note
    from upswing.report.write import write_report
    from upswing.sources.catalog import data_path
    from upswing.sources.ingest import Ingested, ingest
    from upswing.sources.published import read_published
    from upswing.sources.read import read
    from upswing.sources.rescore import rescore
    from upswing.tables.bundle import Tables
    from upswing.tables.store import write_store

_WHERE = {
    "Curve": "upswing.curves.curve",
    "Detection": "upswing.findings.finding",
    "EmergenceForecast": "upswing.forecast.finetuning.emergence_forecast",
    "EmergenceLaw": "upswing.forecast.finetuning.emergence_law",
    "Finding": "upswing.findings.finding",
    "Ingested": "upswing.sources.ingest",
    "MetaAnalysis": "upswing.mirage.meta.analysis",
    "Metric": "upswing.metrics.metric",
    "MirageModel": "upswing.mirage.model.mirage_model",
    "Note": "upswing.notes",
    "Tables": "upswing.tables.bundle",
    "UpswingError": "upswing.errors",
    "compare_axes": "upswing.detection.axes",
    "data_path": "upswing.sources.catalog",
    "departures": "upswing.detection.departure",
    "detect": "upswing.findings.detect",
    "emergence_score": "upswing.detection.emergence_score",
    "group_source": "upswing.difficulty.groups.source",
    "ingest": "upswing.sources.ingest",
    "lab_checkpoint": "upswing.lab.shipped",
    "meta_analysis": "upswing.mirage.meta.analysis",
    "read": "upswing.sources.read",
    "read_lab_results": "upswing.lab.shipped",
    "read_published": "upswing.sources.published",
    "register_metric": "upswing.metrics.registry",
    "rescore": "upswing.sources.rescore",
    "save_chart": "upswing.charts.save",
    "shape_test": "upswing.difficulty.shapes.shape_tests",
    "slice_and_sandwich": "upswing.difficulty.sandwich.slice_and_sandwich",
    "technique_effects": "upswing.detection.technique",
    "write_report": "upswing.report.write",
    "write_store": "upswing.tables.store",
}

__all__ = [
    "Curve",
    "Detection",
    "EmergenceForecast",
    "EmergenceLaw",
    "Finding",
    "Ingested",
    "MetaAnalysis",
    "Metric",
    "MirageModel",
    "Note",
    "Tables",
    "UpswingError",
    "__version__",
    "compare_axes",
    "data_path",
    "departures",
    "detect",
    "emergence_score",
    "group_source",
    "ingest",
    "lab_checkpoint",
    "meta_analysis",
    "read",
    "read_lab_results",
    "read_published",
    "register_metric",
    "rescore",
    "save_chart",
    "shape_test",
    "slice_and_sandwich",
    "technique_effects",
    "write_report",
    "write_store",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'upswing' has no attribute {name!r}")
    value = getattr(import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
